package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"millrace/internal/generate"
	"millrace/internal/generate/live"
	"millrace/internal/run"
)

// clickCanaries is how many values of each type --canaries plants in a shop.
const clickCanaries = 1_000

func generateClicksCommand() *cobra.Command {
	var cfg generate.ClickConfig
	var f liveFlags
	var out, start string
	var canaries bool
	c := &cobra.Command{
		Use:   "clickstream {--out DIR | --to kinesis://STREAM}",
		Short: "Make the events of a simulated shop, into a file or live into a stream",
		Long: `Make the events of a simulated shop, as the job clickstream reads them: visitors
with tastes, carts, purchases and refunds, wrong clocks, consent given and denied,
events sent twice, broken lines. The same seed and settings give the same bytes.
Beside events.ndjson lies the truth, for checking a job against it:
  truth.json           counts: lines, events, duplicates, bad lines, sessions,
                       purchases, amounts, abandoned carts; with --incidents, those
  truth_canaries.txt   planted personal data, with --canaries

--incidents N has N of each kind in the second half of the days: a checkout that ends in
no purchase for an hour or more, orders of many times as many units, a visitor who tries
cards, and many who do from one network.

Into a stream (--to kinesis://STREAM): plays the shop live. Events come at --rate, evenly,
when they are received, with visitors in all stages of their visits from the first second
on; a visitor is their partition key. It goes on for --for or --events, or until Ctrl-C.
--speed, --aggregate and --out are as of millrace generate weblog. What is sent again comes
up to ten minutes later: read such a stream with --max-disorder 11m or more, or the copies
of events are late. The truth does not tell of sessions and carts, as the stream begins and
ends within some.`,
		Example: `  millrace generate clickstream --out shop
  millrace generate clickstream --out shop --events 2000000 --days 1 --gzip --duplicates 0.01 --canaries
  millrace generate clickstream --out shop --days 3 --incidents 1
  millrace generate clickstream --to kinesis://shop --rate 2000/s --for 60s
  millrace generate clickstream --to kinesis://shop --rate 300 --speed 60 --start 2026-03-01 --out truth`,
		Args: exactArgs(0, "millrace generate clickstream --out DIR or --to kinesis://STREAM"),
		RunE: func(c *cobra.Command, _ []string) error {
			var err error
			if cfg.Start, err = readStart(start); err != nil {
				return &run.UsageError{Err: err}
			}
			if canaries {
				cfg.Canaries = clickCanaries
			}
			if f.to != "" {
				return playShop(c, &f, cfg, out)
			}
			if out == "" {
				return usage("--out or --to is missing: name the folder or the stream to write to; see %s --help", c.CommandPath())
			}
			if err := f.forFiles(c, "rate"); err != nil {
				return err
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
	fs.StringVar(&out, "out", "", "folder to write to; with --to, for the truth alone")
	fs.Uint64Var(&cfg.Seed, "seed", 1, "seed of everything random")
	fs.Int64Var(&cfg.Events, "events", 0, "about how many events (default 100,000); live how many lines")
	f.add(c, "live: events a second of the clock: 2000, 2000/s, 300/min, 9000/h (default 100/s)")
	fs.IntVar(&cfg.Days, "days", 0, "files: days of event time (default 3)")
	fs.IntVar(&cfg.Visitors, "visitors", 0, "people who may come (default a twentieth of the events; live enough for the rate)")
	fs.IntVar(&cfg.Items, "items", 0, "items of the catalogue (default 400)")
	fs.StringVar(&start, "start", "", "first day or time, 2006-01-02 or RFC 3339 (default 2026-03-01, live now)")
	fs.Float64Var(&cfg.Duplicates, "duplicates", 0, "share of events that are sent twice")
	fs.Float64Var(&cfg.Malformed, "malformed", 0, "share of lines that are broken")
	fs.IntVar(&cfg.Incidents, "incidents", 0, "files: incidents of each kind that rules of alerts should find, at most one a day")
	fs.BoolVar(&canaries, "canaries", false, "plant 1,000 values of each type of personal data; needs 32,000 events or more")
	fs.BoolVar(&cfg.Gzip, "gzip", false, "files: compress the file")
	return c
}

// liveRate is that of playing without --rate, lines a second.
const liveRate = 100

// playShop plays one to a stream.
func playShop(c *cobra.Command, f *liveFlags, cfg generate.ClickConfig, truth string) error {
	if err := f.check(c, []string{"days", "gzip", "incidents"}, "events", cfg.Events); err != nil {
		return &run.UsageError{Err: err}
	}
	rate := float64(f.rate)
	if rate == 0 {
		rate = liveRate
	}
	script, err := live.Shop(cfg, rate, f.speed, max(cfg.Events, f.total(rate)))
	if err != nil {
		return &run.UsageError{Err: err}
	}
	return playLive(c, f.options(script, truth))
}
