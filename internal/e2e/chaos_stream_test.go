package e2e

import (
	"bytes"
	"fmt"
	"math/big"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"

	"millrace/internal/testenv"
)

// These faults come with the stream: its shards, and what is put into them.

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

func rangeStart(t *testing.T, s types.Shard) *big.Int {
	t.Helper()
	n, ok := new(big.Int).SetString(*s.HashKeyRange.StartingHashKey, 10)
	if !ok {
		t.Fatalf("shard %s begins at %s", *s.ShardId, *s.HashKeyRange.StartingHashKey)
	}
	return n
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

// storm splits and merges in a row, some shards before they were ever read.
func storm(t *testing.T, w *chaosWorld, rng *rand.Rand) func() {
	t.Helper()
	for range 8 {
		if rng.IntN(2) == 0 {
			splitShard(t, w, rng)
		} else {
			mergeShards(t, w, rng)
		}
		w.tick(t)
	}
	return nil
}

// hotShard sends all records to one shard while it lasts.
func hotShard(t *testing.T, w *chaosWorld, rng *rand.Rand) func() {
	t.Helper()
	shards := w.open(t)
	i := rng.IntN(len(shards))
	w.only = shards[i : i+1]
	return func() { w.only = nil }
}

// idleShard sends nothing to one shard while it lasts.
func idleShard(t *testing.T, w *chaosWorld, rng *rand.Rand) func() {
	t.Helper()
	shards := w.open(t)
	i := rng.IntN(len(shards))
	w.only = slices.Delete(shards, i, i+1)
	return func() { w.only = nil }
}

func pauseFeed(_ *testing.T, w *chaosWorld, _ *rand.Rand) func() {
	w.silent = true
	return func() { w.silent = false }
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
	w.bad++
	w.put(t, testenv.KinesisRecord{Key: strconv.Itoa(w.bad), Data: garbage})
	return nil
}

// clockAhead is a line of a server whose clock is years ahead: it is a bad row, and
// must not move the watermark.
func clockAhead(t *testing.T, w *chaosWorld, rng *rand.Rand) func() {
	t.Helper()
	w.bad++
	w.put(t, testenv.KinesisRecord{Key: strconv.Itoa(w.bad), Data: clockLine(time.Now().AddDate(1, 0, rng.IntN(300)), "/ahead")})
	return nil
}

// clockBehind are lines of a server whose clock is weeks behind, which are late, and
// of one that has none, 1970, which is a bad row. They follow a good record in its
// shard, so that the shard has a watermark that they lie behind.
func clockBehind(t *testing.T, w *chaosWorld, rng *rand.Rand) func() {
	t.Helper()
	shards := w.open(t)
	shard := *shards[rng.IntN(len(shards))].HashKeyRange.StartingHashKey
	w.feed.rest[0].HashKey = shard
	w.give(t, 1)
	lines := [][]byte{clockLine(time.Unix(0, 0), "/1970")}
	w.bad++
	for range 3 {
		path := fmt.Sprintf("/behind/%d", len(w.late))
		w.late = append(w.late, path)
		lines = append(lines, clockLine(farmStart.Add(-time.Duration(rng.IntN(40*24*60)+24*60)*time.Minute), path))
	}
	w.put(t, testenv.KinesisRecord{Key: "behind", HashKey: shard, Data: bytes.Join(lines, []byte("\n"))})
	return nil
}

func clockLine(at time.Time, path string) []byte {
	return fmt.Appendf(nil, `203.0.113.7 - - [%s] "GET %s HTTP/1.1" 200 5 "-" "-"`, at.UTC().Format("02/Jan/2006:15:04:05 -0700"), path)
}

// put puts a record besides those of the log.
func (w *chaosWorld) put(t *testing.T, r testenv.KinesisRecord) {
	t.Helper()
	w.besides += bytes.Count(r.Data, []byte("\n")) + 1
	w.feed.server.Put(t, w.feed.stream, r)
	w.inTime(t)
}

// give puts the next records of the log.
func (w *chaosWorld) give(t *testing.T, n int) {
	t.Helper()
	n = min(n, len(w.feed.rest))
	w.given += n
	w.feed.some(t, n)
	w.inTime(t)
}

// tooSlow ends a round in which a record was put after the end of the stream, as the
// stand-in of Kinesis did not answer for so long: whether the job read it nobody knows.
type tooSlow struct{}

func (w *chaosWorld) inTime(t *testing.T) {
	t.Helper()
	if !time.Now().Before(w.end) {
		panic(tooSlow{})
	}
}

// feeding tells whether more is put: until shortly before the end of the stream.
func (w *chaosWorld) feeding() bool { return time.Until(w.end) > lull && len(w.feed.rest) > 0 }

// feedSome puts what is due of the log.
func (w *chaosWorld) feedSome(t *testing.T) {
	t.Helper()
	due := int(time.Since(w.begun).Seconds()*chaosRate*w.pace) - w.given
	n := min(due, len(w.feed.rest), chaosBurst)
	if n <= 0 || w.silent || !w.feeding() {
		return
	}
	for i := range w.feed.rest[:n] {
		if len(w.only) > 0 {
			w.feed.rest[i].HashKey = *w.only[i%len(w.only)].HashKeyRange.StartingHashKey
		}
	}
	w.give(t, n)
}

// lull is how long before the end of the stream the last record is put.
const lull = 8 * time.Second

// What is put while a job suffers: records a second, and at most in a tenth of one,
// as a shard takes no more; lines of a record.
const (
	chaosRate  = 10.0
	chaosBurst = 12
	chaosLines = 100
)

// farmStart is before all that the log of weblogs has.
var farmStart = time.Date(2025, 3, 3, 0, 0, 0, 0, time.UTC)

// newLines makes what is to be put, so many records at least, and its stream.
func (w *chaosWorld) newLines(t *testing.T, e env, records int) chaosInput {
	t.Helper()
	// A record holds no megabyte, and one does not end with an empty line.
	lines := slices.DeleteFunc(logLines(t, w.job.lines(t, w, e, records*chaosLines)), func(line []byte) bool { return len(line) == 0 || len(line) > 1<<16 })
	w.feed.server.CreateStream(t, w.feed.stream, 4)
	w.feed.rest = together(lines, chaosLines)
	return lines
}

// chaosInput are the lines to be put, chaosLines to a record.
type chaosInput [][]byte

// put are those of the first records.
func (f chaosInput) put(records int) [][]byte { return f[:min(len(f), records*chaosLines)] }
