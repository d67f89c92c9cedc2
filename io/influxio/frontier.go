package influxio

import (
	"context"
	"errors"
	"math"
	"strconv"
	"sync"
	"time"
)

// frontierFor is how long it is believed that nobody else has written later times.
const frontierFor = time.Second

// frontier is what a sink knows of the times that have no points yet, so that it need not
// ask for those: rows mostly come in the order of time. All times are as in items.
type frontier struct {
	mu    sync.Mutex
	asked time.Time // when the server was asked last
	known int64     // what is later than this had no point then
	lanes []int64   // the latest that each lane has sent
}

func newFrontier(lanes int) *frontier {
	f := &frontier{known: math.MinInt64, lanes: make([]int64, lanes)}
	for i := range f.lanes {
		f.lanes[i] = math.MinInt64
	}
	return f
}

// pass gives the latest time that points of a lane can have, before it sends those of a
// batch, of which last is the latest: the latest that was there when the server was asked,
// whoever had written it, or that the lane has sent since.
func (f *frontier) pass(lane int, last int64, ask func(after int64) (latest int64, err error)) (int64, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if now := time.Now(); now.Sub(f.asked) >= frontierFor {
		latest, err := ask(f.known)
		if err != nil {
			return 0, err
		}
		f.known, f.asked = max(f.known, latest), now
	}
	reached := max(f.known, f.lanes[lane])
	f.lanes[lane] = max(f.lanes[lane], last)
	return reached, nil
}

// latest asks for the latest time later than one that a point of the measurement has; it
// is the one itself if there is none.
func (s *Sink) latest(ctx context.Context, b *batch, after int64) (int64, error) {
	answer, err := s.askVersions(ctx, b, s.config.latestQuery(after))
	if errors.Is(err, errAnswerLong) {
		return math.MaxInt64, nil // no answer to this question, so any time may have one
	}
	latest := after
	for _, found := range answer.series() {
		for _, p := range found.Values {
			latest = max(latest, p.time/s.config.unit())
		}
	}
	return latest, err
}

func (c *config) latestQuery(after int64) string {
	q := append(append(c.appendSelected(nil), ` FROM `...), c.from...)
	if after > math.MinInt64 {
		q = strconv.AppendInt(append(q, ` WHERE time > `...), after*c.unit(), 10)
	}
	return string(append(q, ` ORDER BY time DESC LIMIT 1`...))
}
