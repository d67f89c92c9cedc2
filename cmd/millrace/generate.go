package main

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"millrace/internal/generate"
	"millrace/internal/run"
	"millrace/internal/settings"
)

func generateCommand() *cobra.Command {
	var cfg generate.WeblogConfig
	var out, start, zone, format string
	var canaries bool
	c := &cobra.Command{
		Use:   "generate weblog --out DIR",
		Short: "Make the logs of a simulated server farm, and the truth about them",
		Long: `Make the access logs of a simulated server farm: visitors with sessions, Zipf
pages, bots, attacks, bursts of errors, disorder within a bound, lines delivered
twice, malformed lines. The same seed and settings give the same bytes.

Beside the logs lies the truth, for checking a job against it:
  truth.json                 counts: lines, events, bad lines, classes, days, incidents
  truth_sessions.ndjson.gz   every session
  truth_canaries.txt         planted personal data, with --canaries
  truth_attacks.ndjson       every attack`,
		Example: `  millrace generate weblog --out farm --lines 1000000 --servers 4 --gzip
  millrace generate weblog --out farm --days 3 --rate 50 --seed 7 --canaries`,
		Args: func(c *cobra.Command, args []string) error {
			if len(args) == 1 && args[0] != "weblog" {
				return &run.UsageError{Err: fmt.Errorf("unknown schema %q%s", args[0], settings.Suggest(args[0], []string{"weblog"}))}
			}
			return exactArgs(1, "millrace generate weblog --out DIR")(c, args)
		},
		RunE: func(c *cobra.Command, _ []string) error {
			if out == "" {
				return &run.UsageError{Err: fmt.Errorf("--out is missing: name the folder to write to; see %s --help", c.CommandPath())}
			}
			if err := readTimes(&cfg, start, zone, format); err != nil {
				return &run.UsageError{Err: err}
			}
			if canaries {
				cfg.Canaries = generate.DefaultCanaries
			}
			if err := cfg.Validate(); err != nil {
				return &run.UsageError{Err: err}
			}
			truth, err := generate.WriteFiles(c.Context(), out, cfg, nil)
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(c.OutOrStdout(), "%d lines in %d files in %s; what is true of them: %s/truth.json\n", truth.Lines, len(truth.Files), out, out)
			return err
		},
	}
	fs := c.Flags()
	fs.SortFlags = false
	fs.StringVar(&out, "out", "", "folder to write to")
	fs.Uint64Var(&cfg.Seed, "seed", 1, "seed of everything random")
	fs.Int64Var(&cfg.Lines, "lines", 0, "lines to write; two of --lines, --days and --rate give the third")
	fs.IntVar(&cfg.Days, "days", 0, "days of event time")
	fs.Float64Var(&cfg.Rate, "rate", 0, "mean lines a second of event time")
	fs.IntVar(&cfg.Visitors, "visitors", 0, "people who may come (default 10,000)")
	fs.IntVar(&cfg.Servers, "servers", 0, "servers, each with a log of its own")
	fs.StringVar(&start, "start", "", "first day or time, 2006-01-02 or RFC 3339")
	fs.StringVar(&zone, "zone", "", "offset of the servers' clocks from UTC, for example +05:30")
	fs.StringVar(&format, "format", "", "common, combined or vhost_combined")
	fs.DurationVar(&cfg.Disorder, "disorder", 0, "lines of a file are out of order by at most this")
	fs.Float64Var(&cfg.Duplicates, "duplicates", 0, "share of lines written twice (each is an event of its own)")
	fs.Float64Var(&cfg.Malformed, "malformed", 0, "share of lines that are broken")
	fs.IntVar(&cfg.Redeliver, "redeliver", 0, "servers whose whole log is delivered twice (the copy is a duplicate)")
	fs.BoolVar(&canaries, "canaries", false, "plant 1,000 values of each type of personal data; needs 64,000 lines or more")
	fs.BoolVar(&cfg.Gzip, "gzip", false, "compress the logs")
	return c
}

// readTimes reads what flags give as text.
func readTimes(cfg *generate.WeblogConfig, start, zone, format string) error {
	if start != "" {
		t, err := time.Parse(time.DateOnly, start)
		if err != nil {
			if t, err = time.Parse(time.RFC3339, start); err != nil {
				return fmt.Errorf("--start %s: write 2006-01-02 or 2006-01-02T15:04:05Z", start)
			}
		}
		cfg.Start = t
	}
	if zone != "" {
		t, err := time.Parse("-07:00", zone)
		if err != nil {
			return fmt.Errorf("--zone %s: write an offset such as +05:30", zone)
		}
		_, seconds := t.Zone()
		cfg.Zone = time.Duration(seconds) * time.Second
	}
	if format != "" {
		cfg.Format = generate.Format(format) // checked with the rest
	}
	return nil
}
