// Command benchlive measures the jobs live: a Kinesis stream of this
// machine, read by Flink into a lake. It prints what it saw as Markdown; it
// reports and never judges. Whatever the figures, it ends with 0.
//
// All processes belong to one group, which ends with this program, in whatever
// way it ends, and listen on loopback only.
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
	"slices"
	"strings"
	"syscall"
	"time"
)

type options struct {
	millrace string
	dir      string
	out      string
	parts    string
	lines    int
	runs     int
	shards   int
	rate     int
	latency  time.Duration
	steady   time.Duration
	backlog  int
	profile  string
	disorder string
}

func main() {
	var o options
	flag.StringVar(&o.millrace, "millrace", filepath.Join("bin", "millrace"), "the program to measure")
	flag.StringVar(&o.dir, "dir", filepath.Join(".cache", "benchlive"), "folder for streams, lakes and logs; what an earlier call left there is removed")
	flag.StringVar(&o.out, "out", "", "write the Markdown to this file, too")
	flag.StringVar(&o.parts, "parts", "source,lake,latency,counter,alert,memory,catchup", "what to measure")
	flag.IntVar(&o.lines, "lines", 2_000_000, "lake: lines in the stream, of 197 bytes")
	flag.IntVar(&o.runs, "runs", 3, "lake: runs, each beside one of Flink SQL")
	flag.IntVar(&o.shards, "shards", 4, "shards of each stream")
	flag.IntVar(&o.rate, "rate", 2000, "latency and memory: lines a second")
	flag.DurationVar(&o.latency, "latency", 90*time.Second, "latency: how long lines come")
	flag.DurationVar(&o.steady, "steady", 5*time.Minute, "memory: how long lines come")
	flag.IntVar(&o.backlog, "backlog", 2_000_000, "catchup: lines that wait when the job starts")
	flag.StringVar(&o.disorder, "max-disorder", "5m", "lake and catchup: --max-disorder of the job")
	flag.StringVar(&o.profile, "profile", "", "lake: also run with the workers in the process of millrace, and write a CPU profile of it to this file")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := measure(ctx, o)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "benchlive:", err)
		os.Exit(1)
	}
}

func measure(ctx context.Context, o options) (err error) {
	if flag.NArg() > 0 || o.lines < 1 || o.runs < 1 || o.shards < 1 || o.rate < 1 || o.backlog < 1 {
		return fmt.Errorf("bad arguments %q: numbers are positive; see -h", strings.Join(os.Args[1:], " "))
	}
	b := &bencher{options: o, log: os.Stderr, out: os.Stdout}
	parts := []part{{"source", b.source}, {"lake", b.lake}, {"latency", b.delay}, {"counter", b.counter}, {"alert", b.alert}, {"memory", b.memory}, {"catchup", b.catchUp}}
	chosen := strings.Split(o.parts, ",")
	for _, name := range chosen {
		if !slices.ContainsFunc(parts, func(p part) bool { return p.name == name }) {
			return fmt.Errorf("-parts: no part is called %q", name)
		}
	}
	if o.out != "" {
		f, err := os.Create(o.out)
		if err != nil {
			return err
		}
		defer f.Close()
		b.out = io.MultiWriter(os.Stdout, f)
	}
	defer func() { err = errors.Join(err, b.end(context.WithoutCancel(ctx))) }()
	if err := b.prepare(ctx); err != nil {
		return err
	}
	b.describe(ctx)
	for _, p := range parts {
		if !slices.Contains(chosen, p.name) {
			continue
		}
		if err := p.measure(ctx); err != nil {
			return fmt.Errorf("%s: %w", p.name, err)
		}
	}
	return nil
}

// part is one of the things to measure.
type part struct {
	name    string
	measure func(context.Context) error
}

// bencher is one call of the command.
type bencher struct {
	options
	log io.Writer // what is going on
	out io.Writer // the Markdown

	key     string // reference of the masking key
	running string // name of the job that was started last
	servers servers
}

// step tells what comes next.
func (b *bencher) step(format string, a ...any) {
	fmt.Fprintf(b.log, "%s  %s\n", time.Now().UTC().Format(time.TimeOnly), fmt.Sprintf(format, a...))
}

func (b *bencher) path(names ...string) string {
	return filepath.Join(append([]string{b.dir}, names...)...)
}
