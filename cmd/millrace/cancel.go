package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"millrace/internal/operate"
)

func cancelCommand() *cobra.Command {
	var master string
	c := &cobra.Command{
		Use:   "cancel NAME",
		Short: "End a job on Flink at once, without a savepoint",
		Long: `End a job on Flink at once, without a savepoint.

Its last checkpoint stays, and millrace resume goes on from there: what came since
is read again, and replaces what is in the lake. Use millrace stop where you can;
cancel is for jobs that cannot take a savepoint.`,
		Example: `  millrace cancel weblogs`,
		Args:    oneName,
		RunE: func(c *cobra.Command, args []string) error {
			client, job, err := findJob(c, master, args[0])
			if err != nil {
				return err
			}
			if err := operate.Cancel(c.Context(), client, job); err != nil {
				return err
			}
			fmt.Fprintf(c.OutOrStdout(), "%s is cancelled\n", job.Name)
			from, err := operate.NewestCheckpoint(c.Context(), client, job.ID, "")
			if err != nil {
				_, err = fmt.Fprintln(c.OutOrStdout(), "it has left no checkpoint: resuming begins where this submission began")
				return err
			}
			_, err = fmt.Fprintf(c.OutOrStdout(), "checkpoint %s\nresume     millrace resume %s\n", from, job.Run)
			return err
		},
	}
	addMaster(c.Flags(), &master)
	return c
}
