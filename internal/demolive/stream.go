package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"millrace/internal/localservers"
	"millrace/internal/operate"
	"millrace/internal/progress"
)

const (
	// The farm writes lines up to eight seconds late, some twice and some broken;
	// the job waits half a minute for them.
	maxDisorder = "30s"

	lookEvery = 5 * time.Second
	// patience is how long a run may take beyond the end of its stream.
	patience = 4 * time.Minute
)

// stream runs the job over the stream while the farm writes to it.
func (d *demo) stream(ctx context.Context) error {
	until := time.Now().Add(d.until).UTC().Truncate(time.Second)
	ctx, cancel := context.WithDeadlineCause(ctx, until.Add(patience), fmt.Errorf("the run over the stream did not end within %v of its end", patience))
	defer cancel()
	farm, err := d.place().Start(ctx, "generate", nil, d.millrace, "generate", "weblog", "--to", "kinesis://"+streamName,
		"--rate", d.rate, "--for", d.play.String(), "--disorder", "5s", "--shuffle", "3s", "--duplicates", "0.01", "--malformed", "0.005")
	if err != nil {
		return err
	}
	run, err := d.place().Start(ctx, "run", func(line string) { d.step("run: %s", line) }, d.millrace, "run", "weblogs",
		"--source", fmt.Sprintf("kinesis://%s?start=trim_horizon&until=%s", streamName, until.Format(time.RFC3339)),
		"--lake", d.path("lake"), "--mask-key", d.key, "--max-disorder", maxDisorder, "--idle", "hold",
		"--runner", "flink", "--parallelism", fmt.Sprint(parallelism), "--progress", "none",
		"--flink-master", d.servers.cluster.Master(), "--flink-home", d.servers.flink.Dir)
	if err != nil {
		farm.Quit()
		return err
	}
	d.step("the farm writes %s for %v; the job reads until %s and is submitted now", d.rate, d.play, until.Format(time.TimeOnly))
	if err := d.watch(ctx, farm, run, until); err != nil {
		return err
	}
	d.step("the live run is over")
	fmt.Fprintf(d.say, "\n%s\n", indent(run.Stdout.String()))
	return nil
}

const slow = "the machine is busy and the farm was slow: what it wrote after %s is not read"

// watch tells how the run goes on until it has ended; both programs have then.
func (d *demo) watch(ctx context.Context, farm, run *localservers.Program, until time.Time) error {
	client, err := operate.Connect(d.servers.cluster.Master())
	if err != nil {
		return err
	}
	look := time.NewTicker(lookEvery)
	defer look.Stop()
	playing := farm.Ended()
	for {
		select {
		case <-playing:
			playing = nil
			if err := farm.Wait(); err != nil && ctx.Err() == nil {
				run.Quit()
				return err
			}
			d.step("%s", strings.TrimSpace(farm.Stdout.String()))
			if time.Now().After(until) {
				d.step(slow, until.Format(time.TimeOnly))
			}
		case <-run.Ended():
			if playing != nil {
				if run.Wait() == nil {
					d.step(slow, until.Format(time.TimeOnly))
				}
				farm.Quit()
			}
			return run.Wait()
		case <-look.C:
			// A job that is not there yet, or not any more, is nothing to tell.
			if s, err := (operate.Reader{Client: client}).Read(ctx, "weblogs"); err == nil {
				d.step("%s", state(&s))
			}
		}
	}
}

// state is a line on how a job is doing.
func state(s *operate.Status) string {
	text := fmt.Sprintf("Flink: %s, %s read, %s events", strings.ToLower(string(s.State)), progress.Of(s.Read.Records, "line"), progress.Count(s.Ledger.Events))
	switch {
	case s.Sealed:
		text += ", everything sealed"
	case s.Watermark != nil:
		text += fmt.Sprintf(", sealed up to %s, %.0f s behind", s.Watermark.Format(time.TimeOnly), *s.Lag)
	}
	if s.Restarts > 0 {
		text += fmt.Sprintf(", %s", progress.Of(int64(s.Restarts), "restart"))
	}
	return text
}

func indent(text string) string {
	return "    " + strings.ReplaceAll(strings.TrimSpace(text), "\n", "\n    ")
}
