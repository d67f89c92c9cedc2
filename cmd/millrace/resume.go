package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"millrace/internal/progress"
	"millrace/internal/run"
)

func resumeCommand() *cobra.Command {
	var lake, savepoint, form string
	var quiet, attached bool
	c := &cobra.Command{
		Use:   "resume [NAME] [--lake LAKE] [-- flags of millrace run]",
		Short: "Go on with a job on Flink from its savepoint or last checkpoint",
		Long: `Submit a job again as it was submitted, from where it left off: the savepoint it was
stopped with, or, when it died or was cancelled, the newest checkpoint it has kept.

How it was submitted is noted in its lake, and in your cache folder if it was you.
NAME is the name of a run or how it begins; with --lake it may be left out if the
lake has one run.

Where the readers stand is in the savepoint, a state for each reader. So the job
must be the same: same source, settings and number of readers. What says where it
runs may follow after --, as flags of millrace run: --parallelism, --flink-master,
--flink-option, --job-server, --environment, --boot, --worker, --worker-pool,
--flink-home, --mask-key (another place of the same key). A new build of millrace
may resume the savepoint of an older one.

Another parallelism spreads the readers that the job was started with (--readers).
It can be up to the job's max_parallelism, 16 unless it was started with more; from 1
only for jobs that were started with 2 readers or more. For more readers, or when it
cannot be, see millrace positions.

The program returns once Flink runs the job; --attach follows it.`,
		Example: `  millrace resume weblogs
  millrace resume --lake s3://lake/web
  millrace resume weblogs --savepoint s3://lake/savepoints/savepoint-9c52df-2c2a3d9ee9a0
  millrace resume weblogs -- --parallelism 4
  millrace resume weblogs -- --flink-master 10.0.0.7:8081 --flink-option state_backend=rocksdb`,
		Args: func(c *cobra.Command, args []string) error {
			return resumeArgs(c, args, lake)
		},
		RunE: func(c *cobra.Command, args []string) error {
			name, extra := splitDash(c, args)
			s, err := run.FindSubmission(c.Context(), lake, first(name))
			if err != nil {
				return err
			}
			if err := s.Fits(); err != nil {
				return err
			}
			o, err := again(s, extra)
			if err != nil {
				return err
			}
			o.Flink.Detach = !attached
			if o.Flink.Savepoint = savepoint; savepoint == "" {
				if o.Flink.Savepoint, err = s.Resumable(c.Context()); err != nil {
					return err
				}
			}
			dir, err := configDir()
			if err != nil {
				return err
			}
			w, err := progress.New(os.Stderr, form, quiet)
			if err != nil {
				return &run.UsageError{Err: err}
			}
			w.Say("resuming %s from %s", s.Run, o.Flink.Savepoint)
			done, err := run.Execute(c.Context(), o, dir, w)
			if errors.Is(err, context.Canceled) {
				return fmt.Errorf("interrupted; the job may have been handed over: look with millrace status %s", s.Run)
			}
			if err != nil || quiet {
				return err
			}
			if done.Detached == "" {
				_, err = fmt.Fprint(c.OutOrStdout(), done.Summary())
				return err
			}
			_, err = fmt.Fprintf(c.OutOrStdout(), "%s runs, resumed from %s\nlook with millrace status %s\n", done.Detached, o.Flink.Savepoint, s.Run)
			return err
		},
	}
	fs := c.Flags()
	fs.SortFlags = false
	fs.StringVar(&lake, "lake", "", "the lake of the run, where its submission is noted (default: what you have submitted yourself)")
	fs.StringVar(&savepoint, "savepoint", "", "savepoint or checkpoint to resume from (default: the last)")
	fs.BoolVar(&attached, "attach", false, "follow the job; Ctrl-C cancels it then")
	fs.BoolVarP(&quiet, "quiet", "q", false, "say nothing but errors")
	fs.StringVar(&form, "progress", "plain", "progress on stderr: auto, bar, plain, json or none")
	return c
}

// splitDash parts the arguments before -- from those after it.
func splitDash(c *cobra.Command, args []string) (before, after []string) {
	if at := c.ArgsLenAtDash(); at >= 0 {
		return args[:at], args[at:]
	}
	return args, nil
}

func resumeArgs(c *cobra.Command, args []string, lake string) error {
	name, _ := splitDash(c, args)
	switch {
	case len(name) > 1:
		return usage("one job at a time, but %s follows %s; flags of millrace run come after --; see %s --help", name[1], name[0], c.CommandPath())
	case len(name) == 0 && lake == "":
		return usage("NAME is missing: name the run, or its lake with --lake; see %s --help", c.CommandPath())
	}
	return nil
}

// movable are the flags that say where a job runs; all others say what it is.
var movable = []string{"parallelism", "flink-master", "flink-option", "job-server", "environment", "boot", "worker", "worker-pool", "flink-home", "mask-key", "lake"}

// again are the options of a submission with what has changed about where it runs.
func again(s run.Submission, flags []string) (run.Options, error) {
	var f jobFlags
	c := &cobra.Command{Use: "millrace run"}
	c.SetFlagErrorFunc(flagError)
	f.add(c)
	f.options = s.Options // after add, which sets the defaults
	f.options.Flink.Options = nil
	f.options.Flink.Readers = cmp.Or(s.Options.Flink.Readers, max(s.Options.Flink.Parallelism, 1))
	f.options.Flink.MaxParallelism = s.Options.Flink.Bound()
	if err := c.ParseFlags(flags); err != nil {
		return f.options, flagError(c, err)
	}
	if rest := c.Flags().Args(); len(rest) > 0 {
		return f.options, usage("after -- come flags of millrace run, and %s is none", rest[0])
	}
	var faults []error
	c.Flags().Visit(func(flag *pflag.Flag) {
		switch {
		case slices.Contains(movable, flag.Name):
		case flag.Name == "readers":
			if asked, had := f.options.Flink.Readers, cmp.Or(s.Options.Flink.Readers, max(s.Options.Flink.Parallelism, 1)); asked != had {
				faults = append(faults, fmt.Errorf("--readers %d: the job was started with %d, and a savepoint holds where each of them stands. "+
					"For another number start a new run that reads on at positions: millrace positions %s", asked, had, s.Run))
			}
		case flag.Name == "savepoint":
			faults = append(faults, errors.New("--savepoint belongs before --"))
		case flag.Name == "detach":
			faults = append(faults, errors.New("--detach is how resume works; to follow the job write --attach before --"))
		default:
			faults = append(faults, fmt.Errorf("--%s says what the job is, and a resumed job is the same; for another one start a new run with millrace run. What may follow --: --%s", flag.Name, strings.Join(movable, ", --")))
		}
	})
	if err := errors.Join(faults...); err != nil {
		return f.options, &run.UsageError{Err: err}
	}
	o, err := f.read(s.Options.Job)
	o.Flink.Options = slices.Concat(s.Options.Flink.Options, o.Flink.Options) // later ones win
	if err != nil {
		return o, err
	}
	had := s.Options.Flink
	had.Options, had.MaxParallelism = o.Flink.Options, o.Flink.MaxParallelism
	if why := had.Resize(o.Flink.Parallelism); why != nil {
		return o, usage("--parallelism %d: %w. For another start a new run that reads on at positions: millrace positions %s", o.Flink.Parallelism, why, s.Run)
	}
	return o, nil
}
