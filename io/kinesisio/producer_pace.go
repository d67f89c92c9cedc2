package kinesisio

import (
	"context"
	"math/rand/v2"
	"time"
)

const (
	firstBackoff = 50 * time.Millisecond
	maxRetry     = 10 * time.Second
	firstPause   = 10 * time.Millisecond
	maxPause     = 2 * time.Second
)

// backoff is how long to wait before what failed so many times is tried again:
// anything up to a bound that doubles, so that those who failed together do not
// come back together.
func backoff(tries int) time.Duration {
	bound := maxRetry
	if tries < 8 {
		bound = min(maxRetry, firstBackoff<<tries)
	}
	return rand.N(bound + 1)
}

// rest waits, and tells whether ctx lets go on.
func rest(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// pace keeps a distance between puts that grows when the service throttles them
// and shrinks when it does not. Its zero value keeps none.
type pace struct{ pause time.Duration }

// throttled widens the distance.
func (p *pace) throttled() { p.pause = min(maxPause, max(firstPause, 2*p.pause)) }

// passed narrows it, and gives it.
func (p *pace) passed() time.Duration {
	if p.pause -= p.pause / 8; p.pause < firstPause/2 {
		p.pause = 0
	}
	return p.pause
}
