package run

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"millrace/internal/nearest"
	"millrace/internal/operate"
	"millrace/io/driver"
	"millrace/io/lakeio"
	"millrace/runners/flink"
	"millrace/runners/flink/rest"
	"millrace/transforms"
)

// Submission is what is known of the last submission of a live run to Flink, so
// that it can be resumed. It lies in the lake, LAKE/_live/RUN/submission.json, and
// in the cache folder of the user who submitted. It holds no secret: options name
// keys by reference.
type Submission struct {
	Run         string    `json:"run"`
	Name        string    `json:"name"`                  // of the job: RUN-ATTEMPT
	Job         string    `json:"job,omitempty"`         // Flink's id, once it is known
	Master      string    `json:"master"`                // host:port of the JobManager's REST API
	Checkpoints string    `json:"checkpoints,omitempty"` // URL of the cluster's folder
	At          time.Time `json:"at"`
	Options     Options   `json:"options"`
	// Shards is how many of state the program has that submitted it; 0 of one that had not noted it.
	Shards int `json:"shards,omitempty"`
	// Savepoint is the last one taken of it, if that is where a resumption has to
	// begin: the job was stopped with it.
	Savepoint   string    `json:"savepoint,omitempty"`
	SavepointAt time.Time `json:"savepoint_at,omitzero"`
}

const submissions = "submission.json"

func submissionKey(run string) string { return "_live/" + run + "/" + submissions }

// submissionDir is the folder of records in the user's cache; empty when there is
// no such folder.
func submissionDir() string {
	cache, err := os.UserCacheDir()
	if err != nil {
		return ""
	}
	return filepath.Join(cache, "millrace", "submissions")
}

// Save keeps the record in the lake and for this user. One of the two is enough
// to resume.
func (s Submission) Save(ctx context.Context) error {
	s.Options.Lake = absolute(s.Options.Lake)
	store, err := lakeio.OpenStore(ctx, s.Options.Lake)
	if err == nil {
		err = lakeio.WriteJSON(ctx, store, submissionKey(s.Run), s)
	}
	dir := submissionDir()
	if dir == "" {
		return err
	}
	if b, fault := json.MarshalIndent(s, "", "  "); fault == nil && os.MkdirAll(dir, 0o755) == nil {
		fault = os.WriteFile(filepath.Join(dir, s.Run+".json"), append(b, '\n'), 0o600)
		if err != nil && fault == nil {
			return fmt.Errorf("the submission is noted for this user, but not in the lake: %w", err)
		}
	}
	return err
}

// absolute is a location as it is from any working directory, which matters for
// paths only.
func absolute(location string) string {
	if location == "" || strings.Contains(location, "://") {
		return location
	}
	if path, err := filepath.Abs(location); err == nil {
		return path
	}
	return location
}

// FindSubmission gives the record of the run that name means: a run, the name of
// a submission, or how one of these begins, if that is clear. Records are those of
// the lake, or without one those of this user. With a lake that has but one run
// the name may be empty.
func FindSubmission(ctx context.Context, lake, name string) (Submission, error) {
	records, where, err := allSubmissions(ctx, lake)
	if err != nil {
		return Submission{}, err
	}
	return pickSubmission(records, where, name)
}

func pickSubmission(records []Submission, where, name string) (Submission, error) {
	var names []string
	var near []Submission
	for _, s := range records {
		if name != "" && (s.Run == name || s.Name == name || s.Job == name) {
			return s, nil
		}
		if strings.HasPrefix(s.Run, name) {
			near = append(near, s)
		}
		names = append(names, s.Run)
	}
	switch {
	case len(near) == 1:
		return near[0], nil
	case len(records) == 0:
		return Submission{}, usage("no submission to Flink is noted in %s; give --lake LAKE, where each run notes its own, or start a run with millrace run JOB --runner flink", where)
	case len(near) > 1:
		slices.Sort(names)
		return Submission{}, usage("which run? %s has %s; name one of them in full", where, strings.Join(names, ", "))
	}
	hint := ""
	if meant := nearest.Name(name, names); meant != "" {
		hint = fmt.Sprintf("; did you mean %s?", meant)
	}
	return Submission{}, usage("no submission of %s is noted in %s%s; there is %s", name, where, hint, strings.Join(names, ", "))
}

// record is a submission's place in a lake or in the user's cache.
var recordKey = regexp.MustCompile(`^_live/[^/]+/submission\.json$`)

func allSubmissions(ctx context.Context, lake string) (records []Submission, where string, err error) {
	if lake == "" {
		dir := submissionDir()
		where = cmp.Or(dir, "your cache folder")
		files, err := filepath.Glob(filepath.Join(dir, "*.json"))
		if err != nil || dir == "" {
			return nil, where, err
		}
		for _, file := range files {
			var s Submission
			b, err := os.ReadFile(file)
			if err == nil {
				err = json.Unmarshal(b, &s)
			}
			if err != nil {
				return nil, where, fmt.Errorf("reading %s: %w; remove it, and name the run's lake with --lake", file, err)
			}
			records = append(records, s)
		}
		return records, where, nil
	}
	store, err := lakeio.OpenStore(ctx, lake)
	if err != nil {
		return nil, lake, &UsageError{err}
	}
	infos, err := store.List(ctx, "_live/")
	if err != nil {
		return nil, lake, err
	}
	for _, info := range infos {
		if !recordKey.MatchString(info.Key) {
			continue
		}
		var s Submission
		err := lakeio.ReadJSON(ctx, store, info.Key, &s)
		if errors.Is(err, driver.ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, lake, err
		}
		s.Options.Lake = lake // as this user reaches it
		records = append(records, s)
	}
	return records, lake, nil
}

