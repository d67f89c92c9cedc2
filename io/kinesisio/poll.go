package kinesisio

import (
	"context"
	"math/rand/v2"
	"time"
)

// pacer spaces the calls for a shard's records: the service bears five calls and
// 2 MiB a second of each shard, from all who read it.
type pacer struct {
	every  time.Duration
	rate   int64 // bytes a second
	next   time.Time
	factor int // by how much the calls are rarer, since the service refused some
}

const maxPaceFactor = 16

// spend counts a call begun then that brought so many bytes.
func (p *pacer) spend(begun time.Time, bytes int) {
	pause := max(p.every*time.Duration(max(1, p.factor)), time.Duration(float64(bytes)/float64(p.rate)*float64(time.Second)))
	p.next = begun.Add(pause)
}

// refused makes calls rarer; allowed makes them denser again.
func (p *pacer) refused() { p.factor = min(max(1, p.factor)*2, maxPaceFactor) }

func (p *pacer) allowed() {
	if p.factor > 1 {
		p.factor--
	}
}

// retryPause is how long to wait after so many failures in a row: a random time of
// up to a quarter second, doubled each time, 30 s at most.
func retryPause(failures int) time.Duration {
	most := min(30*time.Second, 250*time.Millisecond<<min(failures, 10))
	return most/4 + time.Duration(rand.Int64N(int64(most)))*3/4
}

// pause waits and tells whether ctx lives still.
func pause(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return ctx.Err() == nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
