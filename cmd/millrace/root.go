package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"millrace/internal/run"
)

func root() *cobra.Command {
	c := &cobra.Command{
		Use:   "millrace",
		Short: "Turn logs and events into clean, masked, analysed data",
		Long: `millrace turns logs and events into clean, masked, analysed data.

One job definition serves a backfill over files and, later, a live stream: the
same records give the same rows. Every record read is accounted for in a ledger;
a run that does not balance fails. Personal data is masked before a row exists.

  millrace run weblogs --source 'file:///var/log/apache2/access*.log*' --lake out
  millrace plan weblogs --source ... --lake out     what that would do, touching nothing
  millrace report --lake out                        draw the report again

Exit codes: 0 done, 1 failed, 2 usage, 3 the ledger does not balance.`,
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          cobra.NoArgs,
		RunE:          func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		return &run.UsageError{Err: fmt.Errorf("%w; see %s --help", err, c.CommandPath())}
	})
	c.AddCommand(runCommand(), planCommand(), reportCommand(), generateCommand(), jobsCommand(), endpointsCommand(), versionCommand())
	c.CompletionOptions.HiddenDefaultCmd = true
	return c
}

// exactArgs is cobra.ExactArgs with a usage error that says what to write.
func exactArgs(n int, write string) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if len(args) != n {
			return &run.UsageError{Err: fmt.Errorf("write %s; see %s --help", write, c.CommandPath())}
		}
		return nil
	}
}
