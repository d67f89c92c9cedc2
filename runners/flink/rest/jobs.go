package rest

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"time"

	"millrace/runners/flink/fault"
)

// State is that of a job, as Flink calls it.
type State string

// States of a job. The last four are final, though a suspended job may be taken
// up by another JobManager.
const (
	Initializing State = "INITIALIZING"
	Created      State = "CREATED"
	Running      State = "RUNNING"
	Failing      State = "FAILING"
	Cancelling   State = "CANCELLING"
	Restarting   State = "RESTARTING"
	Reconciling  State = "RECONCILING"
	Finished     State = "FINISHED"
	Canceled     State = "CANCELED"
	Failed       State = "FAILED"
	Suspended    State = "SUSPENDED"
)

// Ended tells whether the job does nothing any more.
func (s State) Ended() bool {
	switch s {
	case Finished, Canceled, Failed, Suspended:
		return true
	default:
		return false
	}
}

// JobSummary is a line of the list of jobs.
type JobSummary struct {
	ID      string // 32 hexadecimal digits
	Name    string
	State   State
	Started time.Time
	Ended   time.Time // zero while it runs
}

// Jobs lists the jobs that the JobManager knows: those that run and those that
// ended within the last hour.
func (c *Client) Jobs(ctx context.Context) ([]JobSummary, error) {
	var answer struct {
		Jobs []struct {
			ID    string `json:"jid"`
			Name  string `json:"name"`
			State State  `json:"state"`
			Start int64  `json:"start-time"`
			End   int64  `json:"end-time"`
		} `json:"jobs"`
	}
	if err := c.call(ctx, request{doing: "list", object: "the jobs", method: http.MethodGet, path: "/jobs/overview"}, &answer); err != nil {
		return nil, err
	}
	jobs := make([]JobSummary, len(answer.Jobs))
	for i, j := range answer.Jobs {
		jobs[i] = JobSummary{ID: j.ID, Name: j.Name, State: j.State, Started: instant(j.Start), Ended: instant(j.End)}
	}
	return jobs, nil
}

// Job is a job and its vertices.
type Job struct {
	ID       string
	Name     string
	State    State
	Started  time.Time
	Ended    time.Time     // zero while it runs
	Duration time.Duration // so far, or in all
	Now      time.Time     // by the JobManager's clock
	Vertices []Vertex      // from the sources to the sinks
}

// Parallelism is the greatest of a vertex, which is the number of slots the job
// takes.
func (j Job) Parallelism() int {
	most := 0
	for _, v := range j.Vertices {
		most = max(most, v.Parallelism)
	}
	return most
}

// Vertex is a chain of operators that run together.
type Vertex struct {
	ID          string
	Name        string
	Parallelism int
	State       string // of the least advanced subtask: "RUNNING"
	Traffic
}

// Traffic counts what crossed the borders of a vertex or subtask since it was
// last started. Inside a chain and at external systems nothing is counted.
type Traffic struct {
	ReadRecords, WrittenRecords int64
	ReadBytes, WrittenBytes     int64
}

type trafficAnswer struct {
	ReadRecords    int64 `json:"read-records"`
	WrittenRecords int64 `json:"write-records"`
	ReadBytes      int64 `json:"read-bytes"`
	WrittenBytes   int64 `json:"write-bytes"`
}

// Job tells of one job.
func (c *Client) Job(ctx context.Context, id string) (Job, error) {
	if err := c.freshen(ctx, id); err != nil {
		return Job{}, err
	}
	return c.job(ctx, id)
}

