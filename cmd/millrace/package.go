package main

import (
	"fmt"
	"os"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"millrace/internal/progress"
	"millrace/internal/run"
)

func packageCommand() *cobra.Command {
	var f jobFlags
	var out string
	c := &cobra.Command{
		Use:   "package JOB --source URL --lake URL --out job.jar",
		Short: "Write a job as a jar for flink run, with the workers' program inside",
		Long: `Write a job over a stream as a jar for "flink run", with the workers' program inside.

The jar is for clusters that take jobs by flink run alone, as on EMR. It holds the
settings, the options of the runner, where to begin in the stream, and the path of
Beam's boot program, which must be at that path on every TaskManager (--boot, or a
worker pool with --environment external). Nothing is started.

Submit it once: two jobs of one jar read the same stream and write the same rows.
A savepoint to begin from is --savepoint here, not -s of flink run.`,
		Example: `  millrace package weblogs --source kinesis://access-logs --lake s3://lake/web --mask-key env://MASK_KEY \
    --parallelism 4 --boot /opt/millrace/boot --out weblogs.jar
  flink run -d weblogs.jar`,
		Args: atMostOneJob,
		RunE: func(c *cobra.Command, args []string) error {
			o, err := f.read(first(args))
			if err != nil {
				return err
			}
			dir, err := configDir()
			if err != nil {
				return err
			}
			w, err := progress.New(os.Stderr, "plain", false)
			if err != nil {
				return err
			}
			p, err := run.Package(c.Context(), o, dir, out, w)
			if err != nil {
				return err
			}
			t := tabwriter.NewWriter(c.OutOrStdout(), 0, 4, 2, ' ', 0)
			fmt.Fprintf(t, "jar\t%s, %s\n", p.Path, progress.Bytes(p.Bytes))
			fmt.Fprintf(t, "job\t%s\n", p.Name)
			if p.Boot != "" {
				fmt.Fprintf(t, "needs\tBeam's boot program at %s on every TaskManager\n", p.Boot)
			}
			fmt.Fprintf(t, "submit\tflink run -d %s\n", p.Path)
			fmt.Fprintf(t, "then\tmillrace status %s --flink-master HOST:8081\n", p.Run)
			return t.Flush()
		},
	}
	c.Flags().StringVar(&out, "out", "", "the jar to write")
	f.add(c)
	return c
}
