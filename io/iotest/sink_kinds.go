package iotest

import (
	"slices"
	"testing"

	"millrace/schemas/table"
)

// kinds are rows of one kind, written at once.
type kinds struct {
	kind table.RowKind
	rows []SinkRow
}

// mustWriteKinds writes rows of kinds one after the other, each for good.
func (p SinkPlace) mustWriteKinds(t *testing.T, steps ...kinds) {
	t.Helper()
	for _, step := range steps {
		w := p.open(t, "run-a")
		k, ok := w.(KindWriter)
		if !ok {
			t.Fatalf("%T takes no kinds of rows", w)
		}
		for _, b := range batches(step.rows, 50) {
			if err := k.WriteRows(t.Context(), table.Rows{Batch: b, Kind: step.kind}); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Finish(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

// ofVersion gives rows with another version, and a note that says which.
func ofVersion(rows []SinkRow, version int64, note string) []SinkRow {
	rows = slices.Clone(rows)
	for i := range rows {
		rows[i].Version, rows[i].Note = version, &note
	}
	return rows
}

func withdraws(t *testing.T, h SinkHarness) {
	rows := makeRows(20, 1, 0)
	gone, kept, back := rows[:100], rows[100:200], rows[200:]
	provisional := kinds{table.Provisional, rows}
	withdrawn := kinds{table.Withdrawn, slices.Concat(ofVersion(gone, 2, "withdrawn"), ofVersion(back, 2, "withdrawn"))}
	corrected := kinds{table.Sealed, ofVersion(back, 3, "back")}
	want := slices.Concat(kept, corrected.rows)
	for name, order := range map[string][]kinds{
		"as it happened": {provisional, withdrawn, corrected}, "backwards": {corrected, withdrawn, provisional},
		"withdrawn first": {withdrawn, provisional, corrected}, "all again": {provisional, withdrawn, corrected, provisional, withdrawn, corrected},
	} {
		p := h.New(t)
		p.mustWriteKinds(t, order...)
		p.check(t, name, want)
	}
}

func seals(t *testing.T, h SinkHarness) {
	rows := makeRows(21, 1, 0)
	early, sealed := kinds{table.Provisional, ofVersion(rows, 5, "early")}, kinds{table.Sealed, ofVersion(rows, 5, "sealed")}
	later := kinds{table.Provisional, ofVersion(rows[:100], 6, "later")}
	p := h.New(t)
	p.mustWriteKinds(t, early)
	p.check(t, "provisional rows", early.rows)
	p.mustWriteKinds(t, sealed, early)
	p.check(t, "sealed, and provisional once more", sealed.rows)
	p.mustWriteKinds(t, later)
	p.check(t, "provisional again of a greater version", slices.Concat(later.rows, sealed.rows[100:]))
}
