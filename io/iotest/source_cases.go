package iotest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"millrace/io/driver"
	"millrace/schemas/record"
)

const unitBytes = 64 << 10

// writeUnits stores a few units and gives all their records.
func writeUnits(t *testing.T, p SourcePlace) (units map[string][]string, all []string) {
	t.Helper()
	units = map[string][]string{}
	for i := range 3 {
		name := fmt.Sprintf("unit-%d.log", i)
		units[name] = makeRecords(uint64(i+1), unitBytes)
		p.Write(t, name, units[name])
		all = append(all, units[name]...)
	}
	slices.Sort(all)
	return units, all
}

func readsOnce(t *testing.T, _ SourceHarness, p SourcePlace) {
	units, all := writeUnits(t, p)
	records := ReadAll(t, p.Open(t))
	if diff := cmp.Diff(all, texts(records)); diff != "" {
		t.Fatalf("records (-written +read):\n%s", diff)
	}
	type origin struct {
		source   string
		position int64
	}
	bySource := map[string][]Record{}
	seen := map[origin]bool{}
	for _, r := range records {
		o := origin{r.Source, r.Position}
		if seen[o] || r.Duplicate {
			t.Fatalf("origin %v is read twice or marked as a duplicate", o)
		}
		seen[o] = true
		bySource[r.Source] = append(bySource[r.Source], r)
	}
	if len(bySource) != len(units) {
		t.Errorf("%d units have %d identities", len(units), len(bySource))
	}
	if p.Position == nil {
		return
	}
	for name, want := range units {
		for _, got := range bySource {
			if got[0].Text != want[0] || len(got) != len(want) {
				continue
			}
			for i, r := range got {
				if at := p.Position(want, i); r.Position != at || r.Text != want[i] {
					t.Fatalf("record %d of %s is %q at %d, written as %q at %d", i, name, r.Text, r.Position, want[i], at)
				}
			}
		}
	}
}

func readsAlike(t *testing.T, _ SourceHarness, p SourcePlace) {
	writeUnits(t, p)
	first, second := p.Open(t), p.Open(t)
	splits := plan(t, first)
	if diff := cmp.Diff(splits, plan(t, second)); diff != "" {
		t.Fatalf("two plans differ:\n%s", diff)
	}
	if len(splits) < 3 {
		t.Fatalf("only %d splits: the harness must cut smaller", len(splits))
	}
	blocks := 0
	for _, split := range splits {
		text, err := json.Marshal(split)
		if err != nil {
			t.Fatal(err)
		}
		var travelled driver.Split
		if err := json.Unmarshal(text, &travelled); err != nil {
			t.Fatal(err)
		}
		here, there := readSplit(t, first, split), readSplit(t, second, travelled)
		if diff := cmp.Diff(here, there); diff != "" {
			t.Fatalf("split %s differs when read elsewhere:\n%s", split.ID, diff)
		}
		blocks += len(here)
	}
	if blocks < 2*len(splits) {
		t.Errorf("%d splits have only %d blocks: the harness must cut smaller", len(splits), blocks)
	}
}

func readsAnywhere(t *testing.T, _ SourceHarness, p SourcePlace) {
	_, all := writeUnits(t, p)
	s := p.Open(t)
	splits := plan(t, s)
	slices.Reverse(splits)
	results := make([][]record.Block, len(splits))
	var readers sync.WaitGroup
	for i, split := range splits {
		readers.Go(func() {
			r, err := s.Open(t.Context(), split)
			if err != nil {
				t.Errorf("open split %s: %v", split.ID, err)
				return
			}
			defer r.Close()
			for {
				block, err := r.Next(t.Context())
				if errors.Is(err, io.EOF) {
					return
				}
				if err != nil {
					t.Errorf("read split %s: %v", split.ID, err)
					return
				}
				results[i] = append(results[i], block)
			}
		})
	}
	readers.Wait()
	var records []Record
	for _, blocks := range results {
		records = append(records, recordsOf(t, blocks)...)
	}
	if diff := cmp.Diff(all, texts(records)); diff != "" {
		t.Errorf("records (-written +read):\n%s", diff)
	}
}

