package main

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"millrace/internal/generate/devices"
	"millrace/internal/run"
)

func generateDeviceCommand() *cobra.Command {
	var cfg devices.Config
	var out, start string
	var hours int
	var compress bool
	c := &cobra.Command{
		Use:   "device --out DIR",
		Short: "Make the readings of simulated patients and machines, into files",
		Long: `Make the readings of a ward of patients at monitors and of a hall of machines, as
JSON lines, and beside them the truth, for checking a job against it:
  truth.json          counts; what was planted: spikes, values out of range, stuck
                      sensors, gaps, duplicates, resets of counters, patients that get
                      worse, machines that fall silent
  truth_canaries.txt  planted personal data, with --canaries

The same seed and settings give the same bytes.`,
		Example: `  millrace generate device --out ward --hours 24 --patients 20 --machines 5 --gzip
  millrace run devices --source ward/readings.ndjson.gz --lake out`,
		Args: func(c *cobra.Command, args []string) error {
			return exactArgs(0, "millrace generate device --out DIR")(c, args)
		},
		RunE: func(c *cobra.Command, _ []string) error {
			if out == "" {
				return usage("--out is missing: name the folder to write to; see %s --help", c.CommandPath())
			}
			if start != "" {
				t, err := time.Parse(time.DateOnly, start)
				if err != nil {
					return usage("--start %s: write 2006-01-02", start)
				}
				cfg.Start = t
			}
			cfg.Length = time.Duration(hours) * time.Hour
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
	fs.StringVar(&out, "out", "", "folder to write to")
	fs.Uint64Var(&cfg.Seed, "seed", 1, "seed of everything random")
	fs.IntVar(&hours, "hours", 6, "hours of event time")
	fs.IntVar(&cfg.Patients, "patients", 0, "patients, each at a monitor with five vital signs a minute (default 4, -1 for none)")
	fs.IntVar(&cfg.Machines, "machines", 0, "machines, each with 13 readings a minute (default 3, -1 for none)")
	fs.StringVar(&start, "start", "", "first day, 2006-01-02 (default 2026-03-02)")
	fs.BoolVar(&cfg.Canaries, "canaries", false, "plant personal data in codes and remarks, and list it with the names of patients")
	fs.BoolVar(&compress, "gzip", false, "compress the readings")
	return c
}
