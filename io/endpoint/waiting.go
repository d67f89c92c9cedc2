package endpoint

import (
	"context"
	"crypto/rand"
	"strings"
	"sync"
	"time"

	"millrace/io/lakeio"
)

// waiting notes in a lake that a sink has not taken rows for a while. It is told of
// retries by several goroutines, and must hold up none of them.
type waiting struct {
	lake, run, output, id string
	after, every          time.Duration // when the first note is due, and the others

	mu    sync.Mutex
	since time.Time // of the first retry since rows were taken; zero for none
	noted time.Time
	busy  bool
	notes sync.WaitGroup
}

func newWaiting(lake, run, output string) *waiting {
	return &waiting{lake: lake, run: run, output: output, id: output + "-" + strings.ToLower(rand.Text()[:8]), after: 20 * time.Second, every: 30 * time.Second}
}

// again is told of a call that failed and is made again.
func (w *waiting) again(ctx context.Context, fault error) {
	now := time.Now().UTC()
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.since.IsZero() {
		w.since = now
	}
	if w.lake == "" || w.busy || now.Sub(w.since) < w.after || now.Sub(w.noted) < w.every {
		return
	}
	w.busy, w.noted = true, now
	note := lakeio.Waiting{Output: w.output, Since: w.since, Noted: now, Error: fault.Error()}
	w.notes.Go(func() {
		// Without the note the job waits all the same, and the log says so.
		if store, err := lakeio.OpenStore(ctx, w.lake); err == nil {
			_ = lakeio.NoteWaiting(ctx, store, w.run, w.id, note)
		}
		w.mu.Lock()
		defer w.mu.Unlock()
		w.busy = false
	})
}

// over is told that rows were taken, or will not be any more.
func (w *waiting) over(ctx context.Context) {
	w.mu.Lock()
	noted := !w.noted.IsZero()
	w.since, w.noted = time.Time{}, time.Time{}
	w.mu.Unlock()
	if !noted {
		return
	}
	w.notes.Wait()
	if store, err := lakeio.OpenStore(ctx, w.lake); err == nil {
		_ = lakeio.EndWaiting(ctx, store, w.run, w.id) // it grows old by itself
	}
}
