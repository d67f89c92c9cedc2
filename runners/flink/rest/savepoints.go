package rest

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"regexp"

	"millrace/runners/flink/fault"
)

// Stop ends a job with a savepoint in the folder target (a URL; the cluster's
// default when empty) and returns the savepoint's URL when the job has ended. It
// never drains: windows stay open, to go on with the savepoint.
//
// When the job cannot take the savepoint it runs on. An error with a URL says
// that the savepoint was taken but the job's end was not seen.
func (c *Client) Stop(ctx context.Context, id, target string) (string, error) {
	body := map[string]any{"drain": false}
	if target != "" {
		body["targetDirectory"] = target
	}
	location, err := c.savepoint(ctx, "stop with a savepoint", id, "/stop", body)
	if err != nil {
		return "", err
	}
	// The savepoint is there before the job's end is told: Flink's answers about
	// jobs are up to three seconds old.
	_, err = c.Await(ctx, id, func(j Job) bool { return j.State.Ended() })
	return location, err
}

// Savepoint takes a savepoint of a job that runs on.
func (c *Client) Savepoint(ctx context.Context, id, target string) (string, error) {
	body := map[string]any{"cancel-job": false}
	if target != "" {
		body["target-directory"] = target
	}
	return c.savepoint(ctx, "take a savepoint of", id, "/savepoints", body)
}

// savepoint triggers an operation that makes a savepoint and waits for its end.
func (c *Client) savepoint(ctx context.Context, doing, id, path string, body map[string]any) (string, error) {
	job, err := c.job(ctx, id)
	if err != nil {
		return "", err
	}
	if job.State.Ended() { // Flink would say that it knows no such job
		return "", &fault.Error{
			Doing: doing, Object: "job " + id, Class: fault.ErrRefused, Cause: fmt.Errorf("it has ended: %s", job.State),
			Cure: "resume it from its last savepoint or checkpoint",
		}
	}
	var trigger struct {
		ID string `json:"request-id"`
	}
	if err := c.ofJob(ctx, doing, id, http.MethodPost, path, body, &trigger); err != nil {
		return "", err
	}
	if !jobID.MatchString(trigger.ID) { // the same form
		return "", &fault.Error{
			Doing: doing, Object: "job " + id, Class: fault.ErrInvalid, Cause: errors.New("the answer names no request"),
		}
	}
	var location string
	err = c.poll(ctx, doing, "job "+id, func() (done bool, err error) {
		location, done, err = c.savepointState(ctx, doing, id, trigger.ID)
		return done, err
	})
	return location, err
}

func (c *Client) savepointState(ctx context.Context, doing, id, trigger string) (location string, done bool, err error) {
	var answer struct {
		Status    struct{ ID string }
		Operation struct {
			Location string `json:"location"`
			Failure  *struct {
				Class string `json:"class"`
				Trace string `json:"stack-trace"`
			} `json:"failure-cause"`
		}
	}
	if err := c.ofJob(ctx, doing, id, http.MethodGet, "/savepoints/"+trigger, nil, &answer); err != nil {
		return "", false, err
	}
	if answer.Status.ID != "COMPLETED" {
		return "", false, nil
	}
	if failure := answer.Operation.Failure; failure != nil {
		cause := RootCause(failure.Trace)
		if cause == "" {
			cause = failure.Class
		}
		return "", false, &fault.Error{
			Doing: doing, Object: "job " + id, Class: fault.ErrRefused, Cause: errors.New(cause), Cure: cureOfSavepoint(cause),
		}
	}
	return answer.Operation.Location, true, nil
}

var notRunning = regexp.MustCompile(`(?i)not all required tasks are currently running|some tasks .* are not running|not running`)

func cureOfSavepoint(cause string) string {
	if notRunning.MatchString(cause) {
		return "wait until all tasks of the job run, and try again; a job that keeps failing can be cancelled and resumed from its last checkpoint"
	}
	return "the job goes on; try again, or cancel it and resume it from its last checkpoint"
}