func keepsBlocks(t *testing.T, _ SourceHarness, p SourcePlace) {
	writeUnits(t, p)
	s := p.Open(t)
	for _, split := range plan(t, s) {
		r, err := s.Open(t.Context(), split)
		if err != nil {
			t.Fatal(err)
		}
		var given, copies [][]byte
		for {
			block, err := r.Next(t.Context())
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			given = append(given, block.Data)
			copies = append(copies, bytes.Clone(block.Data))
			_ = append(block.Data, "an append must not reach the next block"...)
		}
		r.Close()
		if !cmp.Equal(given, copies) {
			t.Fatalf("a block of split %s changed after it was given", split.ID)
		}
	}
}

func readsNothing(t *testing.T, _ SourceHarness, p SourcePlace) {
	p.Write(t, "empty.log", nil)
	if records := ReadAll(t, p.Open(t)); len(records) > 0 {
		t.Errorf("an empty unit has %d records", len(records))
	}
	records := makeRecords(1, 1000)
	p.Write(t, "full.log", records)
	if got := ReadAll(t, p.Open(t)); len(got) != len(records) {
		t.Errorf("beside an empty unit %d records of %d are read", len(got), len(records))
	}
}

func missing(t *testing.T, _ SourceHarness, p SourcePlace) {
	wantClass(t, p.Missing(t), driver.ErrNotFound)
}

func unreadable(t *testing.T, _ SourceHarness, p SourcePlace) {
	if p.Unreadable == nil {
		return
	}
	writeUnits(t, p)
	wantClass(t, p.Unreadable(t), driver.ErrPermission)
}

func damaged(t *testing.T, _ SourceHarness, p SourcePlace) {
	if p.Damage == nil {
		return
	}
	writeUnits(t, p)
	p.Damage(t, "unit-1.log")
	wantClass(t, p.Open(t), driver.ErrCorrupt)
}

// wantClass reads until an error, which must have a class and say what to do.
func wantClass(t *testing.T, s driver.Source, class error) {
	t.Helper()
	err := firstError(t, s)
	if !errors.Is(err, class) {
		t.Fatalf("the error is %v, not of class %q", err, class)
	}
	var e *driver.Error
	if !errors.As(err, &e) || e.Object == "" || e.Cure == "" {
		t.Errorf("the error names no object or no cure: %v", err)
	}
}

func firstError(t *testing.T, s driver.Source) error {
	splits, err := s.Splits(t.Context())
	if err != nil {
		return err
	}
	for _, split := range splits {
		r, err := s.Open(t.Context(), split)
		for err == nil {
			_, err = r.Next(t.Context())
		}
		if r != nil {
			r.Close()
		}
		if !errors.Is(err, io.EOF) {
			return err
		}
	}
	return nil
}

func cancelPlan(t *testing.T, _ SourceHarness, p SourcePlace) {
	writeUnits(t, p)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := p.Open(t).Splits(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("the error is %v", err)
	}
}

func cancelReader(t *testing.T, _ SourceHarness, p SourcePlace) {
	writeUnits(t, p)
	s := p.Open(t)
	for name, cancelNext := range map[string]bool{"the context of Open": false, "the context of Next": true} {
		ctx, cancel := context.WithCancel(t.Context())
		opened, next := ctx, t.Context()
		if cancelNext {
			opened, next = t.Context(), ctx
		}
		r, err := s.Open(opened, plan(t, s)[0])
		if err != nil {
			t.Fatal(err)
		}
		if _, err := r.Next(next); err != nil {
			t.Fatal(err)
		}
		cancel()
		// What was read ahead may still come, but then an error and not the end of
		// a split that was not read to its end.
		var last error
		for last == nil {
			_, last = r.Next(next)
		}
		if !errors.Is(last, context.Canceled) {
			t.Errorf("after %s is cancelled Next gives %v", name, last)
		}
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	}
}

