package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"millrace/internal/run"
)

func positionsCommand() *cobra.Command {
	var f positionsFlags
	c := &cobra.Command{
		Use:   "positions [NAME] [--lake LAKE]",
		Short: "Write where a new run reads on what runs have read into a lake",
		Long: `Write the positions from which a new run reads on what the runs before it have read
into a lake: each shard behind the last roll that is in the ledger, up to which it
has no hole. Nothing is read twice into the lake and nothing is left out; rolls are
cut on, and late is what would have been late.

It is the way to another number of readers after shards were split or merged, or
after a job was started with too few, and the way on when savepoints and checkpoints
are gone. To change only the parallelism, or where the job runs, stop and resume it.

  1. millrace stop NAME, or cancel; the job must have ended
  2. millrace positions NAME -o positions.json
  3. millrace run with the same job, settings, key and lake, with
     --source 'kinesis://STREAM?start=positions&positions=positions.json'
  4. when the watermark has passed the windows that were open at the change, run a
     backfill of their days over LAKE/raw: such windows have the records of one run
     only. Windows that were sealed before are whole, and stay as they are.

NAME is the name of a run or how it begins; the lake is the one noted at its
submission. With --lake no NAME is needed. The positions go to stdout or to a file;
what to do next is said on stderr.`,
		Example: `  millrace positions weblogs -o positions.json
  millrace positions --lake s3://lake/web --stream access-logs > positions.json
  millrace run weblogs --source 'kinesis://access-logs?start=positions&positions=positions.json' --lake s3://lake/web \
    --mask-key env://MASK_KEY --runner flink --parallelism 4 --detach`,
		Args: func(c *cobra.Command, args []string) error {
			if len(args) == 0 && f.lake == "" {
				return usage("NAME is missing: name the run, or its lake with --lake; see %s --help", c.CommandPath())
			}
			return atMostOneName(c, args)
		},
		RunE: func(c *cobra.Command, args []string) error { return f.run(c, first(args)) },
	}
	fs := c.Flags()
	fs.SortFlags = false
	fs.StringVar(&f.lake, "lake", "", "the lake (default: that of the run NAME, as you have submitted it)")
	fs.StringVar(&f.stream, "stream", "", "the stream that is meant, by name or ARN, when the lake has several")
	fs.BoolVar(&f.reread, "reread", false, "when the ledger has a hole, go on before it: rolls behind it are read once more, and must be cut alike (the same --roll)")
	fs.StringVarP(&f.out, "out", "o", "", "file to write (default: stdout)")
	return c
}

type positionsFlags struct {
	lake, stream, out string
	reread            bool
}

func (f *positionsFlags) run(c *cobra.Command, name string) error {
	lake := f.lake
	if name != "" {
		s, err := run.FindSubmission(c.Context(), f.lake, name)
		if err != nil {
			return err
		}
		lake = s.Options.Lake
	}
	asking, cancel := context.WithTimeout(c.Context(), 10*time.Second)
	defer cancel()
	if job, err := run.Running(asking, lake); err != nil {
		return err
	} else if job != "" {
		return fmt.Errorf("%s still runs and writes %s, so positions would be old at once; stop it first: millrace stop %s", job, lake, job)
	}
	found, err := run.FindPositions(c.Context(), run.PositionsOptions{Lake: lake, Stream: f.stream, Reread: f.reread})
	if err != nil {
		return err
	}
	if err := f.write(c.OutOrStdout(), found.Positions); err != nil {
		return err
	}
	say := tell(c)
	for _, h := range found.Holes {
		say("goes on before a %s", h)
	}
	say("%d shards of %s are read on, %d are at their end", found.Shards, found.Stream, found.Ended)
	if !found.From.IsZero() {
		say("afterwards, for windows that were open: millrace run ... --source %s/raw --lake %s --from %s --to %s",
			lake, lake, found.From.Format(time.DateOnly), found.To.Format(time.DateOnly))
	}
	return nil
}

// write makes the file appear whole or not at all.
func (f *positionsFlags) write(out io.Writer, text []byte) error {
	if f.out == "" {
		_, err := bytes.NewReader(text).WriteTo(out)
		return err
	}
	partial, err := os.CreateTemp(filepath.Dir(f.out), filepath.Base(f.out)+".*.partial")
	if err == nil {
		defer os.Remove(partial.Name())
		_, err = partial.Write(text)
		if fault := partial.Close(); err == nil {
			err = fault
		}
	}
	if err == nil {
		err = os.Rename(partial.Name(), f.out)
	}
	if err != nil {
		return fmt.Errorf("writing the positions: %w", err)
	}
	return nil
}
