package e2e

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"millrace/internal/operate"
	"millrace/internal/testenv"
	"millrace/runners/flink/cluster"
)

// statusOf is what status tells of the job of a lake, and its exit code.
func statusOf(t *testing.T, e env, f *testenv.FlinkCluster, more ...string) (s operate.Status, code int) {
	t.Helper()
	r := run(t, e, append([]string{"status", "weblogs", "--json", "--flink-master", f.Master()}, more...)...)
	if err := json.Unmarshal([]byte(r.stdout), &s); err != nil {
		t.Fatalf("status says %q and %q: %v", r.stdout, r.stderr, err)
	}
	return s, r.code
}

// awaitStatus looks until the status is as wanted, and does something before each
// look.
func awaitStatus(t *testing.T, e env, f *testenv.FlinkCluster, what string, before func(), wanted func(operate.Status) bool, more ...string) (s operate.Status, code int) {
	t.Helper()
	for deadline := time.Now().Add(2 * time.Minute); ; time.Sleep(500 * time.Millisecond) {
		before()
		if s, code = statusOf(t, e, f, more...); wanted(s) {
			return s, code
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s does not show: %s, watermark %v, %+v, findings %+v", what, s.State, s.Watermark, s.Read, s.Findings)
		}
	}
}

func nothing() {}

// finds tells whether a status has a finding.
func finds(text string) func(operate.Status) bool {
	return func(s operate.Status) bool {
		for _, f := range s.Findings {
			if strings.Contains(f.Text, text) {
				return true
			}
		}
		return false
	}
}

// onShard are records under a key.
func onShard(key string, lines [][]byte) []testenv.KinesisRecord {
	records := together(lines, 10)
	for i := range records {
		records[i].Key = key
	}
	return records
}