func closeEarly(t *testing.T, _ SourceHarness, p SourcePlace) {
	writeUnits(t, p)
	s := p.Open(t)
	for range 3 {
		r, err := s.Open(t.Context(), plan(t, s)[0])
		if err != nil {
			t.Fatal(err)
		}
		if err := r.Close(); err != nil {
			t.Error(err)
		}
		if err := r.Close(); err != nil {
			t.Errorf("a second Close gives %v", err)
		}
	}
}

func readsTorn(t *testing.T, _ SourceHarness, p SourcePlace) {
	if p.WriteTorn == nil {
		return
	}
	records := []string{"first", "second", "the last, without an end"}
	p.WriteTorn(t, "torn.log", records)
	var got []string
	for _, r := range ReadAll(t, p.Open(t)) {
		got = append(got, r.Text)
	}
	if diff := cmp.Diff(records, got); diff != "" {
		t.Errorf("records (-written +read):\n%s", diff)
	}
}

func readsOversize(t *testing.T, h SourceHarness, p SourcePlace) {
	if h.MaxRecord == 0 {
		return
	}
	long := func(n int) string { return strings.Repeat("0123456789", n/10+1)[:n] }
	records := []string{"first", long(h.MaxRecord), "between", long(h.MaxRecord + 1), "again", long(20 * h.MaxRecord), long(3 * h.MaxRecord), "last"}
	p.Write(t, "long.log", records)
	got := sortRecords(ReadAll(t, p.Open(t)))
	if len(got) != len(records) {
		t.Fatalf("%d records, not %d", len(got), len(records))
	}
	for i, r := range got {
		want := records[i]
		if len(want) <= h.MaxRecord {
			if r.Oversize != 0 || r.Text != want {
				t.Errorf("record %d of %d bytes is given with oversize %d, %d bytes", i, len(want), r.Oversize, len(r.Text))
			}
			continue
		}
		if r.Oversize != int64(len(want)) || r.Text == "" || len(r.Text) > h.MaxRecord || !strings.HasPrefix(want, r.Text) {
			t.Errorf("record %d of %d bytes is given with oversize %d and a head of %d bytes", i, len(want), r.Oversize, len(r.Text))
		}
	}
}

func marksCopies(t *testing.T, _ SourceHarness, p SourcePlace) {
	if p.Copy == nil {
		return
	}
	units, all := writeUnits(t, p)
	p.Copy(t, "unit-1.log", "a-copy.log")
	p.Copy(t, "unit-1.log", "z-copy.log")
	var read, dropped []Record
	for _, r := range ReadAll(t, p.Open(t)) {
		if r.Duplicate {
			dropped = append(dropped, r)
		} else {
			read = append(read, r)
		}
	}
	if diff := cmp.Diff(all, texts(read)); diff != "" {
		t.Errorf("records that are no duplicates (-written +read):\n%s", diff)
	}
	twice := slices.Concat(units["unit-1.log"], units["unit-1.log"])
	slices.Sort(twice)
	if diff := cmp.Diff(twice, texts(dropped)); diff != "" {
		t.Errorf("duplicates (-copied +marked):\n%s", diff)
	}
	known := map[Record]bool{}
	for _, r := range read {
		known[r] = true
	}
	for _, r := range dropped {
		if r.Duplicate = false; !known[r] {
			t.Fatalf("the duplicate at %s:%d is not read elsewhere", r.Source, r.Position)
		}
	}
}

func survivesResets(t *testing.T, _ SourceHarness, p SourcePlace) {
	if p.Reset == nil {
		return
	}
	records := makeRecords(9, 3<<20)
	p.Write(t, "big.log", records)
	s := p.Open(t)
	splits := plan(t, s)
	count := p.Reset(t)
	var got []string
	for _, split := range splits {
		for _, r := range recordsOf(t, readSplit(t, s, split)) {
			got = append(got, r.Text)
		}
	}
	if n := count(); n == 0 {
		t.Error("no connection was broken: the harness proves nothing")
	}
	if !slices.Equal(records, got) {
		t.Errorf("%d records are read of %d, or others", len(got), len(records))
	}
}
