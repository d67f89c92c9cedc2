package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"millrace/internal/run"
)

func replayCommand() *cobra.Command {
	var o run.ReplayOptions
	c := &cobra.Command{
		Use:   "replay --sink NAME --lake DIR-or-URL",
		Short: "Send rows again that a sink has refused",
		Long: `Send rows again that a sink has refused, after what was wrong is mended.

Rows that a sink of --output NAME=URL will not take are kept in the lake's output
refused, each with the reason. replay sends those of the output NAME to the sink
that refused them. What it takes is noted in the lake (LAKE/_replays) and left out
the next time. Rows go by id and version, so a newer row that the sink has meanwhile
stays, and an interrupted replay can be repeated.

The exit code is 1 when the sink refuses rows again.`,
		Example: `  millrace replay --sink sessions --lake out --dry-run
  millrace replay --sink sessions --lake out
  millrace replay --sink events --lake s3://lake/web --reason invalid --from 2026-03-01
  millrace replay --sink events --lake out --url opensearch://other:9200/weblogs-{day}
  duckdb -c ".read out/_current/views.sql" -c "SELECT output, reason, code, count(*) FROM refused GROUP BY ALL"`,
		Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			done, err := run.Replay(c.Context(), o)
			if done.Found > 0 {
				if _, err := fmt.Fprint(c.OutOrStdout(), done); err != nil {
					return err
				}
			}
			if err == nil && done.Refused > 0 {
				return fmt.Errorf("the sink refuses %d of the rows again", done.Refused)
			}
			return err
		},
	}
	fs := c.Flags()
	fs.SortFlags = false
	fs.StringVar(&o.Output, "sink", "", "output whose refused rows are sent, as in --output NAME=URL")
	fs.StringVar(&o.Lake, "lake", "", "the lake that lists the refused rows")
	fs.StringVar(&o.URL, "url", "", "sink to send them to (default: each to the one that refused it)")
	fs.StringSliceVar(&o.Reasons, "reason", nil, "only rows refused for this reason: invalid, too_large or overload; can be given several times")
	fs.StringVar(&o.From, "from", "", "first UTC day of the rows, as 2006-01-02")
	fs.StringVar(&o.To, "to", "", "last UTC day of the rows")
	fs.BoolVar(&o.Again, "again", false, "rows that an earlier replay has delivered, too")
	fs.BoolVar(&o.DryRun, "dry-run", false, "only count them, by reason")
	return c
}
