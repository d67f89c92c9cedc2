package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"millrace/internal/generate"
	"millrace/internal/run"
)

// clickCanaries is how many values of each type --canaries plants in a shop.
const clickCanaries = 1_000

func generateClicksCommand() *cobra.Command {
	var cfg generate.ClickConfig
	var out, start string
	var canaries bool
	c := &cobra.Command{
		Use:   "clickstream --out DIR",
		Short: "Make the events of a simulated shop, into a file",
		Long: `Make the events of a simulated shop, as the job clickstream reads them: visitors
with tastes, carts, purchases and refunds, wrong clocks, consent given and denied,
events sent twice, broken lines. The same seed and settings give the same bytes.
Beside events.ndjson lies the truth, for checking a job against it:
  truth.json           counts: lines, events, duplicates, bad lines, sessions,
                       purchases, amounts, abandoned carts
  truth_canaries.txt   planted personal data, with --canaries`,
		Example: `  millrace generate clickstream --out shop
  millrace generate clickstream --out shop --events 2000000 --days 1 --gzip --duplicates 0.01 --canaries`,
		Args: exactArgs(0, "millrace generate clickstream --out DIR"),
		RunE: func(c *cobra.Command, _ []string) error {
			if out == "" {
				return usage("--out is missing: name the folder to write to; see %s --help", c.CommandPath())
			}
			var err error
			if cfg.Start, err = readStart(start); err != nil {
				return &run.UsageError{Err: err}
			}
			if canaries {
				cfg.Canaries = clickCanaries
			}
			if err := cfg.Validate(); err != nil {
				return &run.UsageError{Err: err}
			}
			truth, err := generate.WriteShop(out, cfg)
			if err != nil {
				return fmt.Errorf("writing the events of a shop to %s: %w", out, err)
			}
			fmt.Fprintf(c.OutOrStdout(), "%s: %d lines, %d events, %d duplicates, %d sessions\n", out, truth.Lines, truth.Events, truth.Duplicates, truth.Sessions)
			return nil
		},
	}
	fs := c.Flags()
	fs.SortFlags = false
	fs.StringVar(&out, "out", "", "folder to write to")
	fs.Uint64Var(&cfg.Seed, "seed", 1, "seed of everything random")
	fs.Int64Var(&cfg.Events, "events", 0, "about how many events (default 100,000)")
	fs.IntVar(&cfg.Days, "days", 0, "days of event time (default 3)")
	fs.IntVar(&cfg.Visitors, "visitors", 0, "people who may come (default a twentieth of the events)")
	fs.IntVar(&cfg.Items, "items", 0, "items of the catalogue (default 400)")
	fs.StringVar(&start, "start", "", "first day, 2006-01-02 (default 2026-03-01)")
	fs.Float64Var(&cfg.Duplicates, "duplicates", 0, "share of events that are sent twice")
	fs.Float64Var(&cfg.Malformed, "malformed", 0, "share of lines that are broken")
	fs.BoolVar(&canaries, "canaries", false, "plant 1,000 values of each type of personal data; needs 32,000 events or more")
	fs.BoolVar(&cfg.Gzip, "gzip", false, "compress the file")
	return c
}
