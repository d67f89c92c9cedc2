package main

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"millrace/internal/generate/devices"
	"millrace/internal/generate/live"
	"millrace/internal/run"
)

func generateDeviceCommand() *cobra.Command {
	var cfg devices.Config
	var f liveFlags
	var out, start string
	var hours int
	var compress bool
	c := &cobra.Command{
		Use:   "device {--out DIR | --to kinesis://STREAM}",
		Short: "Make the readings of simulated patients and machines, into files or live into a stream",
		Long: `Make the readings of a ward of patients at monitors and of a hall of machines, as
JSON lines, and beside them the truth, for checking a job against it:
  truth.json          counts; what was planted: spikes, values out of range, stuck
                      sensors, gaps, duplicates, resets of counters, patients that get
                      worse, machines that fall silent
  truth_canaries.txt  planted personal data, with --canaries

The same seed and settings give the same bytes.

Into a stream (--to kinesis://STREAM): plays them live. Readings come when they are measured;
a device is their partition key. --rate chooses patients and machines, two to one, that give
about so many; --patients and --machines say so themselves. It goes on for --for, or until
Ctrl-C. What is planted comes within --for, else within --hours, and not in less than an hour
of event time. --speed, --aggregate and --out are as of millrace generate weblog.`,
		Example: `  millrace generate device --out ward --hours 24 --patients 20 --machines 5 --gzip
  millrace run devices --source ward/readings.ndjson.gz --lake out
  millrace generate device --to kinesis://readings --rate 200/s --for 60s
  millrace generate device --to kinesis://readings --speed 60 --start 2026-03-02 --out truth`,
		Args: func(c *cobra.Command, args []string) error {
			return exactArgs(0, "millrace generate device --out DIR or --to kinesis://STREAM")(c, args)
		},
		RunE: func(c *cobra.Command, _ []string) error {
			var err error
			if cfg.Start, err = readStart(start); err != nil {
				return &run.UsageError{Err: err}
			}
			cfg.Length = time.Duration(hours) * time.Hour
			if f.to != "" {
				return playWard(c, &f, cfg, out)
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
			truth, err := devices.WriteFiles(out, cfg, compress)
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(c.OutOrStdout(), "%d lines in %s; what is true of them: %[2]s/truth.json\n", truth.Lines, out)
			return err
		},
	}
	fs := c.Flags()
	fs.SortFlags = false
	fs.StringVar(&out, "out", "", "folder to write to; with --to, for the truth alone")
	fs.Uint64Var(&cfg.Seed, "seed", 1, "seed of everything random")
	fs.IntVar(&hours, "hours", 6, "hours of event time; live those in which something is planted, without --for")
	f.add(c, "live: about how many readings a second of the clock, in place of --patients and --machines")
	fs.IntVar(&cfg.Patients, "patients", 0, "patients, each at a monitor with five vital signs a minute (default 4, -1 for none)")
	fs.IntVar(&cfg.Machines, "machines", 0, "machines, each with 13 readings a minute (default 3, -1 for none)")
	fs.StringVar(&start, "start", "", "first day or time, 2006-01-02 or RFC 3339 (default 2026-03-02, live now)")
	fs.BoolVar(&cfg.Canaries, "canaries", false, "plant personal data in codes and remarks, and list it with the names of patients")
	fs.BoolVar(&compress, "gzip", false, "files: compress the readings")
	return c
}

// playWard plays one, and its hall, to a stream.
func playWard(c *cobra.Command, f *liveFlags, cfg devices.Config, truth string) error {
	if err := f.check(c, []string{"gzip"}, "", 0); err != nil {
		return &run.UsageError{Err: err}
	}
	if f.rate > 0 {
		if cfg.Patients != 0 || cfg.Machines != 0 {
			return usage("--rate chooses patients and machines; leave it out, or --patients and --machines")
		}
		cfg = cfg.ForRate(60 * float64(f.rate) / f.speed)
	}
	script, err := live.Ward(cfg, f.speed, time.Duration(float64(f.length)*f.speed))
	if err != nil {
		return &run.UsageError{Err: err}
	}
	return playLive(c, f.options(script, truth))
}
