package iotest

import (
	"bytes"
	"cmp"
	"context"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"millrace/io/driver"
	"millrace/schemas/record"
)

// StreamRecord is a record as a stream gave it.
type StreamRecord struct {
	Source, Sequence string
	Position         int64
	Text             string
	Arrival          int64
	Behind           int64
	Oversize         int64
	Roll             string
}

// StreamReading is what reading a stream gave.
type StreamReading struct {
	Records []StreamRecord
	Closes  map[string]record.Close // of rolls
}

func eventTimeOf(text []byte, _ int64) (int64, bool) { return EventTime(text) }

// EventTime is the event time of a test's record: the number that it begins with,
// in Unix milliseconds, up to a space or the end.
func EventTime(text []byte) (int64, bool) {
	number, _, _ := bytes.Cut(text, []byte{' '})
	ms, err := strconv.ParseInt(string(number), 10, 64)
	return ms, err == nil
}

// ReadStream reads a stream with an end from its cursors until all is done, all
// readers in turn, and gives the records by origin. After about one in so many
// blocks, if restart is positive, it starts the reader anew, by another stream
// value, from nothing but its cursor, which it leaves in cursors. It fails the
// test when a watermark falls, passes a record that is not marked late, or is
// another one after a restart.
func ReadStream(t *testing.T, open func() driver.Stream, cursors []driver.Cursor, restart int, rng *rand.Rand) StreamReading {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	got := StreamReading{Closes: map[string]record.Close{}}
	readers := make([]driver.StreamReader, len(cursors))
	start := func(i int) {
		r, err := open().Read(ctx, cursors[i])
		if err != nil {
			t.Fatalf("read reader %d: %v", i, err)
		}
		readers[i] = r
	}
	defer func() {
		for _, r := range readers {
			if r != nil {
				r.Close()
			}
		}
	}()
	for i := range cursors {
		start(i)
	}
	for live := true; live; {
		live = false
		for i := range readers {
			if readers[i].Done() {
				continue
			}
			live = true
			block := nextBlock(ctx, t, readers[i], &got)
			if restart <= 0 || block && rng.IntN(restart) > 0 || !block && rng.IntN(20*restart) > 0 {
				continue
			}
			at, err := readers[i].Cursor()
			if err != nil {
				t.Fatalf("the cursor of reader %d: %v", i, err)
			}
			mark := readers[i].Watermark()
			readers[i].Close()
			cursors[i] = at
			if start(i); readers[i].Watermark() != mark {
				t.Fatalf("the watermark of reader %d is %d before a restart and %d after", i, mark, readers[i].Watermark())
			}
		}
	}
	for i, r := range readers {
		if r.Watermark() != math.MaxInt64 {
			t.Fatalf("the watermark of reader %d, which is done, is %d", i, r.Watermark())
		}
	}
	slices.SortFunc(got.Records, func(a, b StreamRecord) int {
		return cmp.Or(cmp.Compare(a.Source, b.Source), cmp.Compare(a.Sequence, b.Sequence), cmp.Compare(a.Position, b.Position))
	})
	return got
}

// nextBlock waits a moment for a block and tells whether one came.
func nextBlock(ctx context.Context, t *testing.T, r driver.StreamReader, got *StreamReading) bool {
	t.Helper()
	mark := r.Watermark()
	call, cancel := context.WithTimeout(ctx, 20*time.Millisecond)
	b, err := r.Next(call)
	cancel()
	if err != nil {
		t.Fatalf("the next block: %v", err)
	}
	if ctx.Err() != nil {
		t.Fatalf("the end does not come: %+v", r.Status())
	}
	if b != nil {
		got.Add(t, b, mark)
	}
	if now := r.Watermark(); now < mark {
		t.Fatalf("the watermark falls from %d to %d", mark, now)
	}
	return b != nil
}

// Add takes a block that came when its reader's watermark was mark, and checks
// its form.
func (g *StreamReading) Add(t *testing.T, b *record.Block, mark int64) {
	t.Helper()
	n := len(b.Ends)
	if len(b.Positions) != n || len(b.Sequences) != n || len(b.Arrivals) != n || len(b.Behind) != n {
		t.Fatalf("a block of %d records has %d positions, %d sequence numbers, %d arrivals and %d delays", n, len(b.Positions), len(b.Sequences), len(b.Arrivals), len(b.Behind))
	}
	if b.Source == "" || b.Name == "" || n == 0 && b.Close == nil || b.Oversize > 0 && n != 1 {
		t.Fatalf("a block without source, name or records, or of more than a long one: %+v", b)
	}
	if shard, _, err := record.ParseRoll(b.Roll); err != nil || shard.String() != b.Source {
		t.Fatalf("a block of %s in the roll %q: %v", b.Source, b.Roll, err)
	}
	text, err := record.Encode(*b)
	if err == nil {
		_, err = record.Decode(text)
	}
	if err != nil {
		t.Fatalf("a block does not travel: %v", err)
	}
	at := 0
	for i, end := range b.Ends {
		r := StreamRecord{b.Source, b.Sequences[i], b.Positions[i], string(b.Data[at:end]), b.Arrivals[i], b.Behind[i], b.Oversize, b.Roll}
		at = end
		g.Records = append(g.Records, r)
		if ms, ok := EventTime([]byte(r.Text)); ok && r.Behind == 0 && ms < mark && r.Oversize == 0 {
			t.Fatalf("%+v lies %d ms before the watermark and is not marked late", r, mark-ms)
		}
	}
	if b.Close == nil {
		return
	}
	if before, again := g.Closes[b.Roll]; again {
		t.Fatalf("the roll %s is closed twice, by %+v and %+v", b.Roll, before, *b.Close)
	}
	g.Closes[b.Roll] = *b.Close
}

// Check compares all records of a stream with the closes of their rolls, and
// these with each other: in each shard they follow one another without a hole.
func (g *StreamReading) Check(t *testing.T) {
	t.Helper()
	counts := map[string]int64{}
	for _, r := range g.Records {
		counts[r.Roll]++
		c, closed := g.Closes[r.Roll]
		if !closed || r.Sequence < c.First || r.Sequence > c.Last || r.Arrival > c.LastArrival {
			t.Fatalf("%+v is not of its roll %+v", r, c)
		}
	}
	type link struct{ shard, after string }
	next := map[link]record.Close{}
	for roll, c := range g.Closes {
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
		if at.after != "" {
			continue
		}
		delete(next, at)
		for c.Last != "" {
			follows := link{at.shard, c.Last}
			follower, has := next[follows]
			if !has {
				break
			}
			delete(next, follows)
			c = follower
		}
	}
	if len(next) > 0 {
		t.Fatalf("rolls that follow none: %v", next)
	}
}

// Texts counts the records by text.
func (g *StreamReading) Texts() map[string]int {
	texts := map[string]int{}
	for _, r := range g.Records {
		texts[r.Text]++
	}
	return texts
}
