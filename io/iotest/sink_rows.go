package iotest

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"millrace/io/driver"
	"millrace/schemas/table"
)

const sinkDay = 86_400_000

// makeRows makes rows of some days, in no order.
func makeRows(seed uint64, version int64, days ...int64) []SinkRow {
	r := rand.New(rand.NewPCG(seed, 1))
	notes := []string{"", "plain", "naïve", "日本語", "quote ' and \"", "line\nfeed", "tab\t and \\"}
	var rows []SinkRow
	for _, day := range days {
		for i := range 300 {
			row := SinkRow{At: table.Millis(day*sinkDay + r.Int64N(sinkDay)), Key: fmt.Sprintf("key-%d-%d", day, i), Version: version}
			if r.IntN(3) > 0 {
				n := r.Int64() - r.Int64()
				row.Amount = &n
			}
			if r.IntN(3) > 0 {
				row.Note = &notes[r.IntN(len(notes))]
			}
			rows = append(rows, row)
		}
	}
	r.Shuffle(len(rows), func(i, j int) { rows[i], rows[j] = rows[j], rows[i] })
	return rows
}

// shuffled gives the rows in another order.
func shuffled(seed uint64, rows []SinkRow) []SinkRow {
	rows = slices.Clone(rows)
	rand.New(rand.NewPCG(seed, 2)).Shuffle(len(rows), func(i, j int) { rows[i], rows[j] = rows[j], rows[i] })
	return rows
}

func batches(rows []SinkRow, size int) []*table.Batch {
	var list []*table.Batch
	for part := range slices.Chunk(rows, size) {
		b := table.NewBatch(SinkRows)
		for i := range part {
			b.Append(&part[i])
		}
		list = append(list, b)
	}
	return list
}

func sorted(rows []SinkRow) []SinkRow {
	rows = slices.Clone(rows)
	slices.SortFunc(rows, func(a, b SinkRow) int {
		return cmp.Or(cmp.Compare(a.At, b.At), cmp.Compare(a.Key, b.Key), cmp.Compare(a.Version, b.Version))
	})
	return rows
}

// begin opens the place for a run.
func (p SinkPlace) begin(ctx context.Context, run string, options driver.SinkOptions) (SinkWriter, error) {
	if p.OpenWith != nil {
		return p.OpenWith(ctx, run, options)
	}
	return p.Open(ctx, run)
}

func (p SinkPlace) open(t *testing.T, run string) SinkWriter {
	t.Helper()
	w, err := p.begin(t.Context(), run, driver.SinkOptions{})
	if err != nil {
		t.Fatalf("open for run %s: %v", run, err)
	}
	return w
}

// write writes rows in batches of some size; the error is that of the first call
// that failed.
func (p SinkPlace) write(ctx context.Context, run string, rows []SinkRow, size int) error {
	return p.writeWith(ctx, run, driver.SinkOptions{}, batches(rows, size))
}

func (p SinkPlace) writeWith(ctx context.Context, run string, options driver.SinkOptions, list []*table.Batch) error {
	w, err := p.begin(ctx, run, options)
	if err != nil {
		return err
	}
	return writeTo(ctx, w, list)
}

// writeTo writes batches and ends the writer.
func writeTo(ctx context.Context, w SinkWriter, list []*table.Batch) error {
	for _, b := range list {
		if err := w.Write(ctx, b); err != nil {
			w.Abort()
			return err
		}
	}
	return w.Finish(ctx)
}

func (p SinkPlace) mustWrite(t *testing.T, run string, rows []SinkRow, size int) {
	t.Helper()
	if err := p.write(t.Context(), run, rows, size); err != nil {
		t.Fatalf("write %d rows as run %s: %v", len(rows), run, err)
	}
}

// check compares what a reader finds.
func (p SinkPlace) check(t *testing.T, what string, want []SinkRow) {
	t.Helper()
	compare(t, what, sorted(want), sorted(p.Read(t)))
}

// checkWritten compares what a reader finds after a writing that repeats one that
// was broken off. Where that appends, its rows may be there again.
func (p SinkPlace) checkWritten(t *testing.T, can SinkCan, what string, want []SinkRow) {
	t.Helper()
	got := sorted(p.Read(t))
	if can.Appends {
		got = slices.CompactFunc(got, func(a, b SinkRow) bool { return gocmp.Equal(a, b) })
	}
	compare(t, what, sorted(want), got)
}

func compare(t *testing.T, what string, want, got []SinkRow) {
	t.Helper()
	if diff := gocmp.Diff(want, got, emptyIsNil); diff != "" {
		t.Fatalf("%s (-want +stored):\n%s", what, diff)
	}
}

var emptyIsNil = gocmp.Transformer("emptyIsNil", func(rows []SinkRow) map[int]SinkRow { return maps.Collect(slices.All(rows)) })

// bytes gives what is stored where bytes are pinned.
func (p SinkPlace) bytes(t *testing.T, can SinkCan) map[string]string {
	t.Helper()
	if !can.Pinned {
		return nil
	}
	return p.Stored(t)
}

// checkBytes compares stored bytes; a difference names what differs and does not
// show it.
func checkBytes(t *testing.T, what string, want, got map[string]string) {
	t.Helper()
	if diff := gocmp.Diff(slices.Sorted(maps.Keys(want)), slices.Sorted(maps.Keys(got))); diff != "" {
		t.Fatalf("%s, other things are stored:\n%s", what, diff)
	}
	for name := range want {
		if want[name] != got[name] {
			t.Errorf("%s, the bytes of %s differ", what, name)
		}
	}
}
