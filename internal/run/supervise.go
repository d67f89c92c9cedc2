package run

import (
	"context"
	"errors"
	"fmt"
	"time"

	"millrace/internal/operate"
	"millrace/runners/flink/fault"
	"millrace/runners/flink/rest"
)

// A supervised job that is lost begins again at its newest checkpoint: one that
// Flink has given up, and one that its JobManager has forgotten when it was started
// anew without high availability.
const (
	leastPause = 2 * time.Second // before a lost job begins again; doubled while that is futile
	mostPause  = 2 * time.Minute
	// futileTimes is how often in a row a job may be lost before it has made a
	// checkpoint of its own.
	futileTimes = 5
	// forgotten is how long a JobManager may not know a job: one that has just
	// started may be about to take it up.
	forgotten = 20 * time.Second
)

// lostError says that a supervised job is not there any more, and nobody wished so.
type lostError struct {
	id    string // Flink's; empty when it never came that far
	cause error
}

func (e *lostError) Error() string { return e.cause.Error() }
func (e *lostError) Unwrap() error { return e.cause }

var errForgotten = errors.New("its JobManager was started anew and does not know it")

// attend waits for the end of a supervised job, by Flink's REST interface alone: a
// JobManager that goes away is waited for. handed gives the error with which
// handing the job over may end before Flink has it.
func attend(ctx context.Context, job watched, handed <-chan error, w Watcher) error {
	c, err := operate.Connect(job.master)
	if err != nil {
		return err
	}
	id, err := arrival(ctx, c, job.name, handed)
	if err != nil {
		return err
	}
	silent, missing := false, time.Time{}
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-tick.C:
		}
		state, known, err := stateOf(ctx, c, id)
		if err != nil {
			if !silent && ctx.Err() == nil {
				w.Say("Flink does not answer, waiting for it: %v", err)
			}
			silent, missing = true, time.Time{}
			continue
		}
		silent = false
		switch {
		case !known || state == rest.Suspended:
			if missing.IsZero() {
				missing = time.Now()
			} else if time.Since(missing) > forgotten {
				return &lostError{id, errForgotten}
			}
			continue
		case state == rest.Failed:
			return &lostError{id, failureOf(ctx, c, id)}
		case state.Ended():
			return nil // somebody stopped or cancelled it
		}
		missing = time.Time{}
	}
}

// arrival waits until Flink has a job, and gives its id.
func arrival(ctx context.Context, c *operate.Client, name string, handed <-chan error) (string, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	type answer struct {
		job operate.Job
		err error
	}
	there := make(chan answer, 1)
	go func() {
		job, err := operate.AwaitJob(ctx, c, name)
		there <- answer{job, err}
	}()
	select {
	case a := <-there:
		return a.job.ID, a.err
	case err := <-handed:
		if err == nil {
			err = errors.New("the job server let go of it")
		}
		return "", &lostError{cause: err}
	}
}

func stateOf(ctx context.Context, c *operate.Client, id string) (state rest.State, known bool, err error) {
	jobs, err := c.Jobs(ctx)
	for _, j := range jobs {
		if j.ID == id {
			return j.State, true, nil
		}
	}
	return "", false, err
}

// failureOf is what a job failed with.
func failureOf(ctx context.Context, c *operate.Client, id string) error {
	exceptions, err := c.Exceptions(ctx, id, 1)
	if err != nil || len(exceptions) == 0 {
		return errors.New("the job failed on Flink")
	}
	return fmt.Errorf("the job failed on Flink: %s", exceptions[0].Cause)
}

// vigil is what is remembered from one loss of a supervised job to the next.
type vigil struct {
	from   string // where the job began last
	futile int
}

// lost notes that the job was lost, whose newest checkpoint is given, empty when it
// has made none: it begins again at v.from, after the pause. It is an error when
// trying again has been futile too often.
func (v *vigil) lost(checkpoint string, cause error) (pause time.Duration, err error) {
	if checkpoint != "" && checkpoint != v.from {
		v.from, v.futile = checkpoint, 0
		return leastPause, nil
	}
	v.futile++
	if v.futile >= futileTimes {
		return 0, fmt.Errorf("given up: the job was lost %d times in a row before it had made a checkpoint, at last: %w", v.futile, cause)
	}
	return min(leastPause<<v.futile, mostPause), nil
}

// await returns once a supervised job that was lost is to begin again, at v.from.
func (v *vigil) await(ctx context.Context, lost *lostError, master string, w Watcher) error {
	c, err := operate.Connect(master)
	if err != nil {
		return err
	}
	w.Say("the job is lost: %v", lost.cause)
	checkpoint := ""
	if lost.id != "" {
		if checkpoint, err = newestCheckpoint(ctx, c, lost.id); err != nil {
			return err
		}
	}
	pause, err := v.lost(checkpoint, lost.cause)
	if err != nil {
		return err
	}
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-time.After(pause):
	}
	if v.from == "" {
		w.Say("starting it again where it began, as it had made no checkpoint")
	} else {
		w.Say("starting it again from %s", v.from)
	}
	return nil
}

// newestCheckpoint is that of a job, empty when it has made none. It waits for the
// JobManager, which says where checkpoints lie.
func newestCheckpoint(ctx context.Context, c *operate.Client, id string) (string, error) {
	for {
		config, err := c.Config(ctx)
		if err == nil {
			found, err := operate.NewestCheckpoint(ctx, c, id, config["state.checkpoints.dir"])
			if errors.Is(err, fault.ErrNotFound) {
				return "", nil
			}
			return found, err
		}
		if !errors.Is(err, fault.ErrUnavailable) {
			return "", err
		}
		select {
		case <-ctx.Done():
			return "", context.Cause(ctx)
		case <-time.After(time.Second):
		}
	}
}
