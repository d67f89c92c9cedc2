// Command eval measures how well detection works, on data whose truth is known, counts
// the test vectors that pass, and prints what it saw as Markdown: one section each of the table below, all of them
// or those that are named. It reports and never judges: whatever the figures, it
// ends with 0.
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

	"millrace/internal/settings"
)

// section is one part of the report.
type section struct {
	name  string
	title string
	run   func(ctx context.Context, data string, out io.Writer) error // data is the folder testdata
}

// sections are all there are, in their order.
var sections = []section{
	{"vectors", "Test vectors: cases with the answers of references", vectorsSection},
	{"nab", "Anomaly scores on the Numenta Anomaly Benchmark", nabSection},
	{"alerts", "Alerts of bursts of errors, on generated logs", burstSection},
	{"security", "Security rules on generated logs", securitySection},
	{"findings", "Security rules on real logs", findingsSection},
	{"recommend", "Recommendations in generated shops", recommendSection},
}

func main() {
	data := flag.String("data", "testdata", "folder of the test data")
	flag.Usage = func() {
		fmt.Fprintln(flag.CommandLine.Output(), "eval [-data DIR] [SECTION]...")
		for _, s := range sections {
			fmt.Fprintf(flag.CommandLine.Output(), "  %-10s %s\n", s.name, s.title)
		}
	}
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := evaluate(ctx, *data, os.Stdout, flag.Args())
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "eval:", err)
		os.Exit(1)
	}
}

func evaluate(ctx context.Context, data string, out io.Writer, names []string) error {
	chosen, err := choose(names)
	if err != nil {
		return err
	}
	for i, s := range chosen {
		if i > 0 {
			fmt.Fprintln(out)
		}
		fmt.Fprintf(out, "## %s\n\n", s.title)
		if err := s.run(ctx, data, out); err != nil {
			return fmt.Errorf("section %s: %w", s.name, err)
		}
	}
	return nil
}

func choose(names []string) ([]section, error) {
	if len(names) == 0 {
		return sections, nil
	}
	var chosen []section
	var known []string
	for _, s := range sections {
		known = append(known, s.name)
	}
	for _, name := range names {
		found := false
		for _, s := range sections {
			if strings.EqualFold(s.name, name) {
				chosen, found = append(chosen, s), true
			}
		}
		if !found {
			return nil, fmt.Errorf("there is no section %s%s", name, settings.Suggest(name, known))
		}
	}
	return chosen, nil
}
