// Package progress shows on a terminal, in a log or to a program how a run goes
// on.
package progress

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"millrace/internal/run"
	"millrace/io/endpoint"
)

// New returns a watcher that writes to w in one of the forms auto, bar (one line
// that is rewritten), plain (a line every few seconds), json (an object a line)
// or none. auto is bar on a terminal and plain elsewhere. quiet says nothing.
func New(w *os.File, form string, quiet bool) (run.Watcher, error) {
	p := &watcher{w: w, form: form}
	switch {
	case quiet || form == "none":
		p.form, p.mute = "none", quiet
	case form == "auto":
		p.form = "plain"
		if st, err := w.Stat(); err == nil && st.Mode()&os.ModeCharDevice != 0 {
			p.form = "bar"
		}
	case form != "bar" && form != "plain" && form != "json":
		return nil, fmt.Errorf("--progress %s: must be auto, bar, plain, json or none", form)
	}
	return p, nil
}

type watcher struct {
	w    io.Writer
	form string
	mute bool // not even notes

	mu      sync.Mutex
	plan    *run.Plan
	started time.Time
	stop    chan struct{}
	stopped chan struct{}
	open    bool // a bar stands on the last line
}

// State is one report of the json form.
type State struct {
	Phase          string  `json:"phase"` // "read" or "write"
	Lines          int64   `json:"lines"`
	LinesPerSecond float64 `json:"lines_per_second"`
	Share          float64 `json:"share"` // of the whole run, 0 to 1
	Seconds        float64 `json:"seconds"`
	ETASeconds     float64 `json:"eta_seconds"` // negative when unknown
	Message        string  `json:"message,omitempty"`
}

func (p *watcher) Say(format string, a ...any) {
	if p.mute {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	message := fmt.Sprintf(format, a...)
	if p.form == "json" {
		p.writeJSON(State{Phase: "note", Message: message, ETASeconds: -1})
		return
	}
	p.clear()
	fmt.Fprintln(p.w, message)
}

func (p *watcher) Start(plan *run.Plan) {
	p.plan, p.started = plan, time.Now()
	if p.form == "none" {
		return
	}
	p.stop, p.stopped = make(chan struct{}), make(chan struct{})
	every := map[string]time.Duration{"bar": 200 * time.Millisecond, "plain": 5 * time.Second, "json": time.Second}[p.form]
	go func() {
		defer close(p.stopped)
		tick := time.NewTicker(every)
		defer tick.Stop()
		for {
			select {
			case <-p.stop:
				return
			case <-tick.C:
				p.show()
			}
		}
	}()
}

func (p *watcher) Done() {
	if p.stop == nil {
		return
	}
	close(p.stop)
	<-p.stopped
	p.mu.Lock()
	defer p.mu.Unlock()
	p.clear()
}

// readShare is how much of a run's time reading takes, about.
const readShare = 0.7

func (p *watcher) state() State {
	now := endpoint.ProgressOf(p.plan.Run)
	s := State{Phase: "read", Lines: now.Records, Seconds: time.Since(p.started).Seconds(), ETASeconds: -1}
	s.LinesPerSecond = float64(s.Lines) / max(s.Seconds, 0.001)
	if p.plan.Bytes > 0 {
		s.Share = readShare * float64(now.Bytes) / float64(p.plan.Bytes)
	}
	if now.Merged > 0 {
		s.Phase = "write"
		s.Share += (1 - readShare) * float64(now.Merged) / float64(max(now.Spilled, now.Merged))
	}
	if s.Share > 0.02 {
		s.ETASeconds = s.Seconds * (1 - s.Share) / s.Share
	}
	return s
}

func (p *watcher) show() {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := p.state()
	switch p.form {
	case "json":
		p.writeJSON(s)
	case "bar":
		const width = 24
		full := min(int(s.Share*width), width)
		fmt.Fprintf(p.w, "\r\x1b[K%s %3.0f%%  %s", "["+repeat('=', full)+repeat(' ', width-full)+"]", 100*s.Share, s.text())
		p.open = true
	default:
		fmt.Fprintf(p.w, "%3.0f%%  %s\n", 100*s.Share, s.text())
	}
}

func (s State) text() string {
	verb := map[string]string{"read": "reading", "write": "writing"}[s.Phase]
	t := fmt.Sprintf("%s  %s lines  %s lines/s", verb, Count(s.Lines), Count(int64(s.LinesPerSecond)))
	if s.ETASeconds >= 0 {
		t += "  " + (time.Duration(s.ETASeconds) * time.Second).String() + " left"
	}
	return t
}

func (p *watcher) writeJSON(s State) {
	b, err := json.Marshal(s)
	if err == nil {
		fmt.Fprintf(p.w, "%s\n", b)
	}
}

func (p *watcher) clear() {
	if p.open {
		fmt.Fprint(p.w, "\r\x1b[K")
		p.open = false
	}
}

func repeat(c byte, n int) string {
	b := make([]byte, max(n, 0))
	for i := range b {
		b[i] = c
	}
	return string(b)
}

// Count writes 1234567 as 1,234,567.
func Count(n int64) string {
	s := fmt.Sprint(n)
	from := 0
	if n < 0 {
		from = 1
	}
	for i := len(s) - 3; i > from; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
