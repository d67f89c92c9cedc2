package kinesisio

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"millrace/io/driver"
	"millrace/schemas/record"
)

// given is a record as a reader gave it.
type given struct {
	Source, Sequence string
	Position         int64
	Text             string
	Arrival          int64
	Behind           int64
	Oversize         int64
	Roll             string
}

// reading is what reading a stream gave.
type reading struct {
	records []given
	closes  map[string]record.Close
}

// testTime is the event time of a test's record: the number it begins with.
func testTime(line []byte) (int64, bool) {
	number, _, _ := bytes.Cut(line, []byte{' '})
	ms, err := strconv.ParseInt(string(number), 10, 64)
	return ms, err == nil
}

// readAll reads a bounded stream from its cursors until all is done, all readers
// in turn. It starts a reader anew, from nothing but its cursor, after a random
// number of blocks when restart is positive: once in so many. It fails when a
// reader's watermark falls or passes a record that is not marked late.
func readAll(t *testing.T, open func() *Stream, cursors []driver.Cursor, restart int, rng *rand.Rand) reading {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	got := reading{closes: map[string]record.Close{}}
	readers := make([]driver.StreamReader, len(cursors))
	marks := make([]int64, len(cursors))
	start := func(i int) {
		r, err := open().Read(ctx, cursors[i])
		if err != nil {
			t.Fatal(err)
		}
		readers[i], marks[i] = r, r.Watermark()
	}
	for i := range cursors {
		start(i)
	}
	defer func() {
		for _, r := range readers {
			r.Close()
		}
	}()
	for live := true; live; {
		live = false
		for i := range readers {
			if readers[i].Done() {
				if readers[i].Watermark() != math.MaxInt64 {
					t.Fatalf("the watermark of a reader that is done is %d", readers[i].Watermark())
				}
				continue
			}
			live = true
			call, cancel := context.WithTimeout(ctx, 20*time.Millisecond)
			b, err := readers[i].Next(call)
			cancel()
			if err != nil {
				t.Fatal(err)
			}
			if ctx.Err() != nil {
				t.Fatalf("the end does not come: %+v", readers[i].Status())
			}
			if b != nil {
				got.add(t, b, marks[i])
			}
			if mark := readers[i].Watermark(); mark < marks[i] {
				t.Fatalf("the watermark falls from %d to %d", marks[i], mark)
			} else {
				marks[i] = mark
			}
			if restart > 0 && (b != nil && rng.IntN(restart) == 0 || rng.IntN(20*restart) == 0) {
				if cursors[i], err = readers[i].Cursor(); err != nil {
					t.Fatal(err)
				}
				readers[i].Close()
				before := marks[i]
				start(i)
				if marks[i] != before {
					t.Fatalf("the watermark is %d before a restart and %d after", before, marks[i])
				}
			}
		}
	}
	slices.SortFunc(got.records, func(a, b given) int {
		return strings.Compare(fmt.Sprint(a.Source, a.Sequence)+fmt.Sprintf("%020d", a.Position), fmt.Sprint(b.Source, b.Sequence)+fmt.Sprintf("%020d", b.Position))
	})
	return got
}

func (g *reading) add(t *testing.T, b *record.Block, mark int64) {
	t.Helper()
	n := len(b.Ends)
	if len(b.Positions) != n || len(b.Sequences) != n || len(b.Arrivals) != n || len(b.Behind) != n {
		t.Fatalf("lists of different lengths: %+v", b)
	}
	if b.Source == "" || b.Name == "" || b.Roll == "" || n == 0 && b.Close == nil {
		t.Fatalf("a block lacks something: %+v", b)
	}
	if _, _, err := record.ParseRoll(b.Roll); err != nil {
		t.Fatal(err)
	}
	text, err := record.Encode(*b)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := record.Decode(text); err != nil {
		t.Fatal(err)
	}
	if b.Oversize > 0 && n != 1 {
		t.Fatalf("a block with a record too long has %d", n)
	}
	at := 0
	for i, end := range b.Ends {
		r := given{b.Source, b.Sequences[i], b.Positions[i], string(b.Data[at:end]), b.Arrivals[i], b.Behind[i], b.Oversize, b.Roll}
		at = end
		g.records = append(g.records, r)
		if ms, ok := testTime([]byte(r.Text)); ok && r.Behind == 0 && ms < mark && r.Oversize == 0 {
			t.Fatalf("%+v lies %d ms before the watermark and is not marked", r, mark-ms)
		}
	}
	if b.Close == nil {
		return
	}
	if before, again := g.closes[b.Roll]; again {
		t.Fatalf("the roll %s is closed twice, by %+v and %+v", b.Roll, before, *b.Close)
	}
	g.closes[b.Roll] = *b.Close
}

