// Command benchsinks measures sinks beside the best ready-made clients for the same
// servers: rows a second, and the CPU that client and server take for a row, on a
// machine that both share. It prints what it saw as Markdown; it reports and never
// judges. Whatever the figures, it ends with 0.
//
// Each client writes in a process of its own, alternately, into an empty place of a
// server that runs on loopback and ends with this program.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"millrace/internal/machine"
)

type options struct {
	rows, runs int
	sinks      string
	out        string
	write      string // of a client's process: which it is
	addr       string // and where its server is
	heap       bool   // and whether to look at the heap
}

func main() {
	var o options
	flag.IntVar(&o.rows, "rows", 200_000, "rows of a run")
	flag.IntVar(&o.runs, "runs", 5, "runs of each client")
	flag.StringVar(&o.sinks, "sinks", "", "names of sinks, with commas; all of them when empty")
	flag.StringVar(&o.out, "out", "", "write the Markdown to this file, too")
	flag.StringVar(&o.write, "write", "", "SINK/CLIENT: be that client's process, which this program starts itself")
	flag.StringVar(&o.addr, "addr", "", "address of the server, for -write")
	flag.BoolVar(&o.heap, "heap", false, "look at the heap, for -write")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := bench(ctx, o)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "benchsinks:", err)
		os.Exit(1)
	}
}

func bench(ctx context.Context, o options) error {
	if flag.NArg() > 0 || o.rows < 1 || o.runs < 1 {
		return fmt.Errorf("bad arguments %q: -rows and -runs are positive; see -h", strings.Join(os.Args[1:], " "))
	}
	if o.write != "" {
		return beClient(ctx, o)
	}
	chosen, err := choose(o.sinks)
	if err != nil {
		return err
	}
	b := &bencher{options: o, log: os.Stderr, out: os.Stdout}
	if o.out != "" {
		f, err := os.Create(o.out)
		if err != nil {
			return err
		}
		defer f.Close()
		b.out = io.MultiWriter(os.Stdout, f)
	}
	var with []string
	for _, c := range chosen {
		with = append(with, c.with...)
	}
	fmt.Fprintln(b.out, machine.Report(ctx, "Sinks", "internal/benchsinks", with...))
	for _, c := range chosen {
		if err := b.contest(ctx, c); err != nil {
			return fmt.Errorf("%s: %w", c.name, err)
		}
	}
	return nil
}

// bencher is one call of the command.
type bencher struct {
	options
	log io.Writer // what is going on
	out io.Writer // the Markdown
}
