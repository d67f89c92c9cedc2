package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"millrace/internal/run"
	"millrace/internal/settings"
)

func funnelsCommand() *cobra.Command {
	var q run.LakeQuestion
	var file string
	c := &cobra.Command{
		Use:   "funnels --lake DIR-or-URL --funnels FILE",
		Short: "Say how far visitors get in funnels, from the events a lake holds",
		Long: `Say how far visitors get in funnels, from the events a lake holds.

For funnels that were thought of after the lake was written: no log is read again,
and the lake stays as it is. Only the columns that the funnels name are read, on
all cores. The table has the steps of each day as output funnel_steps of a run
with these funnels has them. A visitor who began on the last day may get further
on the next one, which --to leaves out.`,
		Example: `  millrace funnels --lake out --funnels funnels.yaml
  millrace funnels --lake out --funnels funnels.yaml --from 2026-03-01 --to 2026-03-07`,
		Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if q.Lake == "" || file == "" {
				return usage("--lake and --funnels are needed: the lake to ask, and a YAML file of funnels (docs/funnels.md); see %s --help", c.CommandPath())
			}
			b, err := settings.ReadFile(file)
			if err != nil {
				return &run.UsageError{Err: fmt.Errorf("--funnels: %w", err)}
			}
			defs, err := run.ReadFunnels(b, file)
			if err != nil {
				return err
			}
			if len(defs) == 0 {
				return &run.UsageError{Err: errors.New("--funnels: the file has no funnels")}
			}
			q.Funnels = defs
			return run.AskLake(c.Context(), q, c.OutOrStdout())
		},
	}
	c.Flags().StringVar(&q.Lake, "lake", "", "the lake: a folder or s3://bucket/prefix")
	c.Flags().StringVar(&file, "funnels", "", "YAML file of funnels, as for run")
	c.Flags().StringVar(&q.From, "from", "", "first day (UTC), YYYY-MM-DD")
	c.Flags().BoolVar(&q.CSV, "csv", false, "write CSV, with the columns of output funnel_steps")
	c.Flags().StringVar(&q.To, "to", "", "last day (UTC), YYYY-MM-DD")
	return c
}
