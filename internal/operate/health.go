package operate

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"millrace/internal/progress"
	"millrace/runners/flink/rest"
)

// Finding is something worth knowing about a job, in plain words.
type Finding struct {
	Problem bool   `json:"problem"` // the job is not healthy
	Text    string `json:"text"`
	Cure    string `json:"cure,omitempty"`
}

// Bounds of health. They are wide: a finding that comes and goes is not read.
const (
	// StillAfter is for how long a watermark may not have moved though records came, and
	// the reads of a shard may have failed.
	StillAfter    = 3 * time.Minute
	farBehind     = 15 * time.Minute // a watermark
	startUp       = 3 * time.Minute  // of a job
	recently      = 10 * time.Minute // a failure
	intervals     = 5                // without a checkpoint
	leastPatience = 3 * time.Minute  // with a checkpoint, however short the interval
	largeState    = 1 << 30          // bytes of a checkpoint
)

// judge says what is wrong with a job and what to do about it.
func (s *Status) judge(stands still, stillAfter time.Duration) {
	s.Findings = []Finding{}
	problem := func(cure, format string, a ...any) {
		s.Findings = append(s.Findings, Finding{Problem: true, Text: fmt.Sprintf(format, a...), Cure: cure})
	}
	note := func(cure, format string, a ...any) {
		s.Findings = append(s.Findings, Finding{Text: fmt.Sprintf(format, a...), Cure: cure})
	}
	s.judgeState(problem, note)
	if s.State == rest.Running {
		s.judgeShards(stillAfter, problem, note)
		s.judgeWatermark(stands, stillAfter, problem, note)
		s.judgeCheckpoints(problem, note)
	}
	if c := s.Ledger; c.In >= 1000 && c.Bad*2 > c.In {
		problem("look at the reasons in the lake's bad_rows; is it the right stream for this job?", "%d of %d records are bad", c.Bad, c.In)
	}
	if c := s.Ledger; c.Events >= 1000 && c.Late*10 > c.Events {
		note("a larger --max-disorder waits longer for them; a backfill over the raw archive puts them right", "%d of %d events are late", c.Late, c.Events)
	}
	for _, output := range slices.Sorted(maps.Keys(s.Wrote.Sinks)) {
		if sink := s.Wrote.Sinks[output]; sink.Refused > 0 {
			problem("see why in the lake's output refused, mend it, and send them again: millrace replay --sink "+output+" --lake LAKE",
				"the sink of %s refuses rows: %d of %d", output, sink.Refused, sink.Sent)
		}
	}
	if s.Lake != nil {
		s.Lake.judge(problem, note)
	}
	s.Healthy = true
	for _, f := range s.Findings {
		s.Healthy = s.Healthy && !f.Problem
	}
}

type say func(cure, format string, a ...any)

func (s *Status) judgeState(problem, note say) {
	age := s.Now.Sub(s.Started)
	resume := "millrace resume " + s.Run + " goes on from its last savepoint or checkpoint"
	failed := ""
	if s.Failure != nil {
		failed = ": " + s.Failure.words(s.Now)
	}
	switch s.State {
	case rest.Running:
		if waiting := s.notRunning(); waiting > 0 && age > startUp {
			problem("see whether the cluster has as many free slots as the job's parallelism, and the logs of its TaskManagers",
				"%d of %d stages do not run", waiting, len(s.Stages))
		} else if waiting > 0 {
			note("", "it is starting: %d of %d stages do not run yet", waiting, len(s.Stages))
		}
		if s.Failure != nil && s.Now.Sub(s.Failure.At) < recently {
			problem("Flink started it again by itself; if this repeats, put right what the failure names",
				"it failed %s ago%s", span(s.Now.Sub(s.Failure.At)), failed)
		}
	case rest.Finished:
		note("", "it has ended by itself: the stream's end was reached, or it was stopped with a savepoint")
	case rest.Failed:
		problem("put right what the failure names; then "+resume, "it failed and was not started again%s", failed)
	case rest.Canceled:
		note(resume, "it was cancelled")
	case rest.Suspended:
		problem("see whether the JobManager is up", "it is suspended: its JobManager has let go of it")
	case rest.Failing, rest.Restarting:
		problem("put right what the failure names; Flink keeps trying", "it is being started again, %s so far%s", progress.Of(int64(s.Restarts), "time"), failed)
	default:
		if age > startUp {
			problem("see whether the cluster has free slots: millrace cluster status, or Flink's user interface", "it is %s since %s", s.State, span(age))
		} else {
			note("", "it is starting")
		}
	}
}

