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
		Short: "Say how far visitors get in funnels and what else they do, from the events a lake holds",
		Long: `Say how far visitors get in funnels and what else they do, from the events a lake
holds.

For what was thought of after the lake was written: no log is read again, and the
lake stays as it is. Only the columns that the file names are read, on all cores.
The file has one or more of these keys, each with a table of its own:

  funnels          steps of each day, as output funnel_steps of a run has them. A
                   visitor who began on the last day may get further on the next
                   one, which --to leaves out.
  window_funnels   visitors by the level they reach, with ClickHouse's modes:
                   strict_deduplication, strict_order, strict_increase,
                   strict_once, allow_reentry
  retention        visitors who satisfy the first condition, and each other beside it
  sequences        visitors whose events follow a pattern such as
                   (?1)(?t<=3600)(?2), times in seconds; how often, and how long
                   the first match took

Those other than funnels count each visitor once, over all days from --from to --to.
docs/funnels.md has an example of each.`,
		Example: `  millrace funnels --lake out --funnels funnels.yaml
  millrace funnels --lake out --funnels funnels.yaml --from 2026-03-01 --to 2026-03-07`,
		Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if q.Lake == "" || file == "" {
				return usage("--lake and --funnels are needed: the lake to ask, and a YAML file of what is asked (docs/funnels.md); see %s --help", c.CommandPath())
			}
			b, err := settings.ReadFile(file)
			if err != nil {
				return &run.UsageError{Err: fmt.Errorf("--funnels: %w", err)}
			}
			if q.Funnels, q.Questions, err = run.ReadQuestions(b, file); err != nil {
				return err
			}
			if len(q.Funnels)+len(q.Questions) == 0 {
				return &run.UsageError{Err: errors.New("--funnels: the file asks nothing: its lists are empty")}
			}
			return run.AskLake(c.Context(), q, c.OutOrStdout())
		},
	}
	c.Flags().StringVar(&q.Lake, "lake", "", "the lake: a folder or s3://bucket/prefix")
	c.Flags().StringVar(&file, "funnels", "", "YAML file of what is asked; one of funnels alone is as for run")
	c.Flags().StringVar(&q.From, "from", "", "first day (UTC), YYYY-MM-DD")
	c.Flags().BoolVar(&q.CSV, "csv", false, "write CSV, each table with its head and an empty line between two; funnels with the columns of output funnel_steps")
	c.Flags().StringVar(&q.To, "to", "", "last day (UTC), YYYY-MM-DD")
	return c
}
