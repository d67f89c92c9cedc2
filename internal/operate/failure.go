package operate

import (
	"context"
	"fmt"
	"regexp"
	"strings"
	"time"

	"millrace/internal/progress"
)

// Failure is the last one that restarted or ended the job.
type Failure struct {
	At   time.Time `json:"at"`
	Task string    `json:"task,omitempty"`
	Text string    `json:"text"` // one line
	// Of is whose failure it was: the lake's, the sink's or the stream's, which Text names;
	// empty when it was none of theirs.
	Of string `json:"of,omitempty"`
	// Since is when the first of the failures of this kind came that followed one
	// another, and Times how many Flink remembers of them.
	Since time.Time `json:"since"`
	Times int       `json:"times"`
}

// remembered is how many failures Flink keeps unless it is told otherwise.
const remembered = 16

func (r Reader) readFailures(ctx context.Context, s *Status) error {
	exceptions, err := r.Client.Exceptions(ctx, s.ID, remembered)
	if err != nil || len(exceptions) == 0 {
		return err
	}
	last := exceptions[0]
	f := &Failure{At: last.Time, Task: stageName(last.Task), Text: oneLine(last.Cause), Of: party(last.Cause), Since: last.Time, Times: 1}
	for _, e := range exceptions[1:] {
		if party(e.Cause) != f.Of || f.Since.Sub(e.Time) > recently {
			break
		}
		f.Since = e.Time
		f.Times++
	}
	s.Failure = f
	return nil
}

// refusal is how errors of workers name a place that is not theirs to put right.
var refusal = regexp.MustCompile(`(the lake|the sink) refuses: |(?:read|describe|list the shards of) (kinesis)://`)

func party(text string) string {
	found := refusal.FindStringSubmatch(text)
	switch {
	case found == nil:
		return ""
	case found[2] != "":
		return "the stream"
	}
	return found[1]
}

// words tell of a failure in a sentence: whose it was, since when it comes again, and
// what it was.
func (f *Failure) words(now time.Time) string {
	text := f.Text
	if f.Of == "the lake" || f.Of == "the sink" {
		refuses := f.Of + " refuses: "
		text = refuses + strings.Replace(text, refuses, "", 1) // first, and once
	}
	if f.Times == 1 {
		return text
	}
	return fmt.Sprintf("%s since %s (%s), at last: %s", progress.Of(int64(f.Times), "time"), clock(f.Since), span(now.Sub(f.Since)), text)
}
