package iotest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"millrace/io/driver"
	"millrace/schemas/record"
)

const streamKeys = 8

func streamOptions() driver.StreamOptions {
	return driver.StreamOptions{
		EventTime: func(string) func([]byte, int64) (int64, bool) { return eventTimeOf }, MaxDisorder: time.Minute, AllowedLateness: 10 * time.Second, RollBytes: 700, RollEvery: time.Hour,
	}
}

// putRecords puts n records under several keys, some of them late, some without a
// time, and gives their texts.
func putRecords(t *testing.T, p StreamPlace, from, n int) map[string]int {
	t.Helper()
	rng := rand.New(rand.NewPCG(uint64(from), uint64(n)))
	const base = 1_600_000_000_000
	put := map[string]int{}
	for key := range streamKeys {
		var records []string
		for i := key; i < n; i += streamKeys {
			at := base + int64(from+i)*10_000 - rng.Int64N(50_000)
			text := fmt.Sprintf("%d %d", at, from+i)
			switch rng.IntN(20) {
			case 0:
				text = fmt.Sprintf("%d %d", at-5*60_000, from+i)
			case 1:
				text = fmt.Sprintf("no time %d \x00\xff", from+i)
			}
			records = append(records, text)
			put[text]++
		}
		p.Put(t, fmt.Sprint("key ", key), records...)
	}
	return put
}

func beginStream(t *testing.T, s driver.Stream, readers int) []driver.Cursor {
	t.Helper()
	cursors, err := s.Begin(t.Context(), readers)
	if err != nil {
		t.Fatalf("begin: %v", err)
	}
	if len(cursors) != readers {
		t.Fatalf("%d cursors for %d readers", len(cursors), readers)
	}
	return cursors
}

func (p StreamPlace) open(t *testing.T) func() driver.Stream {
	return func() driver.Stream { return p.Open(t, streamOptions()) }
}

func streamsOnce(t *testing.T, p StreamPlace) {
	put := putRecords(t, p, 0, 300)
	for readers := 1; readers < 4; readers++ {
		open := p.open(t)
		got := ReadStream(t, open, beginStream(t, open(), readers), 0, nil)
		if diff := cmp.Diff(put, got.Texts()); diff != "" {
			t.Fatalf("%d readers: records (-put +read):\n%s", readers, diff)
		}
		got.Check(t)
		for i, r := range got.Records {
			if i > 0 && r.Source == got.Records[i-1].Source && r.Sequence == got.Records[i-1].Sequence && r.Position == got.Records[i-1].Position {
				t.Fatalf("two records have the origin of %+v", r)
			}
		}
		if len(got.Closes) < 4 {
			t.Fatalf("only %d rolls", len(got.Closes))
		}
	}
}

func streamsFromCursors(t *testing.T, p StreamPlace) {
	put := putRecords(t, p, 0, 120)
	open := p.open(t)
	at := beginStream(t, open(), 1)[0]
	var before StreamReading
	for step := 0; ; step++ {
		// All that is left, from here.
		if step%4 == 0 {
			rest := ReadStream(t, open, []driver.Cursor{slices.Clone(at)}, 0, nil)
			got := before.Texts()
			for text, n := range rest.Texts() {
				got[text] += n
			}
			if diff := cmp.Diff(put, got); diff != "" {
				t.Fatalf("after %d blocks: records (-put +read):\n%s", step, diff)
			}
		}
		// One block more.
		r, err := open().Read(t.Context(), at)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		before.Closes = map[string]record.Close{}
		came := false
		for !came && !r.Done() {
			came = nextBlock(ctx, t, r, &before)
		}
		cancel()
		if at, err = r.Cursor(); err != nil {
			t.Fatal(err)
		}
		done := r.Done()
		r.Close()
		if done {
			break
		}
	}
	if diff := cmp.Diff(put, before.Texts()); diff != "" {
		t.Fatalf("block by block: records (-put +read):\n%s", diff)
	}
}

func streamsAlike(t *testing.T, p StreamPlace) {
	putRecords(t, p, 0, 200)
	open := p.open(t)
	for readers := 1; readers < 3; readers++ {
		cursors := beginStream(t, open(), readers)
		first := ReadStream(t, open, slices.Clone(cursors), 0, nil)
		late := 0
		for _, r := range first.Records {
			if r.Behind > 0 {
				late++
			}
		}
		if late == 0 {
			t.Fatal("no record is late: the test proves nothing")
		}
		for _, restart := range []int{5, 1} {
			again := ReadStream(t, open, slices.Clone(cursors), restart, rand.New(rand.NewPCG(1, uint64(restart))))
			if diff := cmp.Diff(first, again); diff != "" {
				t.Fatalf("with a restart in %d blocks (-without +with):\n%s", restart, diff)
			}
		}
	}
}

func streamsToMany(t *testing.T, p StreamPlace) {
	put := putRecords(t, p, 0, 50)
	open := p.open(t)
	got := ReadStream(t, open, beginStream(t, open(), 20), 3, rand.New(rand.NewPCG(1, 1)))
	if diff := cmp.Diff(put, got.Texts()); diff != "" {
		t.Fatalf("records (-put +read):\n%s", diff)
	}
}

func streamsNothing(t *testing.T, p StreamPlace) {
	open := p.open(t)
	got := ReadStream(t, open, beginStream(t, open(), 2), 0, nil)
	if len(got.Records) > 0 {
		t.Errorf("an empty stream has %d records", len(got.Records))
	}
}