// NoteSavepoint notes that a run was stopped with a savepoint. It does nothing
// for a run that nothing is noted of; noted tells.
func NoteSavepoint(ctx context.Context, lake string, job operate.Job, savepoint string, at time.Time) (s Submission, noted bool, err error) {
	s, err = FindSubmission(ctx, lake, job.Run)
	if u := new(UsageError); errors.As(err, &u) || err == nil && s.Run != job.Run {
		return Submission{}, false, nil
	}
	if err != nil {
		return s, false, err
	}
	s.Job, s.Name, s.Savepoint, s.SavepointAt = job.ID, job.Name, savepoint, at.UTC()
	return s, true, s.Save(ctx)
}

// Resumable is where a submission goes on: its last savepoint, or the newest
// checkpoint of its job, or where it had begun itself.
func (s Submission) Resumable(ctx context.Context) (from string, err error) {
	c, err := rest.New(s.Master)
	if err != nil {
		return "", err
	}
	if job, err := operate.Find(ctx, c, s.Name); err == nil {
		if !job.State.Ended() {
			return "", usage("%s still runs on %s; stop it first: millrace stop %s", s.Name, s.Master, s.Name)
		}
		s.Job = job.ID
	}
	if s.Savepoint != "" {
		return s.Savepoint, nil
	}
	if s.Job != "" {
		from, err = operate.NewestCheckpoint(ctx, c, s.Job, s.Checkpoints)
		if err == nil {
			return from, nil
		}
	}
	if s.Options.Flink.Savepoint != "" {
		return s.Options.Flink.Savepoint, nil // it came no further
	}
	if err != nil {
		return "", err
	}
	return "", fmt.Errorf("%s has left no savepoint, and Flink at %s does not know it: name its savepoint or checkpoint with --savepoint", s.Name, s.Master)
}

// Fits refuses what a build submitted whose state lies under other keys: what is open there
// would never be found.
func (s Submission) Fits() error {
	if s.Shards == transforms.LiveShards {
		return nil
	}
	had := "another number of them"
	if s.Shards > 0 {
		had = fmt.Sprint(s.Shards)
	}
	return usage("%s cannot be resumed with this program, whose state has %d shards: the program that submitted it has %s. Resume it with that one, or end it there and start it anew with this one, with start=TIME in --source", s.Name, transforms.LiveShards, had)
}

// submission is the record of a job as it is submitted.
func (p *Plan) submission(name, master string) Submission {
	o := p.req.Options
	// What a resumption has to keep, also where another build would choose otherwise.
	o.Flink.Unchained, o.Flink.MaxParallelism = o.Flink.unchained(), o.Flink.Bound()
	o.Flink.Readers = cmp.Or(o.Flink.Readers, p.req.parallelism())
	return Submission{Run: p.Run, Name: name, Master: master, At: time.Now().UTC(), Options: o, Shards: transforms.LiveShards}
}

// note waits until Flink has the job, and saves the record.
func (s Submission) note(ctx context.Context) error {
	c, err := rest.New(s.Master)
	if err != nil {
		return errors.Join(err, s.Save(ctx))
	}
	job, err := operate.AwaitJob(ctx, c, s.Name)
	if err != nil {
		return errors.Join(err, s.Save(context.WithoutCancel(ctx)))
	}
	s.Job = job.ID
	s.forgetArtifacts()
	if config, err := c.Config(ctx); err == nil {
		s.Checkpoints = config["state.checkpoints.dir"]
	}
	return s.Save(ctx)
}

// noteWhenThere is note beside a job that is followed.
func (s Submission) noteWhenThere(ctx context.Context, w Watcher) {
	if err := s.note(ctx); err != nil && ctx.Err() == nil {
		w.Say("the submission is not wholly noted, so millrace resume may need --savepoint: %v", err)
	}
}

// submitted returns when Flink has a job that nobody will follow, or with what it
// failed with before: the job server takes a job long before it has handed it
// over, and one of ours ends with us. A job that can be resumed is noted.
func (p *Plan) submitted(ctx context.Context, job *flink.Job, s Submission, resumable bool) error {
	c, err := rest.New(s.Master)
	if err != nil {
		return &UsageError{err}
	}
	if _, err := c.Overview(ctx); err != nil && p.req.Flink.JobServer != "" {
		// The job server knows its master, and we do not; it hands the job over without us.
		if resumable {
			return s.Save(ctx)
		}
		return nil
	}
	ctx, cancel := context.WithTimeoutCause(ctx, handOver, fmt.Errorf("it did not appear within %v", handOver))
	defer cancel()
	failed, there := make(chan error, 1), make(chan error, 1)
	go func() { failed <- job.Wait(ctx, func(string) {}) }()
	go func() {
		if resumable {
			there <- s.note(ctx)
			return
		}
		_, err := operate.AwaitJob(ctx, c, s.Name)
		there <- err
	}()
	select {
	case err := <-failed:
		if err != nil && ctx.Err() == nil {
			return err
		}
		return <-there
	case err := <-there:
		return err
	}
}

// handOver is how long a job server may take to hand a job over to Flink.
const handOver = 10 * time.Minute
