package redshiftio

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	mathrand "math/rand/v2"
	"time"
)

// warehouse is a way to Redshift. Its errors are *driver.Error; where a statement
// failed, around a *sqlFault.
type warehouse interface {
	// run runs statements as one transaction, and tells how many rows each changed. A
	// call that comes again under its token runs nothing again, where the way can tell.
	run(ctx context.Context, token string, statements []string) (counts []int64, err error)
	// query gives the rows of a SELECT as texts, nulls empty.
	query(ctx context.Context, sql string) ([][]string, error)
	close()
}

const (
	firstBackoff = 100 * time.Millisecond
	maxBackoff   = 20 * time.Second
)

// backoff is how long to wait before what failed so many times is tried again:
// anything up to a bound that doubles, so that those who failed together do not
// come back together.
func backoff(tries int) time.Duration {
	bound := maxBackoff
	if tries < 8 {
		bound = min(maxBackoff, firstBackoff<<tries)
	}
	return mathrand.N(bound + 1)
}

// wait rests before another try.
func wait(ctx context.Context, tries int) error { return rest(ctx, backoff(tries)) }

func rest(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// insist makes a call until it goes well or fails for good.
func (s *Sink) insist(ctx context.Context, call func() error) error {
	for tries := 0; ; tries++ {
		err := call()
		if ctx.Err() != nil && err != nil {
			return context.Cause(ctx)
		}
		if err == nil || !passes(err) {
			return err
		}
		s.noteFault(ctx, err)
		if err := wait(ctx, tries); err != nil {
			return err
		}
	}
}

// randomText is one that nobody has.
func randomText() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	return hex.EncodeToString(b[:])
}