// check compares what was read with the closes of its rolls, and these with each
// other: in each shard they follow each other without a hole.
func (g *reading) check(t *testing.T) {
	t.Helper()
	counts := map[string]int64{}
	for _, r := range g.records {
		counts[r.Roll]++
		c, closed := g.closes[r.Roll]
		if !closed || r.Sequence < c.First || r.Sequence > c.Last || r.Arrival < c.FirstArrival && r.Sequence == c.First || r.Arrival > c.LastArrival {
			t.Fatalf("%+v is not of its roll %+v", r, c)
		}
	}
	type link struct{ shard, after string }
	next := map[link]record.Close{}
	for roll, c := range g.closes {
		if c.Records != counts[roll] {
			t.Fatalf("the roll %s of %d records has %d", roll, c.Records, counts[roll])
		}
		shard, _, _ := strings.Cut(roll, "/")
		at := link{shard, c.After}
		if other, twice := next[at]; twice {
			t.Fatalf("two rolls follow %v: %+v and %+v", at, other, c)
		}
		next[at] = c
	}
	for at, c := range next {
		if at.after == "" {
			for !c.End && c.Last != "" {
				after := link{at.shard, c.Last}
				follower, has := next[after]
				if !has {
					break
				}
				delete(next, after)
				c = follower
			}
			delete(next, at)
		}
	}
	if len(next) > 0 {
		t.Fatalf("rolls follow none: %v", next)
	}
}

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
			EventTime: testTime, MaxDisorder: time.Minute, AllowedLateness: 10 * time.Second, RollBytes: 1000, RollEvery: 5 * time.Minute,
		},
	}
	w.tick = w.clock
	var mu sync.Mutex
	w.most = func() int { mu.Lock(); defer mu.Unlock(); return w.rng.IntN(6) }
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
func (w *world) lines(t *testing.T, g reading) map[string]int {
	t.Helper()
	got := map[string]int{}
	for _, r := range g.records {
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
		open := func() *Stream { return w.open(t, "") }
		for readers := 1; readers < 5; readers++ {
			first := readAll(t, open, w.begin(t, readers, ""), 0, w.rng)
			first.check(t)
			if diff := cmp.Diff(w.want, w.lines(t, first)); diff != "" {
				t.Fatalf("seed %d, %d readers: lines (-put +read):\n%s", seed, readers, diff)
			}
			again := readAll(t, open, w.begin(t, readers, ""), 3, w.rng)
			if diff := cmp.Diff(first, again, cmp.AllowUnexported(reading{})); diff != "" {
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
				now := w.clock().UnixMilli()
				if now > end-20_000 {
					return
				}
				i := rng.IntN(len(open))
				text := fmt.Sprintf("%d %d", now-rng.Int64N(2500), id)
				w.put(open[i], now, []byte(text))
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
		got := readAll(t, func() *Stream { return w.open(t, until) }, cursors, 1+10*seed, w.rng)
		<-done
		got.check(t)
		if diff := cmp.Diff(w.want, w.lines(t, got)); diff != "" {
			t.Fatalf("seed %d: lines (-put +read):\n%s", seed, diff)
		}
		if len(w.shards) < 10 {
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
		open := func() *Stream { return w.open(t, "") }
		first := readAll(t, open, w.begin(t, 1, ""), 0, w.rng)
		first.check(t)
		late := 0
		for _, r := range first.records {
			if r.Behind > 0 {
				late++
			}
		}
		if diff := cmp.Diff(w.want, w.lines(t, first)); diff != "" {
			t.Fatalf("seed %d: lines (-put +read):\n%s", seed, diff)
		}
		if late == 0 || len(first.closes) < 10 {
			t.Fatalf("seed %d: %d late records, %d rolls: the test proves nothing", seed, late, len(first.closes))
		}
		for _, restart := range []int{0, 20, 2} {
			again := readAll(t, open, w.begin(t, 1+w.rng.IntN(4), ""), restart, w.rng)
			if diff := cmp.Diff(first.records, again.records); diff != "" {
				t.Fatalf("seed %d, a restart in %d: (-one reading +another)\n%s", seed, restart, diff)
			}
			if diff := cmp.Diff(first.closes, again.closes); diff != "" {
				t.Fatalf("seed %d, a restart in %d: closes (-one reading +another)\n%s", seed, restart, diff)
			}
		}
	}
}
