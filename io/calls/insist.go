package calls

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"millrace/io/driver"
)

const (
	firstBackoff = 50 * time.Millisecond
	maxBackoff   = 10 * time.Second
)

// backoff is how long to wait before what failed so many times is tried again:
// anything up to a bound that doubles, so that those who failed together do not
// come back together.
func backoff(tries int) time.Duration {
	bound := maxBackoff
	if tries < 8 {
		bound = min(maxBackoff, firstBackoff<<tries)
	}
	return rand.N(bound + 1)
}

// Rest waits before what failed so many times is tried again, and fails only when ctx
// ends, with its cause.
func Rest(ctx context.Context, tries int) error {
	timer := time.NewTimer(backoff(tries))
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// Passes tells whether an error can pass by itself.
func Passes(err error) bool {
	return errors.Is(err, driver.ErrThrottled) || errors.Is(err, driver.ErrUnavailable)
}

// Insist makes a call until it goes well or fails for good. It waits for faults that
// pass until ctx ends.
func (s *Sender[C]) Insist(ctx context.Context, call func() error) error {
	for tries := 0; ; tries++ {
		err := call()
		switch {
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case err == nil:
			s.Well()
			return nil
		case !Passes(err):
			return err
		}
		s.Faulty(ctx, err)
		if err := Rest(ctx, tries); err != nil {
			return err
		}
	}
}