// job tells of one job, perhaps with old counts.
func (c *Client) job(ctx context.Context, id string) (Job, error) {
	var answer struct {
		ID       string `json:"jid"`
		Name     string `json:"name"`
		State    State  `json:"state"`
		Start    int64  `json:"start-time"`
		End      int64  `json:"end-time"`
		Duration int64  `json:"duration"`
		Now      int64  `json:"now"`
		Vertices []struct {
			ID          string        `json:"id"`
			Name        string        `json:"name"`
			Parallelism int           `json:"parallelism"`
			State       string        `json:"status"`
			Metrics     trafficAnswer `json:"metrics"`
		} `json:"vertices"`
	}
	if err := c.ofJob(ctx, "look at", id, http.MethodGet, "", nil, &answer); err != nil {
		return Job{}, err
	}
	job := Job{
		ID: answer.ID, Name: answer.Name, State: answer.State,
		Started: instant(answer.Start), Ended: instant(answer.End), Now: instant(answer.Now),
		Duration: time.Duration(answer.Duration) * time.Millisecond,
	}
	for _, v := range answer.Vertices {
		job.Vertices = append(job.Vertices, Vertex{
			ID: v.ID, Name: v.Name, Parallelism: v.Parallelism, State: v.State, Traffic: Traffic(v.Metrics),
		})
	}
	return job, nil
}

// Restarts tells how often the job was started again after a failure.
func (c *Client) Restarts(ctx context.Context, id string) (int, error) {
	if err := c.freshen(ctx, id); err != nil {
		return 0, err
	}
	values, err := c.metrics(ctx, id, "/metrics?get=numRestarts")
	if err != nil {
		return 0, err
	}
	n, err := number(values["numRestarts"])
	return int(n), err // none yet is 0
}

// Await polls a job until it is as wanted, and returns it so. A JobManager that
// is silent for a while is asked again.
func (c *Client) Await(ctx context.Context, id string, wanted func(Job) bool) (Job, error) {
	var last Job
	err := c.poll(ctx, "wait for", "job "+id, func() (done bool, err error) {
		last, err = c.job(ctx, id)
		return err == nil && wanted(last), err
	})
	return last, err
}

// Cancel ends a job at once, without a savepoint, and returns when it has ended.
// Its last checkpoint stays when the cluster is configured so. A job that has
// ended stays as it is.
func (c *Client) Cancel(ctx context.Context, id string) error {
	job, err := c.job(ctx, id)
	if err != nil {
		return err
	}
	if !job.State.Ended() {
		err := c.ofJob(ctx, "cancel", id, http.MethodPatch, "?mode=cancel", nil, nil)
		if err != nil && !errors.Is(err, fault.ErrRefused) { // refused when it has just ended
			return err
		}
	}
	_, err = c.Await(ctx, id, func(j Job) bool { return j.State.Ended() })
	return err
}

const (
	pollPause = 200 * time.Millisecond
	patience  = 30 * time.Second // with a JobManager that is silent
)

// poll asks until done. Only a JobManager that is silent for longer than our
// patience ends it early.
func (c *Client) poll(ctx context.Context, doing, object string, ask func() (bool, error)) error {
	heard := time.Now()
	for {
		done, err := ask()
		if done {
			return nil
		}
		if err == nil {
			heard = time.Now()
		} else if !errors.Is(err, fault.ErrUnavailable) || time.Since(heard) > patience {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s %s: %w", doing, object, context.Cause(ctx))
		case <-time.After(pollPause):
		}
	}
}

var jobID = regexp.MustCompile(`^[0-9a-f]{32}$`)

// ofJob calls what is below /jobs/ID.
func (c *Client) ofJob(ctx context.Context, doing, id, method, path string, body, out any) error {
	r := request{doing: doing, object: "job " + id, method: method, path: "/jobs/" + id + path, body: body}
	if !jobID.MatchString(id) {
		return &fault.Error{
			Doing: doing, Object: fmt.Sprintf("job %q", id), Class: fault.ErrInvalid,
			Cause: errors.New("a job's id has 32 hexadecimal digits"), Cure: "list the jobs of the cluster",
		}
	}
	return c.call(ctx, r, out)
}

// instant turns Flink's milliseconds into a time; -1 and 0 are none.
func instant(ms int64) time.Time {
	if ms <= 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}
