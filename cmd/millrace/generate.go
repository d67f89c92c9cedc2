package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"millrace/internal/generate"
	"millrace/internal/run"
	"millrace/internal/settings"
)

// generateFlags are the flags as given; some need reading.
type generateFlags struct {
	liveFlags
	cfg                      generate.WeblogConfig
	out, start, zone, format string
	canaries                 bool
}

func generateCommand() *cobra.Command {
	var f generateFlags
	c := &cobra.Command{
		Use:   "generate weblog {--out DIR | --to kinesis://STREAM}",
		Short: "Make the logs of a simulated server farm, into files or live into a stream",
		Long: `Make the access logs of a simulated server farm: visitors with sessions, Zipf
pages, bots, attacks, bursts of errors, disorder within a bound, lines delivered
twice, malformed lines. What other jobs read is made by the commands below.

Into files (--out DIR): the same seed and settings give the same bytes. Beside the
logs lies the truth, for checking a job against it:
  truth.json                 counts: lines, events, bad lines, classes, days, incidents
  truth_sessions.ndjson.gz   every session
  truth_canaries.txt         planted personal data, with --canaries
  truth_attacks.ndjson       every attack
  nginx.conf, mapping.yaml   what weblogs has to know of --format nginx and json:
                             --format nginx@DIR/nginx.conf, --format json@DIR/mapping.yaml

Into a stream (--to kinesis://STREAM): plays the farm live. Lines come at --rate,
evenly, their times run with the clock, and a server's name is their partition
key. It goes on for --for or --lines, or until Ctrl-C, which delivers what is on
its way and tells how many lines were acknowledged; a second one ends it at once.
With --out, the truth about the lines in the stream is written there at the end,
if all of them were acknowledged.
  - Lines are packed, many into one record, in the format of the Kinesis Producer
    Library, which millrace and the Kinesis client libraries take apart; a shard
    takes only 1,000 records a second. --aggregate=false puts each line by itself.
  - --shuffle 30s has every line come up to 30 seconds after its time, so that
    lines are in no order; read such a stream with --max-disorder of that and the
    --disorder together, or more. The rate builds up over that time.
  - --start 2026-01-31 --speed 60 plays a day from that date in 24 minutes.
  - Each line is in the stream at least once. An answer that is lost on the way
    makes millrace put its records again, and Kinesis cannot tell.
  - Credentials and region come from the AWS configuration, and
    AWS_ENDPOINT_URL_KINESIS is honoured.`,
		Example: `  millrace generate weblog --out farm --lines 1000000 --servers 4 --gzip
  millrace generate weblog --out farm --days 3 --rate 50 --seed 7 --canaries
  millrace generate weblog --out farm --lines 100000 --format cloudfront --gzip
  millrace generate weblog --to kinesis://access-logs --rate 5000/s --for 60s
  millrace generate weblog --to kinesis://access-logs --rate 300/min --shuffle 30s --out truth`,
		Args: func(c *cobra.Command, args []string) error {
			if len(args) == 1 && args[0] != "weblog" {
				return &run.UsageError{Err: fmt.Errorf("unknown schema %q%s", args[0], settings.Suggest(args[0], []string{"weblog", "clickstream", "device", "authlog"}))}
			}
			return exactArgs(1, "millrace generate weblog --out DIR or --to kinesis://STREAM")(c, args)
		},
		RunE: func(c *cobra.Command, _ []string) error {
			f.cfg.Rate = float64(f.rate)
			if err := readTimes(&f.cfg, f.start, f.zone, f.format); err != nil {
				return &run.UsageError{Err: err}
			}
			if f.canaries {
				f.cfg.Canaries = generate.DefaultCanaries
			}
			if f.to != "" {
				return generateLive(c, &f)
			}
			return generateFiles(c, &f)
		},
	}
	fs := c.Flags()
	fs.SortFlags = false
	fs.StringVar(&f.out, "out", "", "folder to write to; with --to, for the truth alone")
	fs.Uint64Var(&f.cfg.Seed, "seed", 1, "seed of everything random")
	fs.Int64Var(&f.cfg.Lines, "lines", 0, "lines to write; two of --lines, --days and --rate give the third")
	fs.IntVar(&f.cfg.Days, "days", 0, "days of event time")
	f.add(c, "mean lines a second of event time, live of the clock: 5000, 5000/s, 300/min, 9000/h (default live 100/s)")
	fs.IntVar(&f.cfg.Visitors, "visitors", 0, "people who may come (default 10,000; live more for a high rate)")
	fs.IntVar(&f.cfg.Servers, "servers", 0, "servers, each with a log of its own (default 1, live 16)")
	fs.StringVar(&f.start, "start", "", "first day or time, 2006-01-02 or RFC 3339 (default 2025-03-03, live now)")
	fs.StringVar(&f.zone, "zone", "", "offset of the servers' clocks from UTC, for example +05:30")
	fs.StringVar(&f.format, "format", "", "layout of the lines: "+generate.FormatNames()+" (default combined); beside files of nginx lies their log_format, beside those of json their mapping")
	fs.DurationVar(&f.cfg.Disorder, "disorder", 0, "lines of a server are out of order by at most this (default 5s, -1s for none)")
	fs.DurationVar(&f.cfg.Shuffle, "shuffle", 0, "beyond that, each line comes later by up to this")
	fs.Float64Var(&f.cfg.Duplicates, "duplicates", 0, "share of lines written twice (each is an event of its own)")
	fs.Float64Var(&f.cfg.Malformed, "malformed", 0, "share of lines that are broken")
	fs.IntVar(&f.cfg.Redeliver, "redeliver", 0, "files: servers whose whole log is delivered twice (the copy is a duplicate)")
	fs.BoolVar(&f.canaries, "canaries", false, "plant 1,000 values of each type of personal data; needs 96,000 lines or more")
	fs.BoolVar(&f.cfg.Gzip, "gzip", false, "files: compress the logs")
	c.AddCommand(generateClicksCommand())
	c.AddCommand(generateDeviceCommand())
	c.AddCommand(generateAuthLogCommand())
	return c
}

