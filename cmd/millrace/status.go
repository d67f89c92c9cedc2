package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"millrace/internal/operate"
	"millrace/internal/run"
)

// unhealthyError makes status end with exit code 1; what is wrong was told.
type unhealthyError struct{ text string }

func (e *unhealthyError) Error() string { return e.text }

// addMaster adds the flag that says which Flink is meant.
func addMaster(fs *pflag.FlagSet, into *string) {
	fs.StringVar(into, "flink-master", "", "host:port of the JobManager's REST API (default: the cluster of millrace cluster up, else "+run.DefaultMaster+")")
}

func statusCommand() *cobra.Command {
	var f statusFlags
	c := &cobra.Command{
		Use:   "status [NAME]",
		Short: "Say how jobs on Flink are doing, and what to do about it",
		Long: `Say how a job on Flink is doing: its state, the watermark (how far events are
sealed) and its lag, records read, the ledger, checkpoints, restarts, the last
failure; and in plain words what is wrong and what to do.

NAME is the name of a job, its run, Flink's id, or how one of them begins. Without
it the jobs are listed. Jobs that have ended stay with Flink for an hour.

The watermark of the job is the least of its stages. "Behind" is event time: some
minutes (--max-disorder) are as it should be. Records, rows, calls made again and
ledger are what the workers counted since Flink last started them; the account that
lasts is the lake's, with --lake.

Of each shard it tells for how long it was not read up to its tip, its watermark,
and since when its reads are refused and with which error; workers tell of that
every five seconds, Flink gives it every ten. A failure of the lake, the stream or a
sink is named so, with the time since when it comes again.

Whether a watermark stands still is told from what an earlier call has seen:
--watch looks again every few seconds, --prometheus each time it is scraped, and
--listen each time that it is asked; /healthz answers 503 while a job is not healthy.

Exit codes: 0 healthy, 1 not healthy or not reachable, 2 usage. A "problem" makes a
job not healthy, a "note" does not; /healthz answers 503 where the exit code is 1.`,
		Example: `  millrace status
  millrace status weblogs --lake s3://lake/web
  millrace status weblogs --watch
  millrace status weblogs --json | jq .watermark_lag_seconds
  millrace status --prometheus > /var/lib/node_exporter/millrace.prom
  millrace status --listen 127.0.0.1:9102`,
		Args: atMostOneName,
		RunE: func(c *cobra.Command, args []string) error { return f.run(c, first(args)) },
	}
	fs := c.Flags()
	fs.SortFlags = false
	addMaster(fs, &f.master)
	fs.StringVar(&f.lake, "lake", "", "also read the ledger of this lake: the last roll of each shard, holes")
	fs.BoolVar(&f.json, "json", false, "write JSON")
	fs.BoolVar(&f.prometheus, "prometheus", false, "write metrics in Prometheus' text format, of all running jobs when no NAME is given")
	fs.BoolVar(&f.watch, "watch", false, "look again every --every until Ctrl-C or until the job ends")
	fs.DurationVar(&f.every, "every", 5*time.Second, "pause of --watch")
	fs.DurationVar(&f.still, "still-after", operate.StillAfter, "a watermark that has not moved for so long while records came is a problem, and a shard whose reads fail for so long")
	fs.StringVar(&f.listen, "listen", "", "serve /metrics, /status and /healthz over HTTP on this host:port until Ctrl-C")
	return c
}

type statusFlags struct {
	master, lake, listen    string
	json, prometheus, watch bool
	every, still            time.Duration
}

