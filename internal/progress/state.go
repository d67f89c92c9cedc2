package progress

import (
	"fmt"
	"strings"
	"time"
)

// Snapshot is how far a run is at one moment.
type Snapshot struct {
	Total   int64 // stored bytes to read; 0 when unknown
	Bytes   int64 // of them read
	Lines   int64 // read
	Spilled int64 // rows that the lines became
	Merged  int64 // of them in finished files
	Closing bool  // everything is written; the run commits and draws the report
	// Waiting says who does not take rows and why; Waited for how long. Empty when the run
	// goes on.
	Waiting string
	Waited  time.Duration
}

// State is one report of the json form.
type State struct {
	Phase          string  `json:"phase"` // "read", "write", "close" or "note"
	Lines          int64   `json:"lines"`
	LinesPerSecond float64 `json:"lines_per_second"` // since the start
	Share          float64 `json:"share"`            // of the whole run, 0 to 1
	Seconds        float64 `json:"seconds"`
	ETASeconds     float64 `json:"eta_seconds"`       // negative when unknown
	Waiting        string  `json:"waiting,omitempty"` // for whom and for what fault
	WaitedSeconds  float64 `json:"waited_seconds,omitempty"`
	Message        string  `json:"message,omitempty"`
}

const (
	// readShare is how much of a run's time reading takes, about.
	readShare = 0.7
	// closeShare is left for what comes after the last row.
	closeShare = 0.01
	// earliest is the share from which on the rest can be estimated.
	earliest = 0.02
)

// stateOf judges a snapshot that was taken some time after the start.
func stateOf(now Snapshot, elapsed time.Duration) State {
	s := State{Phase: "read", Lines: now.Lines, Seconds: elapsed.Seconds(), ETASeconds: -1, Waiting: now.Waiting, WaitedSeconds: now.Waited.Seconds()}
	if s.Seconds > 0 {
		s.LinesPerSecond = float64(s.Lines) / s.Seconds
	}
	if now.Total > 0 {
		s.Share = readShare * min(1, float64(now.Bytes)/float64(now.Total))
	}
	switch {
	case now.Closing:
		s.Phase, s.Share = "close", 1-closeShare
	case now.Merged > 0:
		s.Phase = "write"
		s.Share = readShare + (1-readShare-closeShare)*min(1, float64(now.Merged)/float64(max(now.Spilled, 1)))
	}
	if s.Share > earliest && !now.Closing && s.Waiting == "" {
		s.ETASeconds = s.Seconds * (1 - s.Share) / s.Share
	}
	return s
}

// text is the state for people, without the share.
func (s State) text() string {
	var parts []string
	switch s.Phase {
	case "read":
		parts = []string{"reading", Count(s.Lines) + " lines", Count(int64(s.LinesPerSecond)) + " lines/s"}
	case "write":
		parts = []string{"writing", Count(s.Lines) + " lines read"}
	default:
		parts = []string{"finishing", Count(s.Lines) + " lines read"}
	}
	if s.Waiting != "" {
		waited := time.Duration(s.WaitedSeconds * float64(time.Second)).Round(time.Second)
		parts = append(parts, "waiting "+waited.String()+" for "+s.Waiting)
	}
	if s.ETASeconds >= 0 {
		left := max(time.Second, time.Duration(s.ETASeconds*float64(time.Second)).Round(time.Second))
		parts = append(parts, "about "+left.String()+" left")
	}
	return strings.Join(parts, "  ")
}

const barWidth = 24

func (s State) bar() string {
	full := min(int(s.Share*barWidth), barWidth)
	return fmt.Sprintf("[%s%s] %3.0f%%  %s", strings.Repeat("=", full), strings.Repeat(" ", barWidth-full), 100*s.Share, s.text())
}

func (s State) plain() string { return fmt.Sprintf("%3.0f%%  %s", 100*s.Share, s.text()) }
