package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"millrace/internal/operate"
)

func savepointCommand() *cobra.Command {
	var master, folder string
	c := &cobra.Command{
		Use:   "savepoint NAME",
		Short: "Take a savepoint of a job on Flink that goes on",
		Long: `Take a savepoint of a job on Flink that goes on, for example before an upgrade.

The job writes on, so a resumption from here reads what came since again and
replaces it in the lake. To stop and resume without that: millrace stop.`,
		Example: `  millrace savepoint weblogs --savepoint-dir s3://lake/savepoints`,
		Args:    oneName,
		RunE: func(c *cobra.Command, args []string) error {
			client, job, err := findJob(c, master, args[0])
			if err != nil {
				return err
			}
			path, err := operate.Savepoint(c.Context(), client, job, folder, tell(c))
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(c.OutOrStdout(), "savepoint  %s\nresume     millrace resume %s --savepoint %s\n", path, job.Run, path)
			return err
		},
	}
	fs := c.Flags()
	fs.SortFlags = false
	addMaster(fs, &master)
	fs.StringVar(&folder, "savepoint-dir", "", "URL of the folder for the savepoint (default: the cluster's state.savepoints.dir)")
	return c
}
