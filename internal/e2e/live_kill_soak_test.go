//go:build soak || lint

package e2e

import (
	"testing"
	"time"

	"millrace/internal/testenv"
)

// TestKilledWorkersAndTaskManagersLoseNothing kills them at one moment after the other, with
// the lake alone, for make repeat: the tests of survival kill them among other things.
func TestKilledWorkersAndTaskManagersLoseNothing(t *testing.T) {
	server := testenv.Kinesis(t)
	f := testenv.Flink(t)
	e := newEnv(t)
	feed := newFeed(t, server, "web")
	end := endOf(t, f, 90*time.Second)
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
