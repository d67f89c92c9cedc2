package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
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
	s3 := testenv.S3(t)
	gate, s3Gate := testenv.NewKinesisGate(t, server), testenv.NewS3Gate(t, s3)
	f := testenv.OwnFlink(t, func(o *cluster.Options) { // where no other job has the name
		o.Slots, o.Env = 4, []string{"AWS_MAX_ATTEMPTS=2"} // a lake that refuses fails a worker soon
	})
	e := newEnv(t).with("AWS_ENDPOINT_URL_KINESIS=http://"+gate.Addr, "AWS_ENDPOINT_URL_S3=http://"+s3Gate.Addr)
	master := []string{"--flink-master", f.Master()}
	lake := "s3://" + s3.Bucket + "/operated"
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
	people := namedPeople(t, e, lines)
	feed(keyOfOne, 200)()
	server.Put(t, "web", testenv.KinesisRecord{Key: keyOfOne, Data: []byte(badLine)})
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
				s.Read.Records >= 300 && s.Ledger.In >= 300 && s.Ledger.Bad == 1 && s.Wrote.Rows["events"] > 0 && wellRead(s.Shards) // counters come a little later
		}, "--lake", lake)
		if code != 0 || s.Lag == nil || *s.Lag <= 0 || s.Restarts != 0 || s.Parallelism != 1 || !s.Lake.Balanced || len(s.Lake.Breaks) != 0 {
			t.Errorf("exit code %d, %+v, of the lake %+v", code, s, s.Lake)
		}
		text := mustRun(t, e, append([]string{"status", "weblogs", "--lake", lake}, master...)...).stdout
		for _, want := range []string{"RUNNING", "watermark", "behind", "records", "ledger", "checkpoint", "shardId-000000000001", "rows: ", "made again", s.Run} {
			if !strings.Contains(text, want) {
				t.Errorf("status does not say %q:\n%s", want, text)
			}
		}
		metrics := mustRun(t, e, append([]string{"status", "--prometheus"}, master...)...).stdout
		for _, want := range []string{
			"millrace_job_healthy{", "millrace_watermark_lag_seconds{", s.Run, "# TYPE millrace_shard_lag_seconds gauge", "# TYPE millrace_source_retries_total counter",
			`shard="shardId-000000000000"} `, `shard="shardId-000000000001"} `, `millrace_written_rows_total{job="` + s.Run, `output="events"} `, `kind="bad"} 1`,
		} {
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

	t.Run("shards whose reads are refused are named", func(t *testing.T) {
		gate.Refuse(func(call string, _ time.Time) *testenv.Refusal {
			if call != "GetRecords" {
				return nil
			}
			return &testenv.Refusal{Status: 400, Type: "ProvisionedThroughputExceededException"}
		})
		s, code := awaitStatus(t, e, f, "that reads are refused", nothing, func(s operate.Status) bool {
			return finds("the stream refuses the reads of shardId-00000000000")(s) && !s.Healthy
		}, "--still-after", "15s")
		if code != 1 || s.State != "RUNNING" || len(s.Shards) != 2 {
			t.Errorf("exit code %d, %s, shards %+v", code, s.State, s.Shards)
		}
		for _, shard := range s.Shards {
			if shard.Fault != "ProvisionedThroughputExceededException" || shard.Since == nil || shard.Lag == nil || *shard.Lag < 10 {
				t.Errorf("refused: %+v", shard)
			}
		}
		text := run(t, e, append([]string{"status", "weblogs", "--still-after", "15s"}, master...)...).stdout
		for _, want := range []string{"NOT HEALTHY", "the service is asked for more than the shard gives (ProvisionedThroughputExceededException); it lags by", "and 1 more fails", "refused since"} {
			if !strings.Contains(text, want) {
				t.Errorf("status does not say %q:\n%s", want, text)
			}
		}
		gate.Refuse(nil)
		s, code = awaitStatus(t, e, f, "that reads work again", nothing, func(s operate.Status) bool { return s.Healthy && wellRead(s.Shards) }, "--still-after", "15s")
		if code != 0 || s.Read.Retries < 2 || s.Read.Throttled != s.Read.Retries {
			t.Errorf("exit code %d, %+v", code, s.Read)
		}
	})

	t.Run("a lake that refuses is named", func(t *testing.T) {
		s3Gate.Refuse(&testenv.Refusal{Status: 503, Type: "SlowDown"})
		s, code := awaitStatus(t, e, f, "that the lake refuses", feed(keyOfOne, 10), func(s operate.Status) bool { return finds("the lake refuses: ")(s) && s.Failure.Times > 1 })
		if code != 1 || s.Healthy || s.Failure.Of != "the lake" || s.Failure.Since.Before(s.Started) || !strings.Contains(s.Failure.Text, "s3://"+s3.Bucket) || !strings.Contains(s.Failure.Text, "SlowDown") {
			t.Errorf("exit code %d, healthy %t, %+v", code, s.Healthy, s.Failure)
		}
		s3Gate.Refuse(nil)
		before := s.Checkpoints.Completed
		awaitStatus(t, e, f, "that the job works again", feed(keyOfOther, 10), func(s operate.Status) bool {
			return s.State == "RUNNING" && s.Checkpoints.Completed > before && s.Wrote.Rows["events"] > 0
		})
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

	t.Run("the logs of workers are structured, and name nobody", func(t *testing.T) {
		var all []byte
		for _, file := range glob(t, filepath.Join(f.Dir(), "logs", "*")) {
			content := readFile(t, file)
			people.in(t, "the log "+filepath.Base(file), content)
			all = append(all, content...)
		}
		people.report(t)
		for _, want := range []string{
			`"msg":"reading a shard","run":"weblogs-live-`, `"msg":"the reads of a shard fail, trying again"`, `"msg":"the reads of a shard work again"`,
			`"stage":"endpoint.Follow","shard":"shardId-000000000001"`, `"code":"ProvisionedThroughputExceededException"`,
			`"msg":"the lake fails, trying again"`, `"msg":"a stage fails at the lake"`, `"stage":"endpoint.WriteLive/`,
		} {
			if !bytes.Contains(all, []byte(want)) {
				t.Errorf("no log has %s", want)
			}
		}
	})
}

// badLine is none of a log, and names somebody.
const badLine = "for ann.canary@example.org, of 198.51.100.77"

// namedPeople looks for those whom lines of a log, and the bad one, name: by address.
func namedPeople(t *testing.T, e env, lines [][]byte) *finder {
	t.Helper()
	var list strings.Builder
	list.WriteString("mail\tann.canary@example.org\naddress\t198.51.100.77\n")
	n := 0
	for _, line := range lines {
		if address, _, _ := strings.Cut(string(line), " "); len(address) >= head+2 {
			fmt.Fprintf(&list, "address\t%s\n", address)
			n++
		}
	}
	if n < 100 {
		t.Fatalf("%d lines have an address to look for", n)
	}
	writeFile(t, e.in("people.txt"), []byte(list.String()))
	return newFinder(t, e.in("people.txt"))
}

// wellRead tells whether both shards are read, up to their tips.
func wellRead(shards []operate.ReadShard) bool {
	return len(shards) == 2 && !slices.ContainsFunc(shards, func(s operate.ReadShard) bool {
		return s.Since != nil || s.Lag == nil || *s.Lag > 60
	})
}

// TestAJobIsResumedWithMoreParallelism starts two readers in one subtask, and has
// them spread.
func TestAJobIsResumedWithMoreParallelism(t *testing.T) {
	server := testenv.Kinesis(t)
	f := testenv.OwnFlink(t, func(o *cluster.Options) { o.Slots = 4 }) // where no other job has the name
	e := newEnv(t)
	feed := newFeed(t, server, "web")
	end := endOf(t, f, 75*time.Second)
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
