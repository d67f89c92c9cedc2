package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// options are what the flags say.
type options struct {
	millrace string
	out      string
	rate     string
	play     time.Duration
	until    time.Duration
}

func main() {
	var o options
	flag.StringVar(&o.millrace, "millrace", filepath.Join("bin", "millrace"), "the program to show")
	flag.StringVar(&o.out, "out", filepath.Join("out", "demo-live"), "folder for lake, batch and logs; what an earlier demo left there is removed")
	flag.StringVar(&o.rate, "rate", "2000/s", "lines that the farm writes")
	flag.DurationVar(&o.play, "for", 50*time.Second, "how long the farm writes")
	flag.DurationVar(&o.until, "until", 70*time.Second, "how long after the start the stream ends")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := show(ctx, o)
	interrupted := ctx.Err() != nil
	stop()
	if interrupted {
		err = errors.New("interrupted; everything it had started is ended")
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "demo-live:", err)
		os.Exit(1)
	}
}

// show runs the demo and leaves no process behind.
func show(ctx context.Context, o options) (err error) {
	if flag.NArg() > 0 {
		return fmt.Errorf("bad arguments %q: see -h", strings.Join(flag.Args(), " "))
	}
	d := &demo{options: o, say: os.Stdout, began: time.Now()}
	defer func() {
		failed := err != nil && ctx.Err() == nil
		err = errors.Join(err, d.end(context.WithoutCancel(ctx), failed))
	}()
	for _, step := range []func(context.Context) error{d.prepare, d.startServers, d.stream, d.stopServers, d.batch, d.compare} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	fmt.Fprintf(d.say, "\nlook at     %s\nand ask     duckdb -c \".read %s\" -c \"SELECT * FROM top_pages ORDER BY window_start, rank\"\n",
		filepath.Join(o.out, "lake", "report.html"), filepath.Join(o.out, "lake", "_current", "views.sql"))
	return nil
}

// demo is one show.
type demo struct {
	options
	say   io.Writer
	began time.Time

	out     string // absolute
	key     string // reference of the masking key
	python  string // has DuckDB
	servers servers
}

// step tells what comes next, with the time since the start.
func (d *demo) step(format string, a ...any) {
	fmt.Fprintf(d.say, "%4.0f s  %s\n", time.Since(d.began).Seconds(), fmt.Sprintf(format, a...))
}