func (f *statusFlags) run(c *cobra.Command, name string) error {
	switch {
	case f.json && f.prometheus:
		return usage("--json and --prometheus: choose one")
	case f.watch && f.prometheus:
		return usage("--watch and --prometheus: a scrape is one look; leave --watch out")
	case f.watch && f.every < time.Second:
		return usage("--every %v: must be at least 1s", f.every)
	case f.still < time.Second:
		return usage("--still-after %v: must be at least 1s", f.still)
	case f.watch && name == "":
		return usage("--watch needs the NAME of a job; millrace status lists them")
	case f.listen != "" && (f.watch || f.json || f.prometheus):
		return usage("--listen serves all forms, each time it is asked; leave --watch, --json and --prometheus out")
	case f.lake != "" && name == "":
		return usage("--lake needs the NAME of a job; millrace status lists them")
	}
	client, err := operate.Connect(f.master)
	if err != nil {
		return &run.UsageError{Err: err}
	}
	reader := operate.Reader{Client: client, Lake: f.lake, StillAfter: f.still}
	if cache, err := os.UserCacheDir(); err == nil {
		reader.Memory = filepath.Join(cache, "millrace", "status")
	}
	switch {
	case f.listen != "":
		return serveStatus(c, reader, f.listen, name)
	case name == "" && f.prometheus:
		return scrapeAll(c, reader)
	case name == "":
		return f.list(c, reader)
	}
	for {
		s, err := reader.Read(c.Context(), name)
		if err != nil {
			return usageIfUnclear(err)
		}
		if err := f.write(c.OutOrStdout(), &s); err != nil {
			return err
		}
		if f.watch && !s.State.Ended() {
			select {
			case <-c.Context().Done():
				return nil // looking is all that was interrupted
			case <-time.After(f.every):
			}
			name = s.ID // whatever else begins so by then
			continue
		}
		if !s.Healthy {
			return &unhealthyError{s.Name + " is not healthy"}
		}
		return nil
	}
}

func (f *statusFlags) write(out io.Writer, s *operate.Status) error {
	var b bytes.Buffer // a look appears as a whole
	switch {
	case f.json:
		if err := writeJSON(&b, s, !f.watch); err != nil {
			return err
		}
	case f.prometheus:
		if err := operate.WritePrometheus(&b, s); err != nil {
			return err
		}
	default:
		if f.watch {
			fmt.Fprintf(&b, "\n%s\n", s.Now.UTC().Format(time.RFC3339))
		}
		if err := s.WriteText(&b); err != nil {
			return err
		}
	}
	_, err := b.WriteTo(out)
	return err
}

func writeJSON(out io.Writer, v any, indent bool) error {
	e := json.NewEncoder(out)
	if indent {
		e.SetIndent("", "  ")
	}
	return e.Encode(v)
}

// scrapeAll writes the metrics of all jobs that have not ended.
func scrapeAll(c *cobra.Command, reader operate.Reader) error {
	statuses, err := reader.ReadAll(c.Context())
	if err != nil {
		return err
	}
	if err := operate.WritePrometheus(c.OutOrStdout(), statuses...); err != nil {
		return err
	}
	if !operate.Healthy(statuses) {
		return &unhealthyError{"not every job is healthy"}
	}
	return nil
}

func (f *statusFlags) list(c *cobra.Command, reader operate.Reader) error {
	jobs, err := operate.Jobs(c.Context(), reader.Client)
	if err != nil {
		return err
	}
	if f.json {
		if jobs == nil {
			jobs = []operate.Job{}
		}
		err = writeJSON(c.OutOrStdout(), jobs, true)
	} else {
		err = operate.WriteList(c.OutOrStdout(), jobs, reader.Client.Address())
	}
	if err == nil && !operate.AllWell(jobs) {
		err = &unhealthyError{"a job has failed; look with millrace status NAME"}
	}
	return err
}

// atMostOneName is for verbs that look at one job.
func atMostOneName(c *cobra.Command, args []string) error {
	if len(args) > 1 {
		return usage("one job at a time, but %s follows %s; see %s --help", args[1], args[0], c.CommandPath())
	}
	return nil
}

// oneName is for verbs that need one.
func oneName(c *cobra.Command, args []string) error {
	if len(args) == 0 {
		return &run.UsageError{Err: errors.New("NAME is missing: millrace status lists the jobs; see " + c.CommandPath() + " --help")}
	}
	return atMostOneName(c, args)
}
