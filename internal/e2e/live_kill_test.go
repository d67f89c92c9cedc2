package e2e

import (
	"testing"
	"time"

	"millrace/internal/testenv"
)

// runningJob is the job of the run on the cluster, empty while there is none.
func runningJob(t *testing.T, f *testenv.FlinkCluster) string {
	t.Helper()
	jobs, err := f.Client().Jobs(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, job := range jobs {
		if job.State == "RUNNING" {
			return job.ID
		}
	}
	return ""
}

// working names a TaskManager that has workers.
func working(t *testing.T, f *testenv.FlinkCluster) string {
	t.Helper()
	managers, err := f.TaskManagers()
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range managers {
		if len(m.Workers) > 0 {
			return m.Name
		}
	}
	return ""
}

// noWorkers fails when a worker outlives its job. It may take a moment to end.
func noWorkers(t *testing.T, f *testenv.FlinkCluster) {
	t.Helper()
	var left []string
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(200 * time.Millisecond) {
		left = f.Workers(t)
		if len(left) == 0 {
			return
		}
	}
	t.Errorf("workers are left: %v", left)
}

func TestKilledWorkersAndTaskManagersLoseNothing(t *testing.T) {
	server := testenv.Kinesis(t)
	f := testenv.Flink(t)
	e := newEnv(t)
	feed := newFeed(t, server, "web")
	end := time.Now().Add(90 * time.Second)
	p := start(t, e, onFlink(t, e, f, live("web", "start=trim_horizon&until="+end.UTC().Format(time.RFC3339), e.in("lake"), "--raw", "plain", "--roll", "1MiB,5s"),
		"--flink-option", "checkpointing_interval=2000")...)

	killWorkers := func() {
		name := working(t, f)
		n, err := f.KillWorkers(name)
		if err != nil || n == 0 {
			t.Fatalf("killed %d workers of %s, %v", n, name, err)
		}
		t.Logf("killed the workers of %s, %v before the end", name, time.Until(end).Round(time.Second))
	}
	killManager := func() {
		name := working(t, f)
		if err := f.KillTaskManager(t.Context(), name); err != nil {
			t.Fatal(err)
		}
		t.Logf("killed %s, %v before the end", name, time.Until(end).Round(time.Second))
		if _, err := f.StartTaskManager(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	// Each comes when there are checkpoints since the one before.
	completed := 0
	for _, kill := range []func(){killWorkers, killManager, killWorkers} {
		completed = feedUntil(t, p, f, feed, 4, completed+2, func() bool { return working(t, f) != "" })
		kill()
	}
	feed.some(t, len(feed.rest))
	if !time.Now().Before(end) {
		t.Fatal("the stream was to end before it was all put")
	}
	if r := p.end(t); r.code != 0 {
		t.Fatalf("exit code %d: %s", r.code, r.stderr)
	}
	allEnded(t, f)
	noWorkers(t, f)
	sameAsLogs(t, e, e.in("lake"), feed)
}
