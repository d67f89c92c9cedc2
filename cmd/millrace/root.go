package main

import "github.com/spf13/cobra"

func root() *cobra.Command {
	c := &cobra.Command{
		Use:   "millrace",
		Short: "Turn logs and events into clean, masked, analysed data",
		Long: `millrace turns logs and events into clean, masked, analysed data.

One job definition serves a backfill over files and, later, a live stream: the
same records give the same rows. Every record read is accounted for in a ledger;
a run that does not balance fails. Personal data is masked before a row exists.

  millrace jobs show weblogs      what a job makes, and its settings
  millrace plan weblogs ...       what a run would read, write and keep
  millrace doctor weblogs ...     whether everything it needs is there
  millrace run weblogs ...        run it
  millrace report --lake out      draw the lake's report again
  millrace funnels --lake out ... how far visitors get, of the lake's events
  millrace replay --sink NAME ... send rows again that a sink has refused

  millrace cluster up             run a Flink cluster on this machine
  millrace status                 how jobs on Flink are doing
  millrace stop, resume           stop one with a savepoint, and go on

Exit codes: 0 done; 1 failed: something could not be read or written; 2 usage: the
command or a setting is wrong; 3 the ledger does not balance. After 1, 2 and 3 the
lake is as it was.`,
		Example:       `  millrace run weblogs --source 'file:///var/log/apache2/access*.log*' --lake out`,
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          noArgs,
		RunE:          func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.SetFlagErrorFunc(flagError)
	c.AddCommand(runCommand(), planCommand(), doctorCommand(), replayCommand(), reportCommand(), funnelsCommand(), generateCommand(), jobsCommand(), endpointsCommand(), ddlCommand(), versionCommand())
	c.AddCommand(maskCommand(), policyCommand(), keyCommand(), revealCommand())
	c.AddCommand(statusCommand(), stopCommand(), resumeCommand(), cancelCommand(), savepointCommand(), positionsCommand(), packageCommand(), clusterCommand(), workerPoolCommand(), nabCommand())
	c.CompletionOptions.HiddenDefaultCmd = true
	return c
}
