package rest_test

import (
	"bytes"
	"context"
	"errors"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"millrace/internal/testenv"
	"millrace/runners/flink/fault"
	"millrace/runners/flink/rest"
)

// submit starts the job of testdata/Job.java, which "runs" or "fails", and
// cancels it with the test.
func submit(t *testing.T, f *testenv.FlinkCluster, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	line := append([]string{"-XX:TieredStopAtLevel=1", "-cp", f.Dist.ClassPath(), filepath.Join("testdata", "Job.java"), f.ConfDir()}, args...)
	cmd := exec.CommandContext(ctx, "java", line...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	output, err := cmd.Output()
	if err != nil {
		t.Fatalf("submit: %v\n%s", err, stderr.Bytes())
	}
	id := strings.TrimSpace(string(output))
	t.Cleanup(func() {
		if err := f.Client().Cancel(context.WithoutCancel(t.Context()), id); err != nil {
			t.Error(err)
		}
	})
	return id
}

// eventually polls: a job gets there when the machine lets it.
func eventually(t *testing.T, what string, ok func() (bool, error)) {
	t.Helper()
	for deadline := time.Now().Add(3 * time.Minute); ; time.Sleep(100 * time.Millisecond) {
		done, err := ok()
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		if done {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s: not within three minutes", what)
		}
	}
}

func TestARealJobIsWatchedStoppedAndResumed(t *testing.T) {
	f := testenv.Flink(t)
	client := f.Client()
	id := submit(t, f, "runs")
	job, err := client.Await(t.Context(), id, func(j rest.Job) bool {
		running := len(j.Vertices) > 0
		for _, v := range j.Vertices {
			running = running && v.State == "RUNNING"
		}
		return running
	})
	if err != nil {
		t.Fatal(err)
	}
	if job.Name != "runs" || job.State != rest.Running || job.Parallelism() != 2 {
		t.Errorf("job %+v, want it to run with parallelism 2", job)
	}
	sink := job.Vertices[len(job.Vertices)-1]
	var before rest.Watermark
	eventually(t, "records and a watermark reach the sink", func() (bool, error) {
		subtasks, err := client.Subtasks(t.Context(), id, sink.ID)
		if err != nil {
			return false, err
		}
		before = subtasks[0].Input
		return len(subtasks) == 2 && subtasks[0].ReadRecords+subtasks[1].ReadRecords > 0 && before.Known(), nil
	})
	eventually(t, "the watermark moves on", func() (bool, error) {
		subtasks, err := client.Subtasks(t.Context(), id, sink.ID)
		return err == nil && subtasks[0].Input > before, err
	})

	first, err := client.Savepoint(t.Context(), id, "")
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "a checkpoint is completed", func() (bool, error) {
		checkpoints, err := client.Checkpoints(t.Context(), id)
		return err == nil && checkpoints.Last != nil && checkpoints.Last.Size > 0 && checkpoints.LastSavepoint != nil, err
	})
	if _, err := client.Stop(t.Context(), id, "nofs://x/y"); !errors.Is(err, fault.ErrRefused) {
		t.Errorf("a stop into nowhere: %v, want %v", err, fault.ErrRefused)
	}
	second, err := client.Stop(t.Context(), id, "")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(second, "file:") || second == first {
		t.Errorf("savepoints %q and %q, want two", first, second)
	}
	if job, err = client.Job(t.Context(), id); job.State != rest.Finished || err != nil {
		t.Errorf("after the stop the job is %s, %v", job.State, err)
	}

	resumed := submit(t, f, "runs", second)
	eventually(t, "the resumed job has the savepoint's state", func() (bool, error) {
		checkpoints, err := client.Checkpoints(t.Context(), resumed)
		from := checkpoints.RestoredFrom
		return err == nil && from != nil && from.Savepoint && strings.HasSuffix(second, filepath.Base(from.Path)), err
	})
	if err := client.Cancel(t.Context(), resumed); err != nil {
		t.Fatal(err)
	}
	if job, err = client.Job(t.Context(), resumed); job.State != rest.Canceled || err != nil {
		t.Errorf("after the cancel the job is %s, %v", job.State, err)
	}
}

func TestARealJobThatFailsIsStartedAgainAndSaysWhy(t *testing.T) {
	f := testenv.Flink(t)
	id := submit(t, f, "fails")
	eventually(t, "the job is started again", func() (bool, error) {
		n, err := f.Client().Restarts(t.Context(), id)
		return n > 0, err
	})
	exceptions, err := f.Client().Exceptions(t.Context(), id, 1)
	if err != nil {
		t.Fatal(err)
	}
	if len(exceptions) != 1 || !strings.Contains(exceptions[0].Cause, "NumberFormatException: For input string: 'no number") || !strings.HasPrefix(exceptions[0].TaskManager, "tm-") {
		t.Errorf("exceptions %+v, want one that names the bad number", exceptions)
	}
}