// TestAJobIsOperated goes through what a person does with a job. The stream has two
// shards, of which the keys are, and an empty one holds the watermark.
func TestAJobIsOperated(t *testing.T) {
	const keyOfOne, keyOfOther = "a", "b" // MD5 0cc1... and 92eb...
	server := testenv.Kinesis(t)
	f := testenv.OwnFlink(t, func(o *cluster.Options) { o.Slots = 4 }) // where no other job has the name
	e := newEnv(t)
	master := []string{"--flink-master", f.Master()}
	lake := e.in("lake")
	lines := logLines(t, realLogs(t)[0])
	server.CreateStream(t, "web", 2)
	feed := func(key string, n int) func() {
		return func() {
			n := min(n, len(lines))
			server.Put(t, "web", onShard(key, lines[:n])...)
			lines = lines[n:]
		}
	}
	if r := run(t, e, append([]string{"status", "weblogs"}, master...)...); r.code != 1 || !strings.Contains(r.stderr, "weblogs") {
		t.Errorf("of a job that is not there: exit code %d, %s", r.code, r.stderr)
	}
	feed(keyOfOne, 200)()
	mustRun(t, e, onFlink(t, e, f, live("web", "start=trim_horizon", lake, "--roll", "1MiB,2s", "--seal", "1m"), "--parallelism", "1", "--readers", "2", "--detach")...)

	t.Run("a shard that never had a record is noticed", func(t *testing.T) {
		s, code := awaitStatus(t, e, f, "that there is no watermark", feed(keyOfOne, 10), finds("there is no watermark yet"), "--still-after", "1s")
		if code != 1 || s.Healthy || s.State != "RUNNING" || s.Watermark != nil {
			t.Errorf("exit code %d, healthy %t, %s, watermark %v", code, s.Healthy, s.State, s.Watermark)
		}
	})

	t.Run("a job that is well", func(t *testing.T) {
		feed(keyOfOther, 100)()
		s, code := awaitStatus(t, e, f, "a watermark and a checkpoint", nothing, func(s operate.Status) bool {
			return s.Watermark != nil && s.Checkpoints.Completed > 0 && s.Lake != nil && s.Lake.Rolls > 1 && s.Healthy &&
				s.Read.Records >= 300 && s.Ledger.In >= 300 // counters come a little later
		}, "--lake", lake)
		if code != 0 || s.Lag == nil || *s.Lag <= 0 || s.Restarts != 0 || s.Parallelism != 1 || !s.Lake.Balanced || len(s.Lake.Breaks) != 0 {
			t.Errorf("exit code %d, %+v, of the lake %+v", code, s, s.Lake)
		}
		text := mustRun(t, e, append([]string{"status", "weblogs", "--lake", lake}, master...)...).stdout
		for _, want := range []string{"RUNNING", "watermark", "behind", "records", "ledger", "checkpoint", s.Run} {
			if !strings.Contains(text, want) {
				t.Errorf("status does not say %q:\n%s", want, text)
			}
		}
		metrics := mustRun(t, e, append([]string{"status", "--prometheus"}, master...)...).stdout
		for _, want := range []string{"millrace_job_healthy{", "millrace_watermark_lag_seconds{", s.Run} {
			if !strings.Contains(metrics, want) {
				t.Errorf("metrics do not have %q:\n%s", want, metrics)
			}
		}
		if list := mustRun(t, e, append([]string{"status"}, master...)...).stdout; !strings.Contains(list, s.Run) {
			t.Errorf("the list is %s", list)
		}
	})

	t.Run("a watermark that stands while records come is noticed", func(t *testing.T) {
		s, code := awaitStatus(t, e, f, "that the watermark stands", feed(keyOfOne, 10), finds("the watermark has not moved for"), "--still-after", "20s")
		if code != 1 || s.Healthy || s.State != "RUNNING" || s.Watermark == nil {
			t.Errorf("exit code %d, healthy %t, %s, watermark %v", code, s.Healthy, s.State, s.Watermark)
		}
		for _, finding := range s.Findings {
			if finding.Problem && !strings.Contains(finding.Cure, "--idle hold") {
				t.Errorf("it says %q, and to do %q", finding.Text, finding.Cure)
			}
		}
		stood := *s.Watermark
		feed(keyOfOther, 100)()
		if s, code = awaitStatus(t, e, f, "that the watermark moves", nothing, func(s operate.Status) bool { return s.Healthy }, "--still-after", "20s"); code != 0 || !s.Watermark.After(stood) {
			t.Errorf("exit code %d, watermark %v, before %v", code, s.Watermark, stood)
		}
	})

	var savepoint string
	t.Run("savepoint and stop", func(t *testing.T) {
		folder := "file://" + e.in("savepoints")
		r := mustRun(t, e, append([]string{"savepoint", "weblogs", "--savepoint-dir", folder}, master...)...)
		if !strings.Contains(r.stdout, "savepoint  file:") || len(hashGlob(e.in("savepoints"), "*/_metadata")) != 1 {
			t.Errorf("savepoint says %s", r.stdout)
		}
		if s, _ := statusOf(t, e, f); s.State != "RUNNING" {
			t.Errorf("after a savepoint it is %s", s.State)
		}
		r = mustRun(t, e, append([]string{"stop", "weblogs", "--savepoint-dir", folder}, master...)...)
		if len(hashGlob(e.in("savepoints"), "*/_metadata")) != 2 || !strings.Contains(r.stdout, "is stopped") || !strings.Contains(r.stdout, "millrace resume weblogs") {
			t.Errorf("stop says %s", r.stdout)
		}
		_, rest, _ := strings.Cut(r.stdout, "savepoint  ")
		savepoint, _, _ = strings.Cut(rest, "\n")
		allEnded(t, f)
		if s, code := statusOf(t, e, f); code != 0 || s.State != "FINISHED" || !finds("ended by itself")(s) {
			t.Errorf("stopped: exit code %d, %s, findings %+v", code, s.State, s.Findings)
		}
		for _, verb := range []string{"stop", "savepoint", "cancel"} {
			if r := run(t, e, append([]string{verb, "weblogs"}, master...)...); r.code != 1 || !strings.Contains(r.stderr, "it has ended") || !strings.Contains(r.stderr, "millrace resume") {
				t.Errorf("%s of a job that is stopped: exit code %d, %s", verb, r.code, r.stderr)
			}
		}
	})

	t.Run("resume and cancel", func(t *testing.T) {
		stopped, _ := statusOf(t, e, f, "--lake", lake)
		r := mustRun(t, e, "resume", "weblogs")
		if !strings.Contains(r.stdout, "resumed from "+savepoint) {
			t.Errorf("resume says %s", r.stdout)
		}
		feed(keyOfOne, 20)()
		feed(keyOfOther, 20)()
		s, code := awaitStatus(t, e, f, "a resumed job that reads", nothing, func(s operate.Status) bool {
			return s.State == "RUNNING" && s.Read.Records >= 40 && s.Lake.Rolls >= stopped.Lake.Rolls+2 && s.Healthy
		}, "--lake", lake)
		if code != 0 || s.ID == stopped.ID || s.Run != stopped.Run || s.Checkpoints.Restored != savepoint || len(s.Lake.Breaks) != 0 {
			t.Errorf("exit code %d, job %s of run %s, restored from %q, breaks %v", code, s.ID, s.Run, s.Checkpoints.Restored, s.Lake.Breaks)
		}
		if r := run(t, e, "resume", "weblogs"); r.code != 2 || !strings.Contains(r.stderr, "still runs") {
			t.Errorf("resume of a job that runs: exit code %d, %s", r.code, r.stderr)
		}
		if r := mustRun(t, e, append([]string{"cancel", "weblogs"}, master...)...); !strings.Contains(r.stdout, "is cancelled") || !strings.Contains(r.stdout, "checkpoint ") {
			t.Errorf("cancel says %s", r.stdout)
		}
		if s, code := awaitStatus(t, e, f, "that it is cancelled", nothing, func(s operate.Status) bool { return s.State.Ended() }); code != 0 || s.State != "CANCELED" || !finds("it was cancelled")(s) {
			t.Errorf("cancelled: exit code %d, %s, findings %+v", code, s.State, s.Findings)
		}
		allEnded(t, f)
	})
}

