package e2e

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"millrace/internal/testenv"
	"millrace/runners/flink/cluster"
)

// TestASupervisedJobSurvivesItsJobManager kills the JobManager, which loses the job,
// and has another of the same run go on from its checkpoint.
func TestASupervisedJobSurvivesItsJobManager(t *testing.T) {
	server := testenv.Kinesis(t)
	f := testenv.OwnFlink(t, func(o *cluster.Options) { o.TaskManagers, o.Slots = 2, 2 })
	e := newEnv(t)
	feed := newFeed(t, server, "web")
	end := endOf(t, f, 70*time.Second)
	p := start(t, e, onFlink(t, e, f, live("web", "start=trim_horizon&until="+end.UTC().Format(time.RFC3339), e.in("lake"), "--raw", "plain", "--roll", "1MiB,5s"),
		"--supervise", "--progress", "plain")...)
	feedUntil(t, p, f, feed, 2, 3, func() bool { return true })
	if err := f.KillJobManager(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Logf("killed the JobManager, %v before the end", time.Until(end).Round(time.Second))
	feed.some(t, 50)
	if err := f.StartJobManager(t.Context()); err != nil {
		t.Fatal(err)
	}
	feed.some(t, len(feed.rest))
	if !time.Now().Before(end) {
		t.Fatal("the stream was to end before it was all put")
	}
	r := p.end(t)
	if r.code != 0 {
		t.Fatalf("exit code %d: %s", r.code, r.stderr)
	}
	if n := strings.Count(r.stderr, "starting it again from file:"); n != 1 {
		t.Errorf("it began again %d times from a checkpoint, want 1: %s", n, r.stderr)
	}
	allEnded(t, f)
	noWorkers(t, f)
	sameAsLogs(t, e, e.in("lake"), feed)
	if left, _ := filepath.Glob(filepath.Join(e.in("lake"), "_live", "*", "begun-*")); len(left) > 0 {
		t.Errorf("marks of earlier submissions are left: %v", left)
	}
}
