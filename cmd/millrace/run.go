package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime/pprof"

	"github.com/spf13/cobra"

	"millrace/internal/progress"
	"millrace/internal/run"
	"millrace/io/endpoint"
)

func runCommand() *cobra.Command {
	var f jobFlags
	var quiet bool
	var form, profile string
	c := &cobra.Command{
		Use:   "run JOB --source URL --lake DIR-or-URL",
		Short: "Run a job",
		Long: `Run a job over its source and write its outputs into a lake.

The run is all or nothing: its files appear in the lake together, when the
ledger balances; after an error the lake is as it was. The same command again
gives the same bytes. Ctrl-C stops cleanly, a second one at once; either way the
same command carries on.

Days that the inputs touch are replaced as a whole. A day that also holds rows of
an input this run does not read is refused, so that nothing is lost by accident;
--from and --to name days to be replaced all the same.

From a stream (kinesis://) the run is live: it goes on until the stream's end
(until= in its URL) or Ctrl-C. Files appear as their records are complete, each
with its part of the ledger; rows of windows and sessions when the watermark has
sealed them, equal to those of a backfill over the raw archive. With --runner
flink the job runs on a Flink cluster and survives what runs there; without, in
this process, it keeps nothing to resume from. See docs/live.md.`,
		Example: `  millrace run weblogs --source 'file:///var/log/apache2/access*.log*' --lake out
  millrace run weblogs --source s3://logs/web/ --lake s3://lake/web --mask-key env://MASK_KEY
  millrace run weblogs --source access.log.gz --lake out --set sessions.gap=20m
  millrace run weblogs --source 'logs/*.gz' --lake out --from 2026-03-01 --to 2026-03-07
  millrace run weblogs --source 's3://logs/AWSLogs/123456789012/elasticloadbalancing/' --lake out
  millrace run weblogs --source '/var/log/nginx/access.log*' --format nginx@/etc/nginx/nginx.conf#main --lake out
  millrace run weblogs --source 'app/*.ndjson.gz' --format json@mapping.yaml --lake out
  millrace run --config weblogs.yaml
  millrace run weblogs --source 'kinesis://access-logs?until=tip' --lake out
  millrace run weblogs --source kinesis://access-logs --lake s3://lake/web --mask-key env://MASK_KEY --runner flink --parallelism 4 --detach`,
		Args: atMostOneJob,
		RunE: func(c *cobra.Command, args []string) error {
			o, dir, err := f.request(first(args))
			if err != nil {
				return err
			}
			w, err := progress.New(os.Stderr, form, quiet)
			if err != nil {
				return &run.UsageError{Err: err}
			}
			stop, err := startProfile(profile)
			if err != nil {
				return err
			}
			defer stop()
			done, err := run.Execute(c.Context(), o, dir, w)
			if errors.Is(err, context.Canceled) || err != nil && errors.Is(err, context.Cause(c.Context())) {
				if endpoint.IsStream(o.Source) {
					return errors.New("interrupted; what has appeared in the lake stays. The run kept no position to go on from: on Flink, end jobs with millrace stop, and millrace resume goes on")
				}
				return errors.New("interrupted; the lake is as it was, and the same command carries on")
			}
			if err != nil || quiet {
				return err
			}
			_, err = fmt.Fprint(c.OutOrStdout(), done.Summary())
			return err
		},
	}
	f.add(c)
	c.Flags().BoolVarP(&quiet, "quiet", "q", false, "say nothing but errors")
	c.Flags().StringVar(&form, "progress", "auto", "progress on stderr: auto, bar, plain, json or none")
	c.Flags().BoolVar(&f.options.NoReport, "no-report", false, "do not draw LAKE/report.html")
	c.Flags().StringVar(&profile, "cpuprofile", "", "write a CPU profile of the run for go tool pprof")
	return c
}

// startProfile profiles until stop is called; path may be empty.
func startProfile(path string) (stop func(), err error) {
	if path == "" {
		return func() {}, nil
	}
	f, err := os.Create(path)
	if err != nil {
		return nil, &run.UsageError{Err: fmt.Errorf("--cpuprofile: %w", err)}
	}
	if err := pprof.StartCPUProfile(f); err != nil {
		return nil, fmt.Errorf("profiling: %w", err)
	}
	return func() { pprof.StopCPUProfile(); _ = f.Close() }, nil
}

func planCommand() *cobra.Command {
	var f jobFlags
	c := &cobra.Command{
		Use:   "plan JOB --source URL --lake DIR-or-URL",
		Short: "Say what a run would read, write and keep; touch nothing",
		Long: `Say what a run would read, write and keep; touch nothing.

The plan reads the beginning of each input and the state of the lake. It finds the
same faults that a run would find before it starts, and takes the same flags.`,
		Example: `  millrace plan weblogs --source 'logs/*.gz' --lake out
  millrace plan --config weblogs.yaml`,
		Args: atMostOneJob,
		RunE: func(c *cobra.Command, args []string) error {
			o, dir, err := f.request(first(args))
			if err != nil {
				return err
			}
			text, err := run.Describe(c.Context(), o, dir)
			if err != nil {
				return err
			}
			_, err = fmt.Fprint(c.OutOrStdout(), text)
			return err
		},
	}
	f.add(c)
	return c
}

func first(args []string) string {
	if len(args) == 0 {
		return ""
	}
	return args[0]
}
