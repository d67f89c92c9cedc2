package operate

import (
	"context"
	"errors"
	"fmt"
	"time"

	"millrace/runners/flink/fault"
	"millrace/runners/flink/rest"
)

// Say is told how something goes on, a line at a time.
type Say func(format string, a ...any)

// Stop ends a job with a savepoint in the folder target (a URL; the cluster's own
// when empty) and returns the savepoint's URL. It never drains: open windows go
// on with the savepoint. A job that cannot take one runs on.
func Stop(ctx context.Context, c *rest.Client, job Job, target string, tell Say) (string, error) {
	if err := living(job, "stop"); err != nil {
		return "", err
	}
	return savepoint(ctx, tell, job, func() (string, error) { return c.Stop(ctx, job.ID, target) })
}

// Savepoint takes a savepoint of a job that goes on.
func Savepoint(ctx context.Context, c *rest.Client, job Job, target string, tell Say) (string, error) {
	if err := living(job, "take a savepoint of"); err != nil {
		return "", err
	}
	return savepoint(ctx, tell, job, func() (string, error) { return c.Savepoint(ctx, job.ID, target) })
}

// Cancel ends a job at once. Its last checkpoint stays.
func Cancel(ctx context.Context, c *rest.Client, job Job) error {
	if err := living(job, "cancel"); err != nil {
		return err
	}
	return c.Cancel(ctx, job.ID)
}

// savepoint tells every few seconds that it is still being taken.
func savepoint(ctx context.Context, tell Say, job Job, take func() (string, error)) (string, error) {
	type answer struct {
		path string
		err  error
	}
	done := make(chan answer, 1)
	go func() {
		path, err := take()
		done <- answer{path, err}
	}()
	started := time.Now()
	tick := time.NewTicker(5 * time.Second)
	defer tick.Stop()
	tell("taking a savepoint of %s", job.Name)
	for {
		select {
		case a := <-done:
			if a.err != nil && ctx.Err() != nil {
				return "", fmt.Errorf("interrupted; Flink goes on with the savepoint: look with millrace status %s: %w", job.Name, a.err)
			}
			return a.path, a.err
		case <-tick.C:
			tell("still taking the savepoint, %s", span(time.Since(started)))
		}
	}
}

// living refuses a job that has ended.
func living(job Job, doing string) error {
	if !job.State.Ended() {
		return nil
	}
	return &fault.Error{
		Doing: doing, Object: "the job " + job.Name, Class: fault.ErrInvalid,
		Cause: fmt.Errorf("it has ended: it is %s", job.State), Cure: "to go on from where it was: millrace resume " + job.Run,
	}
}

// AwaitJob waits until Flink lists the job that was submitted under a name, and
// returns it. The job server takes a job long before it has it translated and
// handed over.
func AwaitJob(ctx context.Context, c *rest.Client, name string) (Job, error) {
	var silent error
	for {
		jobs, err := Jobs(ctx, c)
		if err != nil && !errors.Is(err, fault.ErrUnavailable) {
			return Job{}, err
		}
		silent = err
		for _, j := range jobs {
			if j.Name == name && j.State != rest.Initializing {
				return j, nil
			}
		}
		select {
		case <-ctx.Done():
			if silent != nil {
				return Job{}, silent
			}
			return Job{}, fmt.Errorf("waiting for job %s at %s: %w", name, c.Address(), context.Cause(ctx))
		case <-time.After(500 * time.Millisecond):
		}
	}
}
