package e2e

import (
	"strings"
	"testing"
	"time"

	"millrace/internal/testenv"
)

// TestAJobIsRecycled has a job stopped with a savepoint and resumed by itself, over and
// over, while records come: what the runner keeps of finished reads goes with each stop.
func TestAJobIsRecycled(t *testing.T) {
	server := testenv.Kinesis(t)
	f := testenv.Flink(t)
	e := newEnv(t)
	feed := newFeed(t, server, "web")
	end := endOf(t, f, 60*time.Second)
	p := start(t, e, onFlink(t, e, f, live("web", "start=trim_horizon&until="+end.UTC().Format(time.RFC3339), e.in("lake"), "--raw", "plain", "--roll", "1MiB,5s"),
		"--recycle-after", "10s", "--progress", "plain")...)
	looked := false
	for ; time.Until(end) > 15*time.Second; time.Sleep(time.Second) {
		if !alive(p) {
			r := p.end(t)
			t.Fatalf("the run ended: %d, %s", r.code, r.stderr)
		}
		feed.some(t, 10)
		if !looked && working(t, f) != "" && runningJob(t, f) != "" {
			listensOnLoopbackAlone(t, f, p)
			looked = true
		}
	}
	if !looked {
		t.Error("no worker was ever seen")
	}
	feed.some(t, len(feed.rest))
	if !time.Now().Before(end) {
		t.Fatal("the stream was to end before it was all put")
	}
	r := p.end(t)
	if r.code != 0 {
		t.Fatalf("exit code %d: %s", r.code, r.stderr)
	}
	n := strings.Count(r.stderr, "and resuming from it")
	if n < 1 { // two or three times on a machine that does nothing else
		t.Errorf("it was not recycled: %s", r.stderr)
	}
	t.Logf("it was recycled %d times", n)
	allEnded(t, f)
	noWorkers(t, f)
	sameAsLogs(t, e, e.in("lake"), feed)
}
