// Command bench measures the weblogs job, a funnel and sessions of the events in a lake,
// and what the jobs clickstream and devices make, beside DuckDB doing the same work on the same input, alternately, and prints what it saw as Markdown. It reports
// and never judges: whatever the figures, it ends with 0.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"

	"millrace/internal/testenv/install"
)

type options struct {
	lines, runs int
	dir         string
	peer        string
	job, lake   bool
	jobs        bool
	big         bool
	profile     bool
	components  bool
	out         string
}

func main() {
	var o options
	flag.IntVar(&o.lines, "lines", 2_000_000, "lines of the input")
	flag.IntVar(&o.runs, "runs", 3, "runs of each program")
	flag.StringVar(&o.dir, "dir", filepath.Join(".cache", "bench"), "folder for input, lakes and binary; the lakes are removed")
	flag.StringVar(&o.peer, "peer", "duckdb", "program to compare with: duckdb or none")
	flag.BoolVar(&o.job, "job", true, "compare the whole job")
	flag.BoolVar(&o.lake, "lake", true, "compare a funnel and sessions of the events in a lake")
	flag.BoolVar(&o.jobs, "jobs", true, "compare what the jobs clickstream and devices make")
	flag.BoolVar(&o.big, "big", false, "also run ten times the lines over 10 days, in one pass and day by day (at 20,000,000 lines: 8 GB of disk, half an hour)")
	flag.BoolVar(&o.profile, "profile", true, "also say where the time goes, from a CPU profile of one more run")
	flag.BoolVar(&o.components, "components", true, "also run the Go benchmarks of parser, masker, sessionizer, rollups and Parquet writer")
	flag.StringVar(&o.out, "out", "", "write the Markdown to this file, too")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := bench(ctx, o)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func bench(ctx context.Context, o options) error {
	if flag.NArg() > 0 || o.lines < 1 || o.runs < 1 || o.peer != "duckdb" && o.peer != "none" {
		return fmt.Errorf("bad arguments %q: -lines and -runs are positive, -peer is duckdb or none", strings.Join(os.Args[1:], " "))
	}
	dir, err := filepath.Abs(o.dir)
	if err != nil {
		return err
	}
	b := &bencher{options: o, dir: dir, log: os.Stderr, out: os.Stdout}
	if o.out != "" {
		f, err := os.Create(o.out)
		if err != nil {
			return err
		}
		defer f.Close()
		b.out = io.MultiWriter(os.Stdout, f)
	}
	if err := b.prepare(ctx); err != nil {
		return err
	}
	defer b.clean()
	return b.run(ctx)
}

// bencher is one call of the command.
type bencher struct {
	options
	dir    string
	log    io.Writer // what is going on
	out    io.Writer // the Markdown
	binary string
	python string // interpreter with DuckDB; empty without a peer
}

func (b *bencher) prepare(ctx context.Context) (err error) {
	if err := os.MkdirAll(filepath.Join(b.dir, "home"), 0o755); err != nil {
		return err
	}
	b.binary = filepath.Join(b.dir, "millrace")
	fmt.Fprintln(b.log, "building", b.binary)
	if _, err := b.command(ctx, "go", "build", "-trimpath", "-ldflags=-s -w", "-o", b.binary, "./cmd/millrace").measure(); err != nil {
		return err
	}
	if b.peer == "duckdb" || b.big {
		b.python, err = install.Python(ctx, b.log)
	}
	return err
}

func (b *bencher) run(ctx context.Context) error {
	b.describe(ctx)
	if b.job {
		if err := b.compare(ctx); err != nil {
			return err
		}
	}
	if b.lake {
		if err := b.askLake(ctx); err != nil {
			return err
		}
	}
	if b.jobs {
		if err := b.askJobs(ctx); err != nil {
			return err
		}
	}
	if b.profile {
		if err := b.stages(ctx); err != nil {
			return err
		}
	}
	if b.components {
		if err := b.packages(ctx); err != nil {
			return err
		}
	}
	if b.big {
		return b.tenDays(ctx)
	}
	return nil
}

// clean removes everything but the input of the comparison and the binary.
func (b *bencher) clean() {
	for _, name := range []string{"lake", "days", "peer", "cpu.prof", "big.log", "big.log.tmp", "input.tmp", "funnels.yaml", "shop_funnels.yaml", "codes.csv", "sessions"} {
		_ = os.RemoveAll(filepath.Join(b.dir, name))
	}
}

// fresh gives an empty folder of that name.
func (b *bencher) fresh(name string) (string, error) {
	path := filepath.Join(b.dir, name)
	if err := os.RemoveAll(path); err != nil {
		return "", err
	}
	return path, os.MkdirAll(path, 0o755)
}
