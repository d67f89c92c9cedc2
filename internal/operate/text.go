package operate

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"millrace/internal/progress"
	"millrace/runners/flink/rest"
)

// WriteText writes a status for people.
func (s *Status) WriteText(out io.Writer) error {
	w := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
	line := func(name, format string, a ...any) { fmt.Fprintf(w, "%s\t%s\n", name, fmt.Sprintf(format, a...)) }
	line("job", "%s", s.Name)
	line("id", "%s", s.ID)
	until := s.Now
	if s.Ended != nil {
		until = *s.Ended
	}
	line("state", "%s, started %s (%s), %s", s.State, clock(s.Started), span(until.Sub(s.Started)), progress.Of(int64(s.Restarts), "restart"))
	line("parallelism", "%d", s.Parallelism)
	switch {
	case s.Watermark != nil:
		line("watermark", "%s, %s behind", clock(*s.Watermark), seconds(s.Lag))
	case s.Sealed:
		line("watermark", "the end: everything is sealed")
	default:
		line("watermark", "none yet")
	}
	line("read", "%s, %s, %s in the lake", progress.Of(s.Read.Records, "record"), progress.Bytes(s.Read.Bytes), progress.Of(s.Read.Rolls, "roll"))
	c := s.Ledger
	line("ledger", "in %s = events %s + bad %s + duplicate %s + skipped %s; late %s", progress.Count(c.In), progress.Count(c.Events),
		progress.Count(c.Bad), progress.Count(c.Duplicate), progress.Count(c.Skipped), progress.Count(c.Late))
	line("written", "%s", s.Wrote.words())
	for _, output := range slices.Sorted(maps.Keys(s.Wrote.Sinks)) {
		sink := s.Wrote.Sinks[output]
		line("sent", "%s: %s, %s of them refused; %s made again", output, progress.Of(sink.Sent, "row"), progress.Count(sink.Refused), progress.Of(sink.Retries, "call"))
	}
	line("made again", "%s to the stream, %s of them refused for their rate; %s to the lake", progress.Of(s.Read.Retries, "call"), progress.Count(s.Read.Throttled), progress.Count(s.Wrote.Retries))
	s.checkpointText(line)
	if s.Failure != nil {
		line("last failure", "%s, %s", clock(s.Failure.At), s.Failure.Text)
	}
	if s.Lake != nil {
		s.Lake.text(line)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if err := s.shardText(out); err != nil {
		return err
	}
	if err := s.stageText(out); err != nil {
		return err
	}
	return s.findingText(out)
}

func (s *Status) checkpointText(line func(name, format string, a ...any)) {
	c := s.Checkpoints
	if c.Last == nil {
		line("checkpoints", "none completed, %d failed", c.Failed)
	} else {
		line("checkpoints", "last %s ago, %s in %.1f s; %d completed, %d failed", seconds(c.Age), progress.Bytes(*c.Size), *c.Duration, c.Completed, c.Failed)
	}
	if c.Restored != "" {
		line("resumed from", "%s", c.Restored)
	}
}

// words are the rows of each output.
func (w *Writing) words() string {
	var parts []string
	for _, output := range slices.Sorted(maps.Keys(w.Rows)) {
		parts = append(parts, output+" "+progress.Count(w.Rows[output]))
	}
	if parts == nil {
		return "no rows yet"
	}
	return "rows: " + strings.Join(parts, ", ")
}

func (l *Lake) text(line func(name, format string, a ...any)) {
	balanced := "it balances"
	if !l.Balanced {
		balanced = "IT DOES NOT BALANCE"
	}
	line("lake", "%s: %s of %s, %s: %s", l.Location, progress.Of(int64(l.Rolls), "roll"), progress.Of(int64(len(l.Shards)), "shard"), l.Ledger, balanced)
	const most = 8
	for i, s := range l.Shards {
		if i == most {
			line("", "and %s more", progress.Of(int64(len(l.Shards)-most), "shard"))
			break
		}
		what := "last roll reaches to"
		if s.Closed {
			what = "closed, up to"
		}
		line("", "shard %.12s: %s %s, %s ago; %s", s.Identity, what, clock(s.Last), span(time.Duration(s.Age*float64(time.Second))), progress.Of(s.Records, "record"))
	}
	for i, b := range l.Breaks {
		if i == most {
			line("", "and %d more like these", len(l.Breaks)-most)
			break
		}
		line("", "%s", b)
	}
}

func (s *Status) stageText(out io.Writer) error {
	w := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
	fmt.Fprint(w, "\nstage\tsubtasks\tstate\twatermark\tbehind\telements in\tout\tmade again\n")
	for _, stage := range s.Stages {
		name, mark, behind := stage.Name, "-", "-"
		if stage.Source {
			name += " (reads the stream)"
		}
		if stage.Watermark != nil {
			mark, behind = clock(*stage.Watermark), seconds(stage.Lag)
		} else if stage.final {
			mark = "end"
		}
		fmt.Fprintf(w, "%s\t%d\t%s\t%s\t%s\t%s\t%s\t%s\n", name, stage.Parallelism, strings.ToLower(stage.State), mark, behind, progress.Count(stage.In), progress.Count(stage.Out), progress.Count(stage.Retries))
	}
	return w.Flush()
}

func (s *Status) findingText(out io.Writer) error {
	var b strings.Builder
	b.WriteByte('\n')
	if s.Healthy {
		b.WriteString("healthy\n")
	} else {
		b.WriteString("NOT HEALTHY\n")
	}
	for _, f := range s.Findings {
		sign := "note"
		if f.Problem {
			sign = "problem"
		}
		fmt.Fprintf(&b, "  %s: %s\n", sign, f.Text)
		if f.Cure != "" {
			fmt.Fprintf(&b, "    -> %s\n", f.Cure)
		}
	}
	_, err := io.WriteString(out, b.String())
	return err
}

// WriteList writes jobs as a table.
func WriteList(out io.Writer, jobs []Job, where string) error {
	if len(jobs) == 0 {
		_, err := fmt.Fprintf(out, "no job of millrace at %s; start one with millrace run JOB --runner flink\n", where)
		return err
	}
	w := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
	fmt.Fprint(w, "job\tstate\tstarted\tended\tid\n")
	for _, j := range jobs {
		ended := "-"
		if j.Ended != nil {
			ended = clock(*j.Ended)
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", j.Name, j.State, clock(j.Started), ended, j.ID)
	}
	return w.Flush()
}

// AllWell tells whether no job of a list has failed without a successor that runs.
func AllWell(jobs []Job) bool {
	runs := map[string]bool{}
	for _, j := range jobs { // the first of a run is the one that counts
		if !runs[j.Run] && (j.State == rest.Failed || j.State == rest.Suspended) {
			return false
		}
		runs[j.Run] = true
	}
	return true
}

// clock is a time for people.
func clock(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05Z") }

func seconds(s *float64) string {
	if s == nil {
		return "-"
	}
	return span(time.Duration(*s * float64(time.Second)))
}
