//go:build soak

package e2e

import (
	"syscall"
	"testing"
	"time"

	"millrace/internal/testenv"
)

// TestWorkersOfAPoolLoseNothing is a pod of Kubernetes: a TaskManager that starts no
// worker itself, and a pool beside it. Each of them is lost once.
func TestWorkersOfAPoolLoseNothing(t *testing.T) {
	server := testenv.Kinesis(t)
	f := testenv.OwnFlink(t, nil)
	e := newEnv(t)
	feed := newFeed(t, server, "web")
	pool := testenv.NewWorkerPool(t)
	serving := startPool(t, e, pool)
	end := time.Now().Add(90 * time.Second)
	p := start(t, e, onFlink(t, e, f, live("web", "start=trim_horizon&until="+end.UTC().Format(time.RFC3339), e.in("lake"), "--raw", "plain", "--roll", "1MiB,5s"),
		"--flink-option", "checkpointing_interval=2000", "--environment", "external", "--worker-pool", pool.Address)...)

	loseWorker := func() { pool.KillWorker(t) }
	loseManager := func() {
		managers, err := f.TaskManagers()
		if err == nil {
			err = f.KillTaskManager(t.Context(), managers[0].Name)
		}
		if err == nil {
			_, err = f.StartTaskManager(t.Context())
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	losePool := func() {
		if err := serving.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		serving.end(t)
		noPoolWorkers(t, pool) // or they would write beside their successors
		serving = startPool(t, e, pool)
	}
	completed := 0
	for _, lose := range []func(){loseWorker, loseManager, losePool} {
		completed = feedUntil(t, p, f, feed, 4, completed+2, func() bool { return len(pool.Workers(t)) > 0 })
		t.Logf("a loss %v before the end", time.Until(end).Round(time.Second))
		lose()
	}
	feed.some(t, len(feed.rest))
	if !time.Now().Before(end) {
		t.Fatal("the stream was to end before it was all put")
	}
	if r := p.end(t); r.code != 0 {
		t.Fatalf("exit code %d: %s", r.code, r.stderr)
	}
	allEnded(t, f)
	noPoolWorkers(t, pool) // each has ended with its job: the pool goes on
	if err := serving.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if r := serving.end(t); r.code != 0 {
		t.Errorf("the pool: exit code %d: %s", r.code, r.stderr)
	}
	noWorkers(t, f)
	sameAsLogs(t, e, e.in("lake"), feed)
}
