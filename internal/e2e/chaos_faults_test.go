//go:build chaos

package e2e

import (
	"errors"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"

	"millrace/internal/testenv"
	group "millrace/runners/flink/process"
)

// fault is one way to hurt a live job.
type fault struct {
	name string
	// hit does it, and returns what takes it back, nil when nothing has to be.
	hit func(t *testing.T, w *chaosWorld, rng *rand.Rand) (heal func())
	// least and most bound how long it lasts, drawn by the seed; 0 is a moment.
	least, most time.Duration
	// restarts tells that the job has to begin again at a checkpoint, so that
	// records must be given to it again.
	restarts bool
	// takes is how long it takes until the job is well again, about.
	takes time.Duration
}

// faults are all ways there are, in the order in which the first of a run come.
func faults() []fault {
	return []fault{
		{name: "worker killed", hit: killWorkers, restarts: true, takes: 12 * time.Second},
		{name: "Kinesis throttles", hit: refusing(http.StatusBadRequest, "ProvisionedThroughputExceededException"), least: 2 * time.Second, most: 6 * time.Second, takes: 4 * time.Second},
		{name: "Kinesis connections reset", hit: toxic(kinesisSide, "reset_peer", map[string]any{"timeout": 0}), least: 2 * time.Second, most: 6 * time.Second, takes: 4 * time.Second},
		{name: "S3 connections reset", hit: toxic(s3Side, "reset_peer", map[string]any{"timeout": 0}), least: 1 * time.Second, most: 4 * time.Second, takes: 8 * time.Second},
		{name: "TaskManager killed", hit: killTaskManager, restarts: true, takes: 30 * time.Second},
		{name: "poison record", hit: poison, takes: 2 * time.Second},
		{name: "iterators expire", hit: expireIterators, least: 1 * time.Second, most: 3 * time.Second, takes: 3 * time.Second},
		{name: "Kinesis slow", hit: slowAnswers, least: 3 * time.Second, most: 8 * time.Second, takes: 4 * time.Second},
		{name: "shard split", hit: splitShard, takes: 4 * time.Second},
		{name: "JobManager killed", hit: killJobManager, restarts: true, takes: 40 * time.Second},
		{name: "S3 latency", hit: toxic(s3Side, "latency", map[string]any{"latency": 700, "jitter": 300}), least: 3 * time.Second, most: 8 * time.Second, takes: 6 * time.Second},
		{name: "worker frozen", hit: freezeWorkers, least: 2 * time.Second, most: 8 * time.Second, takes: 6 * time.Second},
		{name: "panic in a DoFn", hit: plantPanic, restarts: true, takes: 12 * time.Second},
		{name: "Kinesis answers 500", hit: refusing(http.StatusInternalServerError, "InternalFailure"), least: 2 * time.Second, most: 6 * time.Second, takes: 4 * time.Second},
		{name: "shards merged", hit: mergeShards, takes: 4 * time.Second},
		{name: "Kinesis black hole", hit: toxic(kinesisSide, "timeout", map[string]any{"timeout": 0}), least: 3 * time.Second, most: 10 * time.Second, takes: 8 * time.Second},
		{name: "credentials expire", hit: refusing(http.StatusBadRequest, "ExpiredTokenException"), least: 1 * time.Second, most: 4 * time.Second, takes: 12 * time.Second},
		{name: "hot shard", hit: hotShard, least: 3 * time.Second, most: 6 * time.Second, takes: 2 * time.Second},
		{name: "S3 black hole", hit: toxic(s3Side, "timeout", map[string]any{"timeout": 0}), least: 2 * time.Second, most: 6 * time.Second, takes: 12 * time.Second},
		{name: "TaskManager frozen", hit: freezeTaskManager, least: 2 * time.Second, most: 8 * time.Second, takes: 8 * time.Second},
		{name: diskFull, hit: fillDisk, least: 3 * time.Second, most: 6 * time.Second, takes: 6 * time.Second},
		{name: "Kinesis latency", hit: toxic(kinesisSide, "latency", map[string]any{"latency": 700, "jitter": 300}), least: 3 * time.Second, most: 8 * time.Second, takes: 4 * time.Second},
		{name: "clock of a producer ahead", hit: clockAhead, takes: 2 * time.Second},
		{name: "shard count changed", hit: changeShardCount, takes: 6 * time.Second},
		{name: "no producer", hit: pauseFeed, least: 3 * time.Second, most: 6 * time.Second, takes: 2 * time.Second},
	}
}

