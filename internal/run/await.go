package run

import (
	"context"
	"errors"
	"time"
)

// grace is how long a runner has to end after a run was cancelled or has failed.
const grace = 10 * time.Second

var errNotEnded = errors.New("the runner did not end in time after the run had failed")

// await waits for a runner. Once the run is cancelled or failing its result is
// known, so a runner that does not come to an end is left behind.
func await(ctx context.Context, failing <-chan struct{}, run func() error) error {
	done := make(chan error, 1)
	go func() { done <- run() }()
	select {
	case err := <-done:
		return err
	case <-failing:
	case <-ctx.Done():
	}
	select {
	case err := <-done:
		return err
	case <-time.After(grace):
		return errNotEnded
	}
}
