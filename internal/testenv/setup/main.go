// Command setup installs everything that the tests run against, so that the
// tests themselves download nothing. It is quick when everything is there.
// Arguments name the only steps to take, by the first word: setup flink.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"time"

	"millrace/internal/testenv/install"
)

type step struct {
	name    string
	install func(context.Context, io.Writer) (string, error)
}

// lanes go side by side, the steps of one after each other: they share a package
// manager's folder. Each waits for the network more than for a processor.
var lanes = [][]step{
	{{"versitygw (S3)", install.VersityGW}, {"toxiproxy (network faults)", install.Toxiproxy}, {"influxd (InfluxDB)", install.Influxd}},
	{{"python (DuckDB, PyArrow, moto)", install.Python}, {"chromium (reports)", install.Chromium}},
	{{"kinesis-local (Kinesis)", install.KinesisLocal}, {"kinesalite (Kinesis in volume)", install.Kinesalite}},
	{
		{"kpl (Kinesis producer)", install.KPL},
		{"opensearch (OpenSearch)", install.OpenSearch},
		{"postgres (Redshift's SQL)", install.Postgres},
		{"flink (cluster, job server)", install.Flink},
	},
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := setup(ctx, os.Stdout, os.Args[1:])
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "setup:", err)
		os.Exit(1)
	}
}

// setup runs every step that was asked for, also after one went wrong, to tell
// all that is missing.
func setup(ctx context.Context, out io.Writer, only []string) error {
	var known []string
	results := make(chan error)
	for _, lane := range lanes {
		for _, s := range lane {
			known = append(known, s.word())
		}
		go func() {
			var errs []error
			for _, s := range lane {
				if len(only) == 0 || slices.Contains(only, s.word()) {
					errs = append(errs, s.run(ctx, out))
				}
			}
			results <- errors.Join(errs...)
		}()
	}
	var errs []error
	for range lanes {
		errs = append(errs, <-results)
	}
	if unknown := slices.DeleteFunc(slices.Clone(only), func(name string) bool { return slices.Contains(known, name) }); len(unknown) > 0 {
		errs = append(errs, fmt.Errorf("no step is called %s (there are %s)", strings.Join(unknown, ", "), strings.Join(known, ", ")))
	}
	return errors.Join(errs...)
}

// word is what a step is asked for by.
func (s step) word() string {
	word, _, _ := strings.Cut(s.name, " ")
	return word
}

func (s step) run(ctx context.Context, out io.Writer) error {
	start := time.Now()
	path, err := s.install(ctx, out)
	if err == nil {
		fmt.Fprintf(out, "%-31s %s (%v)\n", s.name, path, time.Since(start).Round(time.Millisecond))
	}
	return err
}
