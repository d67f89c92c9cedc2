package main

import (
	"github.com/spf13/cobra"

	"millrace/internal/run"
)

func workerPoolCommand() *cobra.Command {
	var listen string
	c := &cobra.Command{
		Use:   "worker-pool",
		Short: "Start workers for the TaskManager beside, as in a pod of Kubernetes",
		Long: `Start the workers of jobs that were submitted with --environment external, until
Ctrl-C or SIGTERM, which end the workers.

It runs beside each TaskManager. Flink asks it for a worker, and it fetches the
job's program from the TaskManager and runs it: with its own environment, so
credentials, region and the file of the masking key have to be here. One pool
serves jobs of any build. A worker ends with its job, its TaskManager or its pool.

Whoever can reach the address can run programs here: let it be one of loopback,
which the containers of a pod share.`,
		Example: `  millrace worker-pool
  millrace run weblogs --source kinesis://access-logs --lake s3://lake/web --mask-key file:///etc/millrace/mask.key \
    --runner flink --environment external --worker-pool localhost:50000`,
		Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error { return run.ServePool(c.Context(), listen, tell(c)) },
	}
	c.Flags().StringVar(&listen, "listen", "127.0.0.1:50000", "host:port where Flink asks for workers")
	return c
}