// TestAJobIsResumedWithMoreParallelism starts two readers in one subtask, and has
// them spread.
func TestAJobIsResumedWithMoreParallelism(t *testing.T) {
	server := testenv.Kinesis(t)
	f := testenv.OwnFlink(t, func(o *cluster.Options) { o.Slots = 4 }) // where no other job has the name
	e := newEnv(t)
	feed := newFeed(t, server, "web")
	end := time.Now().Add(75 * time.Second)
	lake := e.in("lake")
	args := onFlink(t, e, f, live("web", "start=trim_horizon&until="+end.UTC().Format(time.RFC3339), lake, "--raw", "plain", "--roll", "1MiB,5s"))
	feed.some(t, 200)
	mustRun(t, e, append(args, "--parallelism", "1", "--readers", "2", "--detach")...)
	for committed(lake) < 2 {
		if time.Now().After(end) {
			t.Fatal("no roll was written")
		}
		feed.some(t, 4)
		time.Sleep(200 * time.Millisecond)
	}
	if s, _ := statusOf(t, e, f); s.Parallelism != 1 {
		t.Errorf("it runs with parallelism %d", s.Parallelism)
	}
	mustRun(t, e, "stop", "weblogs", "--flink-master", f.Master(), "--savepoint-dir", "file://"+filepath.Join(e.dir, "savepoints"))
	allEnded(t, f)
	feed.some(t, len(feed.rest)) // while nobody reads
	for _, c := range []struct{ flag, value, want string }{
		{"--parallelism", "17", "max_parallelism"}, {"--parallelism", "17", "16"}, {"--readers", "3", "millrace positions"}, {"--roll", "1MiB,9s", "says what the job is"},
	} {
		if r := run(t, e, "resume", "--lake", lake, "--", c.flag, c.value); r.code != 2 || !strings.Contains(r.stderr, c.want) {
			t.Errorf("resume with %s %s: exit code %d, %s", c.flag, c.value, r.code, r.stderr)
		}
	}
	mustRun(t, e, "resume", "--lake", lake, "--attach", "--", "--parallelism", "2")
	allEnded(t, f)
	if s, _ := statusOf(t, e, f); s.Parallelism != 2 {
		t.Errorf("it was resumed with parallelism %d", s.Parallelism)
	}
	sameAsLogs(t, e, lake, feed)
}