func generateFiles(c *cobra.Command, f *generateFlags) error {
	if f.out == "" {
		return usage("--out or --to is missing: name the folder or the stream to write to; see %s --help", c.CommandPath())
	}
	if err := f.forFiles(c); err != nil {
		return err
	}
	if err := f.cfg.Validate(); err != nil {
		return &run.UsageError{Err: err}
	}
	truth, err := generate.WriteFiles(c.Context(), f.out, f.cfg, nil)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(c.OutOrStdout(), "%d lines in %d files in %s; what is true of them: %s/truth.json\n", truth.Lines, len(truth.Files), f.out, f.out)
	return err
}

// readTimes reads what flags give as text.
func readTimes(cfg *generate.WeblogConfig, start, zone, format string) error {
	var err error
	if cfg.Start, err = readStart(start); err != nil {
		return err
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

// readStart reads a day or a time; empty is the zero time.
func readStart(start string) (t time.Time, err error) {
	if start == "" {
		return t, nil
	}
	if t, err = time.Parse(time.DateOnly, start); err != nil {
		if t, err = time.Parse(time.RFC3339, start); err != nil {
			return t, fmt.Errorf("--start %s: write 2006-01-02 or 2006-01-02T15:04:05Z", start)
		}
	}
	return t, nil
}

// rateFlag is a number a second; it may be given a minute or an hour.
type rateFlag float64

func (r *rateFlag) String() string {
	if *r == 0 {
		return ""
	}
	return strconv.FormatFloat(float64(*r), 'g', -1, 64)
}

func (r *rateFlag) Type() string { return "rate" }

func (r *rateFlag) Set(s string) error {
	number, unit, per := strings.Cut(s, "/")
	seconds, known := map[string]float64{"s": 1, "sec": 1, "second": 1, "min": 60, "m": 60, "minute": 60, "h": 3600, "hour": 3600}[unit]
	if !per {
		seconds, known = 1, true
	}
	n, err := strconv.ParseFloat(number, 64)
	if err != nil || !known || !(n > 0) || n > 1e9 {
		return fmt.Errorf("write a number of lines above zero, a second or per unit: 5000, 5000/s, 300/min or 9000/h")
	}
	*r = rateFlag(n / seconds)
	return nil
}
