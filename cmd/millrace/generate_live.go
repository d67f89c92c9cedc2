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

// liveFlags are those of playing live, for every schema.
type liveFlags struct {
	to        string
	rate      rateFlag
	length    time.Duration
	speed     float64
	aggregate bool
}

// add adds them to a command whose lines have a name; what --rate is for files, too, if
// anything, its caller says.
func (f *liveFlags) add(c *cobra.Command, rate string) {
	fs := c.Flags()
	fs.StringVar(&f.to, "to", "", "stream to play to instead, for example kinesis://access-logs?region=eu-west-1")
	fs.Var(&f.rate, "rate", rate)
	fs.DurationVar(&f.length, "for", 0, "live: how long to play, for example 60s")
	fs.Float64Var(&f.speed, "speed", 1, "live: seconds of event time in a second of the clock")
	fs.BoolVar(&f.aggregate, "aggregate", true, "live: pack lines into aggregated records")
}

// forFiles reports flags that are for playing alone, where nothing is played.
func (f *liveFlags) forFiles(c *cobra.Command, more ...string) error {
	for _, name := range append([]string{"for", "speed", "aggregate"}, more...) {
		if c.Flags().Changed(name) {
			return usage("--%s is for playing live: give --to kinesis://STREAM, too", name)
		}
	}
	return nil
}

// check reports flags that do not fit together when something is played. files are those
// that are for files alone, all is what bounds how many lines there are: name and value.
func (f *liveFlags) check(c *cobra.Command, files []string, all string, limit int64) error {
	for _, name := range files {
		if c.Flags().Changed(name) {
			if all == "" {
				return fmt.Errorf("--%s is for files; live, --for says how long to play", name)
			}
			return fmt.Errorf("--%s is for files; live, --for says how long to play and --%s how much", name, all)
		}
	}
	if scheme, _, ok := strings.Cut(f.to, "://"); !ok || scheme != "kinesis" {
		return fmt.Errorf("--to %s: live lines go to Kinesis; write --to kinesis://STREAM", f.to)
	}
	switch {
	case f.speed <= 0:
		return fmt.Errorf("--speed %g: write a number above zero, for example 60 for a minute of event time a second", f.speed)
	case !c.Flags().Changed("for"):
	case f.length <= 0:
		return fmt.Errorf("--for %s: write a duration such as 60s or 10m", f.length)
	case limit > 0:
		return fmt.Errorf("--for and --%s are both given, and with --rate one says the other; leave one out", all)
	}
	return nil
}

// total is how many lines come in --for at a rate, which says no number when it is not
// given.
func (f *liveFlags) total(rate float64) int64 {
	if f.length == 0 {
		return 0
	}
	return max(1, int64(math.Round(rate*f.length.Seconds())))
}

// playLive plays to a stream.
func playLive(c *cobra.Command, o live.Options) error {
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

// options are those of what a script plays.
func (f *liveFlags) options(script *live.Script, truth string) live.Options {
	return live.Options{Script: script, Stream: f.to, Speed: f.speed, Plain: !f.aggregate, TruthDir: truth}
}

// generateLive plays the farm to a stream.
func generateLive(c *cobra.Command, f *generateFlags) error {
	if err := f.check(c, []string{"days", "gzip", "redeliver"}, "lines", f.cfg.Lines); err != nil {
		return &run.UsageError{Err: err}
	}
	o := f.options(nil, f.out)
	o.Farm = f.cfg
	if n := f.total(o.WithDefaults().Farm.Rate); n > 0 {
		o.Farm.Lines = n
	}
	return playLive(c, o)
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
