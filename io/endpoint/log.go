package endpoint

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/apache/beam/sdks/v2/go/pkg/beam/log"
)

// newLog is the log of a stage: a line of JSON for each event, to the runner's log,
// which adds time and severity. It has no field for what a record holds.
func newLog(run, stage string) *slog.Logger {
	return slog.New(runnerHandler{func(w io.Writer) slog.Handler {
		return slog.NewJSONHandler(w, &slog.HandlerOptions{ReplaceAttr: func(groups []string, a slog.Attr) slog.Attr {
			if len(groups) == 0 && (a.Key == slog.TimeKey || a.Key == slog.LevelKey) {
				return slog.Attr{}
			}
			return a
		}})
	}, workerLog}).With("run", run, "stage", stage)
}

// runnerHandler hands what a handler writes to the runner.
type runnerHandler struct {
	to    func(io.Writer) slog.Handler
	limit *limiter
}

func (h runnerHandler) Enabled(_ context.Context, level slog.Level) bool {
	return level >= slog.LevelInfo
}

// Handle writes a line, unless there were too many. The next one that is written
// tells how many were left out.
func (h runnerHandler) Handle(ctx context.Context, r slog.Record) error {
	leftOut, ok := h.limit.take(r.Time)
	if !ok {
		return nil
	}
	if leftOut > 0 {
		r = r.Clone()
		r.Add("lines_left_out", leftOut)
	}
	var b bytes.Buffer
	if err := h.to(&b).Handle(ctx, r); err != nil {
		return err
	}
	severity := log.SevInfo
	switch {
	case r.Level >= slog.LevelError:
		severity = log.SevError
	case r.Level >= slog.LevelWarn:
		severity = log.SevWarn
	}
	log.Output(ctx, severity, 3, strings.TrimSuffix(b.String(), "\n")) // of who called slog
	return nil
}

func (h runnerHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return runnerHandler{func(w io.Writer) slog.Handler { return h.to(w).WithAttrs(attrs) }, h.limit}
}

func (h runnerHandler) WithGroup(name string) slog.Handler {
	return runnerHandler{func(w io.Writer) slog.Handler { return h.to(w).WithGroup(name) }, h.limit}
}

// workerLog bounds the lines of a worker: an outage of all shards must not fill the
// disk that the TaskManager logs to. 60 a minute of 1 KiB are 85 MiB a day.
var workerLog = &limiter{every: time.Second, most: 60}

// limiter lets so many through at once, and then one at a time.
type limiter struct {
	every time.Duration
	most  int

	mu      sync.Mutex
	used    int
	since   time.Time // used is as of then
	leftOut int
}

// take tells whether one may pass now, and how many could not since the last that
// could.
func (l *limiter) take(now time.Time) (leftOut int, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if back := int(now.Sub(l.since) / l.every); back > 0 {
		l.used, l.since = max(0, l.used-back), now
	}
	if l.used >= l.most {
		l.leftOut++
		return 0, false
	}
	l.used++
	leftOut, l.leftOut = l.leftOut, 0
	return leftOut, true
}
