package main

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"millrace/internal/operate"
	"millrace/internal/progress"
)

func clusterCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "cluster",
		Short: "Run a Flink cluster on this machine",
		Long: `Run a Flink cluster on this machine: a JobManager and TaskManagers, processes of
their own, in the pinned version that make flink installed. They listen on loopback
only and stay until millrace cluster down.

millrace run --runner flink, status, stop and the other verbs use this cluster when
no --flink-master is given.`,
		Example: `  millrace cluster up --task-managers 2
  millrace run weblogs --source kinesis://access-logs --lake lake --mask-key env://MASK_KEY --runner flink --detach
  millrace status
  millrace cluster down`,
		Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(clusterUpCommand(), clusterDownCommand(), clusterStatusCommand())
	return c
}

func addDir(c *cobra.Command, into *string) {
	c.Flags().StringVar(into, "dir", "", "folder of the cluster (default: millrace/flink in your cache folder)")
}

func clusterUpCommand() *cobra.Command {
	var o operate.ClusterOptions
	var set []string
	c := &cobra.Command{
		Use:   "up",
		Short: "Start the cluster",
		Long: `Start the cluster and wait until it takes jobs, some ten seconds.

Workers are started by the TaskManagers and have their environment: that of this
command, and what --env adds. Credentials and regions of AWS come from there, so
start the cluster where aws works, or name AWS_PROFILE.

Checkpoints and savepoints are kept in the cluster's folder when it goes down.`,
		Example: `  millrace cluster up
  millrace cluster up --task-managers 2 --slots 4 --state-backend rocksdb --task-heap 2048
  millrace cluster up --env AWS_PROFILE=logs --env MASK_KEY="$MASK_KEY"
  millrace cluster up --set state.savepoints.dir=s3://lake/savepoints`,
		Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			for _, s := range set {
				key, value, ok := strings.Cut(s, "=")
				if !ok || key == "" {
					return usage("--set %s: write KEY=VALUE with a setting of Flink, for example --set taskmanager.memory.managed.size=1g", s)
				}
				if o.Config == nil {
					o.Config = map[string]string{}
				}
				o.Config[key] = value
			}
			for _, e := range o.Env {
				if name, _, ok := strings.Cut(e, "="); !ok || name == "" {
					return usage("--env: write NAME=VALUE") // not what was given: it may be a secret
				}
			}
			tell(c)("starting a Flink cluster; Ctrl-C ends it again")
			s, err := operate.Up(c.Context(), o)
			if err != nil {
				return err
			}
			return writeCluster(c.OutOrStdout(), s, true)
		},
	}
	fs := c.Flags()
	fs.SortFlags = false
	addDir(c, &o.Dir)
	fs.IntVar(&o.TaskManagers, "task-managers", 1, "TaskManagers to start")
	fs.IntVar(&o.Slots, "slots", 2, "slots of each: a job takes as many as its parallelism")
	fs.StringVar(&o.StateBackend, "state-backend", "hashmap", "where state lives: hashmap (in the heap) or rocksdb (on disk)")
	fs.IntVar(&o.RestPort, "rest-port", 0, "port of the REST API and user interface (default: any free one)")
	fs.IntVar(&o.TaskHeap, "task-heap", 700, "MiB of each TaskManager for state and operators; workers take theirs beside")
	fs.StringArrayVar(&set, "set", nil, "a setting of Flink: KEY=VALUE (repeatable; wins over all above)")
	fs.StringArrayVar(&o.Env, "env", nil, "a variable for the workers: NAME=VALUE (repeatable)")
	fs.StringVar(&o.Home, "flink-home", "", "folder with Flink's and Beam's pinned parts (default $MILLRACE_FLINK_HOME, or what make flink installed)")
	return c
}

func clusterDownCommand() *cobra.Command {
	var dir string
	c := &cobra.Command{
		Use:   "down",
		Short: "End the cluster",
		Long: `End the cluster, its TaskManagers and the workers these have started.

Jobs that run end without a savepoint: stop those to be resumed with millrace stop.
Checkpoints, savepoints and logs stay in the folder.`,
		Example: `  millrace cluster down`,
		Args:    noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			running, where, err := operate.Down(c.Context(), dir)
			if err != nil {
				return err
			}
			fmt.Fprintf(c.OutOrStdout(), "the cluster in %s is down; its checkpoints, savepoints and logs are still there\n", where)
			if running > 0 {
				fmt.Fprintf(c.OutOrStdout(), "%s ran on it and ended without a savepoint; millrace resume goes on from the last checkpoint\n", progress.Of(int64(running), "job"))
			}
			return nil
		},
	}
	addDir(c, &dir)
	return c
}

func clusterStatusCommand() *cobra.Command {
	var dir string
	var asJSON bool
	c := &cobra.Command{
		Use:     "status",
		Short:   "Say whether the cluster is up, and where",
		Example: `  millrace cluster status --json | jq -r .master`,
		Args:    noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			s, err := operate.LookAt(c.Context(), dir)
			if err != nil {
				return err
			}
			if asJSON {
				err = writeJSON(c.OutOrStdout(), s, true)
			} else {
				err = writeCluster(c.OutOrStdout(), s, false)
			}
			if err == nil && s.TaskManagers == 0 {
				err = &unhealthyError{"the cluster has no TaskManager: see " + s.Logs + ", then millrace cluster down and up"}
			}
			return err
		},
	}
	addDir(c, &dir)
	c.Flags().BoolVar(&asJSON, "json", false, "write JSON")
	return c
}

func writeCluster(out io.Writer, s operate.ClusterState, teach bool) error {
	w := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
	fmt.Fprintf(w, "flink\t%s, user interface and REST API at %s\n", s.Flink, s.REST)
	fmt.Fprintf(w, "slots\t%d of %d free on %s, %s running\n", s.FreeSlots, s.Slots, progress.Of(int64(s.TaskManagers), "TaskManager"), progress.Of(int64(s.Running), "job"))
	fmt.Fprintf(w, "folder\t%s (checkpoints, savepoints, logs)\n", s.Dir)
	if err := w.Flush(); err != nil || !teach {
		return err
	}
	if s.Dir != operate.DefaultDir() {
		_, err := fmt.Fprintf(out, "\nnext\n  millrace run JOB --source kinesis://STREAM --lake LAKE --mask-key env://NAME --runner flink --flink-master %s --detach\n  millrace status --flink-master %s\n  millrace cluster down --dir %s\n", s.Master, s.Master, s.Dir)
		return err
	}
	_, err := fmt.Fprint(out, "\nnext\n  millrace run JOB --source kinesis://STREAM --lake LAKE --mask-key env://NAME --runner flink --detach\n  millrace status\n  millrace cluster down\n")
	return err
}