func streamsUntilCancelled(t *testing.T, p StreamPlace) {
	s := p.OpenEndless(t, streamOptions())
	r, err := s.Read(t.Context(), beginStream(t, s, 1)[0])
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	for range 3 {
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		b, err := r.Next(ctx)
		cancel()
		if b != nil || err != nil || r.Done() {
			t.Fatalf("an empty stream without an end gives %+v, %v, done %v", b, err, r.Done())
		}
	}
}

func streamsClosedEarly(t *testing.T, p StreamPlace) {
	putRecords(t, p, 0, 50)
	s := p.OpenEndless(t, streamOptions())
	for range 3 {
		r, err := s.Read(t.Context(), beginStream(t, s, 1)[0])
		if err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if err := r.Close(); err != nil {
				t.Error(err)
			}
		}
	}
}

func streamsKeepBlocks(t *testing.T, p StreamPlace) {
	putRecords(t, p, 0, 200)
	s := p.Open(t, streamOptions())
	r, err := s.Read(t.Context(), beginStream(t, s, 1)[0])
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	var given, copies [][]byte
	for !r.Done() {
		b, err := r.Next(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if b != nil {
			given, copies = append(given, b.Data), append(copies, bytes.Clone(b.Data))
			_ = append(b.Data, "an append must not reach the next block"...)
			_ = append(b.Ends, -1)
			_ = append(b.Positions, -1)
		}
	}
	if len(given) < 3 || !cmp.Equal(given, copies) {
		t.Fatalf("one of %d blocks changed after it was given", len(given))
	}
}

func streamsOn(t *testing.T, p StreamPlace) {
	s := p.OpenEndless(t, streamOptions())
	put := map[string]int{}
	got := StreamReading{Closes: map[string]record.Close{}}
	r, err := s.Read(t.Context(), beginStream(t, s, 1)[0])
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	for round := range 3 {
		for text := range putRecords(t, p, 100*round, 40) {
			put[text]++
		}
		for len(got.Records) < len(put) {
			nextBlock(ctx, t, r, &got)
		}
	}
	if diff := cmp.Diff(put, got.Texts()); diff != "" {
		t.Fatalf("records (-put +read):\n%s", diff)
	}
}

func streamsResharded(t *testing.T, p StreamPlace) {
	if p.Reshard == nil {
		return
	}
	for _, readers := range []int{1, 3} {
		s := p.OpenEndless(t, streamOptions())
		put := map[string]int{}
		cursors := beginStream(t, s, readers)
		got := StreamReading{Closes: map[string]record.Close{}}
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
		defer cancel()
		fresh := map[string]bool{}
		rng := rand.New(rand.NewPCG(1, 2))
		before := len(ReadStream(t, p.open(t), beginStream(t, p.Open(t, streamOptions()), 1), 0, nil).Records)
		for round := range 3 {
			for text := range putRecords(t, p, 10_000*readers+100*round, 40) {
				put[text], fresh[text] = put[text]+1, true
			}
			p.Reshard(t)
			for i := 0; len(got.Records) < len(put)+before; i = (i + 1) % readers {
				r, err := s.Read(ctx, cursors[i])
				if err != nil {
					t.Fatal(err)
				}
				for range 1 + rng.IntN(20) {
					nextBlock(ctx, t, r, &got)
				}
				if cursors[i], err = r.Cursor(); err != nil {
					t.Fatal(err)
				}
				r.Close()
			}
		}
		texts := got.Texts()
		for text := range texts {
			if !fresh[text] {
				delete(texts, text)
			}
		}
		if diff := cmp.Diff(put, texts); diff != "" {
			t.Fatalf("%d readers: records (-put +read):\n%s", readers, diff)
		}
	}
}

func streamsThroughFaults(t *testing.T, p StreamPlace) {
	if p.Fault == nil {
		return
	}
	put := putRecords(t, p, 0, 200)
	open := p.open(t)
	cursors := beginStream(t, open(), 2)
	s := open()
	if _, err := s.Begin(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	count := p.Fault(t)
	got := ReadStream(t, func() driver.Stream { return s }, cursors, 0, nil)
	if diff := cmp.Diff(put, got.Texts()); diff != "" {
		t.Fatalf("records (-put +read):\n%s", diff)
	}
	if count() == 0 {
		t.Error("no call failed: the harness proves nothing")
	}
}

func streamsMissing(t *testing.T, p StreamPlace) {
	_, err := p.Missing(t).Begin(t.Context(), 1)
	wantStreamError(t, err)
}

func streamsRemoved(t *testing.T, p StreamPlace) {
	if p.Remove == nil {
		return
	}
	put := putRecords(t, p, 0, 50)
	s := p.OpenEndless(t, streamOptions())
	r, err := s.Read(t.Context(), beginStream(t, s, 1)[0])
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	got := StreamReading{Closes: map[string]record.Close{}}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	for len(got.Records) < len(put) {
		nextBlock(ctx, t, r, &got)
	}
	p.Remove(t)
	for err == nil && ctx.Err() == nil {
		_, err = r.Next(ctx)
	}
	wantStreamError(t, err)
}

func wantStreamError(t *testing.T, err error) {
	t.Helper()
	var e *driver.Error
	if !errors.Is(err, driver.ErrNotFound) || !errors.As(err, &e) || e.Object == "" || e.Cure == "" {
		t.Errorf("the error is not of class %q, or names no object or no cure: %v", driver.ErrNotFound, err)
	}
}
