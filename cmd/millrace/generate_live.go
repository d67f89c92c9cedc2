package main

import (
	"fmt"
	"io"
	"math"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"millrace/internal/generate/live"
	"millrace/internal/progress"
	"millrace/internal/run"
)

// generateLive plays the farm to a stream.
func generateLive(c *cobra.Command, f *generateFlags) error {
	o, err := f.live(c)
	if err != nil {
		return &run.UsageError{Err: err}
	}
	if err := o.Validate(); err != nil {
		return &run.UsageError{Err: err}
	}
	stop := func() {}
	o.Watch = func(status func() live.Status) { stop = showStatus(c.ErrOrStderr(), status) }
	sum, err := live.Run(c.Context(), o)
	stop()
	if sum.Accepted > 0 || err == nil {
		tellSummary(c.OutOrStdout(), &o, &sum)
	}
	return err
}

// live makes options of the flags.
func (f *generateFlags) live(c *cobra.Command) (live.Options, error) {
	o := live.Options{Farm: f.cfg, Stream: f.to, Speed: f.speed, Plain: !f.aggregate, TruthDir: f.out}
	for _, name := range []string{"days", "gzip", "redeliver"} {
		if c.Flags().Changed(name) {
			return o, fmt.Errorf("--%s is for files; live, --for says how long to play and --lines how much", name)
		}
	}
	if scheme, _, ok := strings.Cut(f.to, "://"); !ok || scheme != "kinesis" {
		return o, fmt.Errorf("--to %s: a live farm plays to Kinesis; write --to kinesis://STREAM", f.to)
	}
	switch {
	case f.speed <= 0:
		return o, fmt.Errorf("--speed %g: write a number above zero, for example 60 for a minute of event time a second", f.speed)
	case !c.Flags().Changed("for"):
	case f.length <= 0:
		return o, fmt.Errorf("--for %s: write a duration such as 60s or 10m", f.length)
	case o.Farm.Lines > 0:
		return o, fmt.Errorf("--for and --lines are both given, and with --rate one says the other; leave one out")
	default:
		o.Farm.Lines = max(1, int64(math.Round(o.WithDefaults().Farm.Rate*f.length.Seconds())))
	}
	return o, nil
}

// tellSummary says how a run ended.
func tellSummary(w io.Writer, o *live.Options, sum *live.Summary) {
	how := ""
	if sum.Interrupted {
		how = "interrupted: "
	}
	fmt.Fprintf(w, "%s%s acknowledged by %s, in %s (%s), in %s", how, lines(sum.Acknowledged), o.Stream,
		progress.Of(sum.Records, "record"), progress.Bytes(sum.Bytes), sum.Took.Round(100*time.Millisecond))
	if n := sum.Pending(); n > 0 {
		fmt.Fprintf(w, "; %s made and not acknowledged, of which %s may be in the stream", lines(n), progress.Count(sum.Uncertain))
	}
	if sum.Truth {
		fmt.Fprintf(w, "; what is true of them: %s/truth.json", o.TruthDir)
	}
	fmt.Fprintln(w)
}

func lines(n int64) string { return progress.Of(n, "line") }

// showStatus writes how a run goes on: on a terminal in one line that is
// rewritten, else a line every ten seconds. The function returned ends it.
func showStatus(w io.Writer, status func() live.Status) (stop func()) {
	every, begin, end := 10*time.Second, "", "\n"
	if isTerminal(w) {
		every, begin, end = 500*time.Millisecond, "\r\x1b[K", ""
	}
	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		tick := time.NewTicker(every)
		defer tick.Stop()
		last, at := int64(0), time.Now()
		for {
			select {
			case <-done:
				fmt.Fprint(w, begin)
				return
			case now := <-tick.C:
				s := status()
				rate := float64(s.Acknowledged-last) / now.Sub(at).Seconds()
				last, at = s.Acknowledged, now
				fmt.Fprint(w, begin, statusLine(s, rate), end)
			}
		}
	}()
	return func() { close(done); <-ended }
}

// statusLine is for people; rate is that of the last while.
func statusLine(s live.Status, rate float64) string {
	line := fmt.Sprintf("%s acknowledged, %s a second, %s in %s", lines(s.Acknowledged), progress.Count(int64(math.Round(rate))), progress.Bytes(s.Bytes), s.Passed.Round(time.Second))
	if s.Behind >= time.Second {
		line += fmt.Sprintf("; %s behind the clock", s.Behind.Round(100*time.Millisecond))
	}
	if s.Throttled > 0 {
		line += fmt.Sprintf("; throttled %s", progress.Of(s.Throttled, "time"))
	}
	if s.Fault != "" {
		line += "; retrying: " + s.Fault
	}
	return line
}

func isTerminal(w io.Writer) bool {
	file, ok := w.(*os.File)
	if !ok || os.Getenv("TERM") == "dumb" {
		return false
	}
	st, err := file.Stat()
	return err == nil && st.Mode()&os.ModeCharDevice != 0 && file.Name() != os.DevNull
}
