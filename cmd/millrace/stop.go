package main

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"millrace/internal/operate"
	"millrace/internal/run"
)

func stopCommand() *cobra.Command {
	var master, folder, lake string
	c := &cobra.Command{
		Use:   "stop NAME",
		Short: "Stop a job on Flink with a savepoint, to resume it later",
		Long: `Stop a job on Flink with a savepoint.

The savepoint holds where the readers stand and what is open: windows, sessions,
rolls. Nothing is lost and nothing is written early; millrace resume goes on from
there, today or within the stream's retention. The job is never drained: that
would close windows that still have events to come.

If the savepoint fails the job runs on. What was noted at its submission, in the
lake and for you, then names the savepoint, so that resuming needs no more than the
name.`,
		Example: `  millrace stop weblogs
  millrace stop weblogs --savepoint-dir s3://lake/savepoints
  millrace resume weblogs`,
		Args: oneName,
		RunE: func(c *cobra.Command, args []string) error {
			client, job, err := findJob(c, master, args[0])
			if err != nil {
				return err
			}
			at := time.Now()
			path, err := operate.Stop(c.Context(), client, job, folder, tell(c))
			if err != nil {
				return err
			}
			fmt.Fprintf(c.OutOrStdout(), "%s is stopped\nsavepoint  %s\n", job.Name, path)
			_, noted, err := run.NoteSavepoint(c.Context(), lake, job, path, at)
			switch {
			case err != nil:
				fmt.Fprintf(c.ErrOrStderr(), "millrace: the savepoint is good, but was not noted: %v\n", err)
				fallthrough
			case !noted:
				// Another user or machine submitted it; its lake has the note of that.
				fmt.Fprintf(c.OutOrStdout(), "resume     millrace resume %s --lake LAKE --savepoint %s\n", job.Run, path)
			case lake != "":
				fmt.Fprintf(c.OutOrStdout(), "resume     millrace resume %s --lake %s\n", job.Run, lake)
			default:
				fmt.Fprintf(c.OutOrStdout(), "resume     millrace resume %s\n", job.Run)
			}
			return nil
		},
	}
	fs := c.Flags()
	fs.SortFlags = false
	addMaster(fs, &master)
	fs.StringVar(&folder, "savepoint-dir", "", "URL of the folder for the savepoint (default: the cluster's state.savepoints.dir)")
	fs.StringVar(&lake, "lake", "", "the job's lake, to note the savepoint there when you did not submit the job yourself")
	return c
}

func findJob(c *cobra.Command, master, name string) (client *operate.Client, job operate.Job, err error) {
	if client, err = operate.Connect(master); err != nil {
		return nil, job, &run.UsageError{Err: err}
	}
	job, err = operate.Find(c.Context(), client, name)
	return client, job, usageIfUnclear(err)
}

// usageIfUnclear makes an error about a name that means several jobs one of usage.
func usageIfUnclear(err error) error {
	if operate.Unclear(err) {
		return &run.UsageError{Err: err}
	}
	return err
}

// tell writes lines to stderr.
func tell(c *cobra.Command) operate.Say {
	return func(format string, a ...any) { fmt.Fprintf(c.ErrOrStderr(), format+"\n", a...) }
}
