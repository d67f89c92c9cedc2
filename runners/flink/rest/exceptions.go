package rest

import (
	"context"
	"fmt"
	"net/http"
	"time"
)

// Exception is a failure of a job that restarted or ended it.
type Exception struct {
	Time        time.Time
	Task        string // the name of its vertex and subtask; empty for the job as a whole
	TaskManager string // its id; may be empty
	Cause       string // the root cause, see RootCause
}

type exceptionAnswer struct {
	Time        int64  `json:"timestamp"`
	Task        string `json:"taskName"`
	TaskManager string `json:"taskManagerId"`
	Trace       string `json:"stacktrace"`
}

// Exceptions lists the last failures of a job, the latest first, at most n.
func (c *Client) Exceptions(ctx context.Context, id string, n int) ([]Exception, error) {
	var answer struct {
		History struct {
			Entries []struct {
				exceptionAnswer
				Concurrent []exceptionAnswer `json:"concurrentExceptions"`
			} `json:"entries"`
		} `json:"exceptionHistory"`
	}
	if err := c.ofJob(ctx, "read the exceptions of", id, http.MethodGet, fmt.Sprintf("/exceptions?maxExceptions=%d", n), nil, &answer); err != nil {
		return nil, err
	}
	var exceptions []Exception
	for _, e := range answer.History.Entries {
		// The one that ended the job is the job's, with the task's beside it.
		if e.Task == "" && len(e.Concurrent) > 0 {
			e.Task, e.TaskManager = e.Concurrent[0].Task, e.Concurrent[0].TaskManager
		}
		exceptions = append(exceptions, Exception{
			Time: instant(e.Time), Task: e.Task, TaskManager: e.TaskManager, Cause: RootCause(e.Trace),
		})
	}
	return exceptions, nil
}
