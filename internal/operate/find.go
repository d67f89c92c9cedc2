package operate

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"millrace/internal/nearest"
	"millrace/runners/flink/fault"
	"millrace/runners/flink/rest"
)

// Job is a job of this program on a Flink cluster.
type Job struct {
	ID      string     `json:"id"`   // Flink's: 32 hexadecimal digits
	Name    string     `json:"name"` // RUN-ATTEMPT
	Run     string     `json:"run"`  // without the attempt, which differs by submission
	State   rest.State `json:"state"`
	Started time.Time  `json:"started"`
	Ended   *time.Time `json:"ended,omitempty"`

	options map[string]string // of the pipeline, in camel case
}

// attempt is the end of a name that tells one submission of a run from the next.
var attempt = regexp.MustCompile(`-[0-9a-f]{8}$`)

// Jobs lists the jobs of this program, running ones first, then by start, the
// latest first. A cluster may run others; they are left out.
func Jobs(ctx context.Context, c *rest.Client) ([]Job, error) {
	all, err := c.Jobs(ctx)
	if err != nil {
		return nil, err
	}
	var jobs []Job
	for _, j := range all {
		options, err := c.JobOptions(ctx, j.ID)
		if errors.Is(err, fault.ErrNotFound) {
			continue // it was forgotten meanwhile
		}
		if err != nil {
			return nil, err
		}
		// Only pipelines in Go have these. Beam may have put its own name before
		// Flink; the one that was given is an option.
		if _, ours := options["goOptions"]; !ours {
			continue
		}
		job := Job{ID: j.ID, Name: cmp.Or(options["appName"], j.Name), State: j.State, Started: j.Started, options: options}
		job.Run = attempt.ReplaceAllString(job.Name, "")
		if !j.Ended.IsZero() {
			job.Ended = &j.Ended
		}
		jobs = append(jobs, job)
	}
	slices.SortStableFunc(jobs, func(a, b Job) int {
		if a.State.Ended() != b.State.Ended() {
			if b.State.Ended() {
				return -1
			}
			return 1
		}
		return b.Started.Compare(a.Started)
	})
	return jobs, nil
}

// Find gives the job that a user means: by Flink's id, by the name of a
// submission, of a run, or by how one of these begins, if that is clear. Of the
// submissions of one run it is the one that runs, or else the latest.
func Find(ctx context.Context, c *rest.Client, name string) (Job, error) {
	jobs, err := Jobs(ctx, c)
	if err != nil {
		return Job{}, err
	}
	return pick(jobs, name, c.Address())
}

var errUnclear = errors.New("several jobs begin so")

// Unclear tells whether an error is about a name that means more than one job.
func Unclear(err error) bool { return errors.Is(err, errUnclear) }

// pick is Find among jobs, which are in the order of Jobs.
func pick(jobs []Job, name, where string) (Job, error) {
	wanted := func(class, cause error, cure string) error {
		return &fault.Error{Doing: "find", Object: "the job " + name, Class: class, Cause: cause, Cure: cure}
	}
	for _, j := range jobs {
		if j.ID == name || j.Name == name {
			return j, nil
		}
	}
	for _, j := range jobs {
		if j.Run == name {
			return j, nil
		}
	}
	runs := map[string]Job{}
	for _, j := range slices.Backward(jobs) { // so that the first of a run stays
		if name != "" && (strings.HasPrefix(j.Run, name) || strings.HasPrefix(j.ID, name)) {
			runs[j.Run] = j
		}
	}
	living := map[string]Job{}
	for run, j := range runs {
		if !j.State.Ended() {
			living[run] = j
		}
	}
	if len(living) > 0 {
		runs = living
	}
	switch {
	case len(runs) == 1:
		for _, j := range runs {
			return j, nil
		}
	case len(runs) > 1:
		var names []string
		for run := range runs {
			names = append(names, run)
		}
		slices.Sort(names)
		return Job{}, wanted(fault.ErrInvalid, fmt.Errorf("%w: %s", errUnclear, strings.Join(names, ", ")), "name one of them in full")
	case len(jobs) == 0:
		return Job{}, wanted(fault.ErrNotFound, fmt.Errorf("no job of millrace is known at %s", where),
			"check --flink-master; Flink forgets ended jobs after an hour, and all when its JobManager restarts; a job that has ended is resumed with millrace resume")
	}
	var names []string
	for _, j := range jobs {
		names = append(names, j.Run, j.Name)
	}
	cure := "list the jobs with millrace status"
	if near := nearest.Name(name, names); near != "" {
		cure = fmt.Sprintf("did you mean %s?", near)
	}
	return Job{}, wanted(fault.ErrNotFound, fmt.Errorf("%s knows no such job", where), cure)
}
