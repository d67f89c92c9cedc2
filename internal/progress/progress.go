// Package progress shows on a terminal, in a log or to a program how a run goes
// on. It knows nothing of runs but the numbers of a Snapshot.
package progress

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"sync"
	"time"
)

// Forms are the forms that New knows.
var Forms = []string{"auto", "bar", "plain", "json", "none"}

// Reporter writes reports. Say may be called at any time, from any goroutine;
// Start and Done frame what is to be watched.
type Reporter struct {
	form string
	mute bool // not even notes
	now  func() time.Time

	mu      sync.Mutex
	w       io.Writer
	started time.Time
	open    bool // a bar stands on the last line
	stop    chan struct{}
	stopped chan struct{}
}

// New returns a reporter that writes to w in one of the forms auto, bar (one line
// that is rewritten), plain (a line every few seconds), json (an object a line)
// or none (notes only). auto is bar on a terminal and plain elsewhere. A quiet
// reporter says nothing, not even notes.
func New(w *os.File, form string, quiet bool) (*Reporter, error) {
	if !slices.Contains(Forms, form) {
		return nil, fmt.Errorf("--progress %s: must be one of %s", form, strings.Join(Forms, ", "))
	}
	if form == "auto" {
		form = "plain"
		if isTerminal(w) {
			form = "bar"
		}
	}
	if quiet {
		form = "none"
	}
	return newReporter(w, form, quiet), nil
}

func newReporter(w io.Writer, form string, mute bool) *Reporter {
	return &Reporter{w: w, form: form, mute: mute, now: time.Now}
}

// isTerminal is true for a terminal that can move its cursor.
func isTerminal(w *os.File) bool {
	st, err := w.Stat()
	return err == nil && st.Mode()&os.ModeCharDevice != 0 && w.Name() != os.DevNull && os.Getenv("TERM") != "dumb"
}

// Say writes one line worth telling.
func (r *Reporter) Say(format string, a ...any) {
	if r.mute {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	message := fmt.Sprintf(format, a...)
	if r.form == "json" {
		r.object(State{Phase: "note", Message: message, ETASeconds: -1})
		return
	}
	r.clear()
	fmt.Fprintln(r.w, message)
}

// Start reports what snapshot says, again and again, until Done.
func (r *Reporter) Start(snapshot func() Snapshot) {
	r.started = r.now()
	every := map[string]time.Duration{"bar": 200 * time.Millisecond, "plain": 5 * time.Second, "json": time.Second}[r.form]
	if every == 0 || r.stop != nil {
		return
	}
	r.stop, r.stopped = make(chan struct{}), make(chan struct{})
	go func() {
		defer close(r.stopped)
		tick := time.NewTicker(every)
		defer tick.Stop()
		for {
			select {
			case <-r.stop:
				return
			case <-tick.C:
				r.show(snapshot())
			}
		}
	}()
}

// Done ends what Start began and leaves the terminal's line empty. It may be
// called more than once.
func (r *Reporter) Done() {
	if r.stop == nil {
		return
	}
	close(r.stop)
	<-r.stopped
	r.stop = nil
	r.mu.Lock()
	defer r.mu.Unlock()
	r.clear()
}

func (r *Reporter) show(now Snapshot) {
	r.mu.Lock()
	defer r.mu.Unlock()
	s := stateOf(now, r.now().Sub(r.started))
	switch r.form {
	case "json":
		r.object(s)
	case "bar":
		fmt.Fprint(r.w, clearLine+s.bar())
		r.open = true
	default:
		fmt.Fprintln(r.w, s.plain())
	}
}

func (r *Reporter) object(s State) {
	if b, err := json.Marshal(s); err == nil {
		fmt.Fprintf(r.w, "%s\n", b)
	}
}

// clearLine goes to the start of the line and clears it.
const clearLine = "\r\x1b[K"

func (r *Reporter) clear() {
	if r.open {
		fmt.Fprint(r.w, clearLine)
		r.open = false
	}
}
