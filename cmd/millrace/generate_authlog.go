package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"millrace/internal/generate"
	"millrace/internal/run"
)

func generateAuthLogCommand() *cobra.Command {
	var cfg generate.AuthConfig
	var out, start string
	var compress bool
	c := &cobra.Command{
		Use:   "authlog --out DIR",
		Short: "Make the log of authentication of a simulated host, into files",
		Long: `Make the log of sshd of a host where people log in and others guess passwords, fast
and slowly, some of them with success, as lines of syslog without a year, and beside
it truth.json: the attacks, and the day on which the log ends.

The same seed and settings give the same bytes.`,
		Example: `  millrace generate authlog --out host --days 7 --attacks 50 --gzip
  millrace run authlogs --source host/auth.log.gz --format 'syslog until=2025-03-10' --lake out`,
		Args: func(c *cobra.Command, args []string) error {
			return exactArgs(0, "millrace generate authlog --out DIR")(c, args)
		},
		RunE: func(c *cobra.Command, _ []string) error {
			if out == "" {
				return usage("--out is missing: name the folder to write to; see %s --help", c.CommandPath())
			}
			var err error
			if cfg.Start, err = readStart(start); err != nil {
				return &run.UsageError{Err: err}
			}
			if err := cfg.Validate(); err != nil {
				return &run.UsageError{Err: err}
			}
			truth, err := generate.WriteAuthLog(out, cfg, compress)
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(c.OutOrStdout(), "%d lines in %s, to be read as 'syslog until=%s'; what is true of them: %[2]s/truth.json\n", truth.Lines, out, truth.Until)
			return err
		},
	}
	fs := c.Flags()
	fs.SortFlags = false
	fs.StringVar(&out, "out", "", "folder to write to")
	fs.Uint64Var(&cfg.Seed, "seed", 1, "seed of everything random")
	fs.IntVar(&cfg.Days, "days", 2, "days of event time")
	fs.IntVar(&cfg.Users, "users", 40, "people who log in about three times a day")
	fs.IntVar(&cfg.Attacks, "attacks", 24, "clients that guess passwords; every fourth one slowly")
	fs.StringVar(&start, "start", "", "first day, 2006-01-02 (default 2025-03-03)")
	fs.BoolVar(&compress, "gzip", false, "compress the log")
	return c
}