// notRunning counts the stages that do not run, or not yet.
func (s *Status) notRunning() (n int) {
	for _, stage := range s.Stages {
		if stage.State != "RUNNING" && stage.State != "FINISHED" {
			n++
		}
	}
	return n
}

func (s *Status) judgeWatermark(stands still, stillAfter time.Duration, problem, note say) {
	switch {
	case s.Sealed:
		note("", "the stream has ended and everything is sealed")
	case stands.For >= stillAfter && stands.Records > 0 && stands.Quiet < stillAfter:
		problem("one shard may hold it back: an empty one with --idle hold, or records whose times stand still; "+
			"when all shards are busy, stop with a savepoint and resume",
			"the watermark has not moved for %s while %s came, so nothing is sealed%s", span(stands.For), progress.Of(stands.Records, "record"), s.holding())
	case stands.For >= stillAfter:
		note("with --idle advance-after=30s the watermark follows the clock when nothing comes", "no record came for %s, and the watermark stands", span(stands.Quiet))
	case s.Watermark == nil && s.Now.Sub(s.Started) > stillAfter && s.Read.Records > 0:
		problem("look at the times of the records: none had one within bounds, or a shard was never read",
			"%s came, but there is no watermark yet, so nothing is sealed%s", progress.Of(s.Read.Records, "record"), s.holding())
	case s.Watermark == nil && s.Now.Sub(s.Started) > stillAfter:
		note("if the stream has any, look for what its readers say in the TaskManagers' logs, and at the start in the source's URL",
			"no record was read in %s", span(s.Now.Sub(s.Started)))
	case s.Lag != nil && *s.Lag > farBehind.Seconds():
		note("look again in a minute: when the lag grows, the job is too slow for its stream: give it more parallelism, and no more readers than shards",
			"the watermark is %s behind: a backlog is being worked off, or records come late", span(time.Duration(*s.Lag*float64(time.Second))))
	}
}

func (s *Status) judgeCheckpoints(problem, note say) {
	c := s.Checkpoints
	patience := max(leastPatience, time.Duration(c.Every*float64(time.Second))*intervals)
	since := s.Now.Sub(s.Started)
	if c.Last != nil {
		since = s.Now.Sub(*c.Last)
	}
	why := ""
	if c.Reason != "" && s.Now.Sub(c.failed) < patience {
		why = ": " + c.Reason
	}
	switch {
	case c.Every == 0 && c.Last == nil: // a batch job
	case since > patience && c.Last == nil:
		problem("see whether workers and TaskManagers can write to the folder of checkpoints", "no checkpoint was completed in %s%s: after a failure it would begin anew", span(since), why)
	case since > patience:
		problem("see whether the folder of checkpoints can be written to and whether a stage is stuck; do not cancel: after a failure all since then is read again",
			"the last checkpoint is %s old%s", span(since), why)
	}
	if c.Size != nil && *c.Size > largeState {
		note("stop it with a savepoint and resume: what the runner keeps of finished reads goes then", "a checkpoint has %s", progress.Bytes(*c.Size))
	}
	if c.Duration != nil && c.Every > 0 && *c.Duration > c.Every {
		note("a longer checkpointing_interval, or stop with a savepoint and resume", "a checkpoint takes %s, longer than the %s between two", span(time.Duration(*c.Duration*float64(time.Second))), span(time.Duration(c.Every*float64(time.Second))))
	}
}

// span is a duration for people: 45 s, 3 min, 2 h 5 min, 3 d 4 h.
func span(d time.Duration) string {
	switch d = max(d, 0).Round(time.Second); {
	case d < 2*time.Minute:
		return fmt.Sprintf("%d s", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%d min", int(d.Minutes()))
	case d < 24*time.Hour:
		return fmt.Sprintf("%d h %d min", int(d.Hours()), int(d.Minutes())%60)
	}
	return fmt.Sprintf("%d d %d h", int(d.Hours())/24, int(d.Hours())%24)
}
