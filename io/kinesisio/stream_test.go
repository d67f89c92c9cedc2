package kinesisio

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"millrace/io/driver"
	"millrace/io/iotest"
)

// testTime is the event time of a test's record.
func testTime(line []byte, _ int64) (int64, bool) { return iotest.EventTime(line) }

// testTimes is testTime for any format.
func testTimes(string) func([]byte, int64) (int64, bool) { return testTime }

// world is a stream of a test with what it holds.
type world struct {
	*getServer
	rng  *rand.Rand
	base int64 // Unix milliseconds by the service's clock at the start
	from time.Time
	opt  driver.StreamOptions
	want map[string]int // lines that were put
}

// newWorld makes a stream whose clock runs a hundred times as fast.
func newWorld(t *testing.T, seed uint64, shards int) *world {
	w := &world{
		getServer: newGetServer(t, shards), rng: rand.New(rand.NewPCG(seed, 1)), base: 1_700_000_000_000, from: time.Now(), want: map[string]int{},
		opt: driver.StreamOptions{
			EventTime: testTimes, MaxDisorder: time.Minute, AllowedLateness: 10 * time.Second, RollBytes: 1000, RollEvery: 5 * time.Minute,
		},
	}
	w.tick = w.clock
	var mu sync.Mutex
	cuts := rand.New(rand.NewPCG(seed, 2)) // the server's goroutines use it
	w.most = func() int {
		mu.Lock()
		defer mu.Unlock()
		return cuts.IntN(6)
	}
	return w
}

func (w *world) clock() time.Time {
	return time.UnixMilli(w.base).Add(100 * time.Since(w.from))
}

// fill puts random records into a shard that arrived over about an hour, the more
// recent the later the phase.
func (w *world) fill(shard, n, phase int) {
	arrival := w.base - 50_000_000 + int64(phase)*7_300_000
	r := w.shards[shard].hashes
	event := arrival - 500_000_000
	id := 0
	line := func() string {
		event += w.rng.Int64N(4000)
		at := event - w.rng.Int64N(50_000)
		switch w.rng.IntN(40) {
		case 0:
			at = event + 3*clockLeap // silly, within the arrival
		case 1:
			at = arrival + 2*clockFuture
		case 2:
			at = event - 600_000 // late
		case 3:
			if w.rng.IntN(4) == 0 {
				event += 2 * clockLeap
			}
		case 4:
			return fmt.Sprintf("no time %d.%d", shard, id)
		}
		id++
		return fmt.Sprintf("%d %d.%d", at, shard, id)
	}
	for range n {
		arrival += w.rng.Int64N(2 * 3_600_000 / int64(n))
		var lines []string
		for range 1 + w.rng.IntN(4) {
			lines = append(lines, line())
		}
		switch w.rng.IntN(8) {
		case 0:
			w.put(shard, arrival, []byte(lines[0]+"\r\n"))
			lines = lines[:1]
		case 1, 2:
			w.put(shard, arrival, aggregateOf(r.first, lines...))
		case 3:
			lines[0] += strings.Repeat(" long", 50)
			w.put(shard, arrival, aggregateOf(r.last, lines...))
		case 4:
			w.put(shard, arrival, aggregateOf(r.first))
			lines = nil
		case 5:
			w.put(shard, arrival, nil)
			lines = []string{""}
		case 6:
			outside := hashKey{r.first.high - 1, 0}
			if r.first == (hashKey{}) {
				outside = hashKey{r.last.high + 1, 0}
			}
			w.put(shard, arrival, aggregateOf(outside, lines...))
			lines = nil
		default:
			w.put(shard, arrival, []byte(strings.Join(lines, "\n")))
		}
		if lines == nil {
			continue
		}
		for _, line := range lines {
			w.want[line]++
		}
	}
}

// open opens the stream with random limits.
func (w *world) open(t *testing.T, params string) *Stream {
	t.Helper()
	if !strings.Contains(params, "until") {
		params += "&until=tip"
	}
	url := fmt.Sprintf("kinesis://logs?poll=1ms&rate=1GiB&max_line=200&block=%d%s", 1+w.rng.IntN(2000), params)
	s, err := OpenStream(t.Context(), url, w.opt)
	if err != nil {
		t.Fatal(err)
	}
	s.now = w.clock
	return s
}

func (w *world) begin(t *testing.T, readers int, params string) []driver.Cursor {
	t.Helper()
	cursors, err := w.open(t, params).Begin(t.Context(), readers)
	if err != nil {
		t.Fatal(err)
	}
	return cursors
}

// lines are the texts of a reading, where too long ones are named by those that
// were put.
func (w *world) lines(t *testing.T, g iotest.StreamReading) map[string]int {
	t.Helper()
	got := map[string]int{}
	for _, r := range g.Records {
		if r.Oversize > 0 {
			if len(r.Text) != 200 {
				t.Fatalf("%d bytes are given of a record too long", len(r.Text))
			}
			for line := range w.want {
				if int64(len(line)) == r.Oversize && strings.HasPrefix(line, r.Text) {
					r.Text = line
				}
			}
		}
		got[r.Text]++
	}
	return got
}