func killWorkers(t *testing.T, w *chaosWorld, _ *rand.Rand) func() {
	t.Helper()
	if n, err := w.flink.KillWorkers(w.working(t)); err != nil || n == 0 {
		t.Fatalf("killed %d workers, %v", n, err)
	}
	return nil
}

func killTaskManager(t *testing.T, w *chaosWorld, _ *rand.Rand) func() {
	t.Helper()
	if err := w.flink.KillTaskManager(t.Context(), w.working(t)); err != nil {
		t.Fatal(err)
	}
	if _, err := w.flink.StartTaskManager(t.Context()); err != nil {
		t.Fatal(err)
	}
	return nil
}

func killJobManager(t *testing.T, w *chaosWorld, _ *rand.Rand) func() {
	t.Helper()
	if err := w.flink.KillJobManager(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := w.flink.StartJobManager(t.Context()); err != nil {
		t.Fatal(err)
	}
	return nil
}

// freezeWorkers stops the workers where they are: neither Flink nor what they
// write to hears of them.
func freezeWorkers(t *testing.T, w *chaosWorld, _ *rand.Rand) func() {
	t.Helper()
	return w.freeze(t, func(m group.Member) bool { return slices.Contains(m.Args, "--worker=true") })
}

func freezeTaskManager(t *testing.T, w *chaosWorld, _ *rand.Rand) func() {
	t.Helper()
	name := "taskmanager.resource-id=" + w.working(t)
	return w.freeze(t, func(m group.Member) bool { return slices.Contains(m.Args, name) })
}

func (w *chaosWorld) freeze(t *testing.T, chosen func(group.Member) bool) func() {
	t.Helper()
	members, err := group.Members(w.flink.Group())
	if err != nil {
		t.Fatal(err)
	}
	var frozen []int
	for _, m := range members {
		if !chosen(m) {
			continue
		}
		if was, err := group.Signal(w.flink.Group(), m.PID, syscall.SIGSTOP); err != nil || !was {
			t.Fatalf("freezing %d: %v", m.PID, err)
		}
		frozen = append(frozen, m.PID)
	}
	if len(frozen) == 0 {
		t.Fatal("there is nothing to freeze")
	}
	return func() {
		for _, pid := range frozen {
			if _, err := group.Signal(w.flink.Group(), pid, syscall.SIGCONT); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// plantPanic has the next call of a reader panic; see io/endpoint/plant_chaos.go.
func plantPanic(t *testing.T, w *chaosWorld, _ *rand.Rand) func() {
	t.Helper()
	writeFile(t, w.plant, nil)
	w.until(t, "the panic is met", func() bool {
		_, err := os.Stat(w.plant)
		return os.IsNotExist(err)
	})
	return nil
}

// side is one that a network fault may be on.
type side func(w *chaosWorld) *testenv.Proxy

func kinesisSide(w *chaosWorld) *testenv.Proxy { return w.toKinesis }
func s3Side(w *chaosWorld) *testenv.Proxy      { return w.toS3 }

func toxic(on side, kind string, attributes map[string]any) func(*testing.T, *chaosWorld, *rand.Rand) func() {
	return func(t *testing.T, w *chaosWorld, _ *rand.Rand) func() {
		t.Helper()
		on(w).Toxic(t, kind, attributes)
		return func() { on(w).Heal(t, kind) }
	}
}

func refusing(status int, kind string) func(*testing.T, *chaosWorld, *rand.Rand) func() {
	return func(t *testing.T, w *chaosWorld, _ *rand.Rand) func() {
		t.Helper()
		w.gate.Refuse(func(call string, _ time.Time) *testenv.Refusal {
			if call != "GetRecords" {
				return nil
			}
			return &testenv.Refusal{Status: status, Type: kind}
		})
		return func() { w.gate.Refuse(nil) }
	}
}

func expireIterators(t *testing.T, w *chaosWorld, _ *rand.Rand) func() {
	t.Helper()
	from := time.Now()
	w.gate.Refuse(func(call string, issued time.Time) *testenv.Refusal {
		if call != "GetRecords" || !issued.Before(from) {
			return nil
		}
		return &testenv.Refusal{Status: http.StatusBadRequest, Type: "ExpiredIteratorException"}
	})
	return func() { w.gate.Refuse(nil) }
}

func slowAnswers(t *testing.T, w *chaosWorld, rng *rand.Rand) func() {
	t.Helper()
	w.gate.Delay(time.Second + time.Duration(rng.Int64N(int64(2*time.Second))))
	return func() { w.gate.Delay(0) }
}

// open are the shards that take records, in the order of their hash ranges.
func (w *chaosWorld) open(t *testing.T) (shards []types.Shard) {
	t.Helper()
	for _, s := range w.feed.server.Shards(t, w.feed.stream) {
		if s.SequenceNumberRange.EndingSequenceNumber == nil {
			shards = append(shards, s)
		}
	}
	slices.SortFunc(shards, func(a, b types.Shard) int {
		return rangeStart(t, a).Cmp(rangeStart(t, b))
	})
	return shards
}

const (
	fewestShards = 2
	mostShards   = 8
)

func splitShard(t *testing.T, w *chaosWorld, rng *rand.Rand) func() {
	t.Helper()
	shards := w.open(t)
	if len(shards) >= mostShards {
		return mergeShards(t, w, rng)
	}
	w.feed.server.Split(t, w.feed.stream, *shards[rng.IntN(len(shards))].ShardId)
	return nil
}

func mergeShards(t *testing.T, w *chaosWorld, rng *rand.Rand) func() {
	t.Helper()
	shards := w.open(t)
	if len(shards) <= fewestShards {
		return splitShard(t, w, rng)
	}
	i := rng.IntN(len(shards) - 1)
	w.feed.server.Merge(t, w.feed.stream, *shards[i].ShardId, *shards[i+1].ShardId)
	return nil
}

func changeShardCount(t *testing.T, w *chaosWorld, _ *rand.Rand) func() {
	t.Helper()
	n := 4
	if len(w.open(t)) == n {
		n = 6
	}
	w.feed.server.UpdateShardCount(t, w.feed.stream, n)
	return nil
}

// poison is a line that is none.
func poison(t *testing.T, w *chaosWorld, rng *rand.Rand) func() {
	t.Helper()
	garbage := noise(1 + rng.IntN(1<<18))
	for i, c := range garbage {
		if c == '\n' || c == '\r' {
			garbage[i] = 'x' // one line
		}
	}
	w.putBad(t, garbage)
	return nil
}

// clockAhead is a line of a server whose clock is years ahead: it is a bad row, and
// must not move the watermark.
func clockAhead(t *testing.T, w *chaosWorld, rng *rand.Rand) func() {
	t.Helper()
	at := time.Now().AddDate(1, 0, rng.IntN(300)).UTC().Format("02/Jan/2006:15:04:05 -0700")
	w.putBad(t, []byte(`203.0.113.7 - - [`+at+`] "GET /ahead HTTP/1.1" 200 5 "-" "-"`))
	return nil
}

func (w *chaosWorld) putBad(t *testing.T, line []byte) {
	t.Helper()
	w.bad++
	w.feed.server.Put(t, w.feed.stream, testenv.KinesisRecord{Key: strconv.Itoa(w.bad), Data: line})
}

// hotShard sends all records to the shard of one key while it lasts.
func hotShard(_ *testing.T, w *chaosWorld, rng *rand.Rand) func() {
	w.hot = strconv.Itoa(rng.IntN(1 << 20))
	return func() { w.hot = "" }
}

func pauseFeed(_ *testing.T, w *chaosWorld, _ *rand.Rand) func() {
	w.silent = true
	return func() { w.silent = false }
}

const (
	diskFull       = "checkpoint disk full"
	checkpointDisk = 96 << 20 // bytes
)

// fillDisk leaves no room for a checkpoint.
func fillDisk(t *testing.T, w *chaosWorld, _ *rand.Rand) func() {
	t.Helper()
	name := filepath.Join(w.checkpoints, "filler")
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	block := make([]byte, 1<<20)
	for err == nil {
		_, err = f.Write(block)
	}
	if !errors.Is(err, syscall.ENOSPC) {
		t.Fatalf("filling the disk of checkpoints: %v", err)
	}
	_ = f.Close()
	return func() {
		if err := os.Remove(name); err != nil {
			t.Fatal(err)
		}
	}
}