func TestShardsThatSplitAndMergeAreReadOnce(t *testing.T) {
	for seed := range uint64(3) {
		w := newWorld(t, seed, 3)
		for shard := range w.shards {
			w.fill(shard, 40, 0)
		}
		w.split(1) // 3, 4
		w.fill(3, 30, 1)
		w.fill(4, 30, 1)
		w.fill(0, 30, 1)
		w.merge(0, 3) // 5
		w.fill(5, 30, 2)
		w.merge(5, 4) // 6
		w.split(2)    // 7, 8
		w.fill(6, 30, 3)
		w.fill(8, 30, 3)
		open := func() driver.Stream { return w.open(t, "") }
		for readers := 1; readers < 5; readers++ {
			first := iotest.ReadStream(t, open, w.begin(t, readers, ""), 0, w.rng)
			first.Check(t)
			if diff := cmp.Diff(w.want, w.lines(t, first)); diff != "" {
				t.Fatalf("seed %d, %d readers: lines (-put +read):\n%s", seed, readers, diff)
			}
			again := iotest.ReadStream(t, open, w.begin(t, readers, ""), 3, w.rng)
			if diff := cmp.Diff(first, again); diff != "" {
				t.Fatalf("seed %d, %d readers: (-one reading +another)\n%s", seed, readers, diff)
			}
		}
	}
}

func TestShardsThatSplitAndMergeMeanwhileAreReadOnce(t *testing.T) {
	for seed, idle := range []time.Duration{0, 0, 10 * time.Second, time.Second} {
		w := newWorld(t, uint64(seed), 3)
		w.opt.IdleAfter = idle
		w.opt.MaxDisorder, w.opt.AllowedLateness = 2*time.Second, time.Second
		end := w.base + 400_000
		until := "&until=" + time.UnixMilli(end).UTC().Format(time.RFC3339Nano)
		cursors := w.begin(t, 1+seed%3, until)
		done := make(chan struct{})
		go func() {
			defer close(done)
			open := []int{0, 1, 2} // by hash keys
			rng := rand.New(rand.NewPCG(uint64(seed), 2))
			for id := 0; ; id++ {
				i := rng.IntN(len(open))
				w.mu.Lock() // so that nobody meets the end before the record is there
				now := w.clock().UnixMilli()
				if now >= end {
					w.mu.Unlock()
					return
				}
				text := fmt.Sprintf("%d %d", now-rng.Int64N(2500), id)
				w.store(open[i], now, []byte(text))
				w.mu.Unlock()
				w.want[text]++
				switch {
				case id%7 == 3 && len(open) < 8:
					w.split(open[i])
					open = slices.Replace(open, i, i+1, len(w.shards)-2, len(w.shards)-1)
				case id%7 == 6 && i+1 < len(open):
					w.merge(open[i], open[i+1])
					open = slices.Replace(open, i, i+2, len(w.shards)-1)
				}
				time.Sleep(time.Duration(rng.IntN(20)) * time.Millisecond)
			}
		}()
		got := iotest.ReadStream(t, func() driver.Stream { return w.open(t, until) }, cursors, 1+10*seed, w.rng)
		<-done
		got.Check(t)
		if diff := cmp.Diff(w.want, w.lines(t, got)); diff != "" {
			t.Fatalf("seed %d: lines (-put +read):\n%s", seed, diff)
		}
		if len(w.shards) < 5 {
			t.Fatalf("only %d shards", len(w.shards))
		}
	}
}

func TestHowAStreamIsCutChangesNothing(t *testing.T) {
	for seed := range uint64(3) {
		w := newWorld(t, seed, 3)
		for shard := range w.shards {
			w.fill(shard, 120, 0)
		}
		open := func() driver.Stream { return w.open(t, "") }
		first := iotest.ReadStream(t, open, w.begin(t, 1, ""), 0, w.rng)
		first.Check(t)
		late := 0
		for _, r := range first.Records {
			if r.Behind > 0 {
				late++
			}
		}
		if diff := cmp.Diff(w.want, w.lines(t, first)); diff != "" {
			t.Fatalf("seed %d: lines (-put +read):\n%s", seed, diff)
		}
		if late == 0 || len(first.Closes) < 10 {
			t.Fatalf("seed %d: %d late records, %d rolls: the test proves nothing", seed, late, len(first.Closes))
		}
		for _, restart := range []int{0, 20, 2} {
			again := iotest.ReadStream(t, open, w.begin(t, 1+w.rng.IntN(4), ""), restart, w.rng)
			if diff := cmp.Diff(first.Records, again.Records); diff != "" {
				t.Fatalf("seed %d, a restart in %d: (-one reading +another)\n%s", seed, restart, diff)
			}
			if diff := cmp.Diff(first.Closes, again.Closes); diff != "" {
				t.Fatalf("seed %d, a restart in %d: closes (-one reading +another)\n%s", seed, restart, diff)
			}
		}
	}
}
