package table_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"

	"millrace/schemas/table"
)

type lentRow struct {
	At    table.Millis `col:"at,sort1,day" doc:"d"`
	Text  *string      `col:"text,null" mask:"none" doc:"d"`
	ID    *table.ID    `col:"id,null" doc:"d"`
	Count *int64       `col:"count,null" doc:"d"`
	Flag  *bool        `col:"flag,null" doc:"d"`
	Zero  int64        `col:"zero" doc:"d"`
}

var lentSchema = table.MustOf[lentRow]("lent", 1)

func lentRows(b *table.Batch) (rows []lentRow) {
	for i := range b.Len() {
		var r lentRow
		b.Row(i, &r)
		rows = append(rows, r)
	}
	return rows
}

// TestWhatBatchesShareNobodyChanges does to batches whose columns are mostly null what can be
// done to batches, and compares them with plain lists of rows.
func TestWhatBatchesShareNobodyChanges(t *testing.T) {
	for seed := range uint64(300) {
		rng := rand.New(rand.NewPCG(seed, 5))
		b, want := table.NewBatch(lentSchema), []lentRow(nil)
		for range 30 {
			switch n := rng.IntN(8); n {
			case 0, 1, 2: // rows with nulls
				for range rng.IntN(20) {
					b.PutInt(0, int64(len(want)))
					b.PutInt(5, 0)
					want = append(want, lentRow{At: table.Millis(len(want))})
					b.EndRow()
				}
				b.PadNulls(1, 4)
			case 3: // and now and then one without
				text, id, count, flag := fmt.Sprint(rng.IntN(3)), table.ID{byte(n)}, int64(rng.IntN(9)), rng.IntN(2) == 0
				row := lentRow{At: table.Millis(len(want)), Text: &text, ID: &id, Count: &count, Flag: &flag, Zero: 7}
				b.Append(row)
				want = append(want, row)
			case 4:
				n := rng.IntN(len(want) + 1)
				b.Rewind(n)
				want = want[:n:n]
			case 5, 6:
				var rows []uint32
				var kept []lentRow
				for i, row := range want {
					if rng.IntN(4) > 0 {
						rows, kept = append(rows, uint32(i)), append(kept, row)
					}
				}
				if n == 5 {
					b.Keep(rows)
				} else {
					src := b
					b = src.Fresh()
					b.Gather(src, rows)
				}
				want = kept
			default:
				blob, err := table.EncodeRows(table.Rows{Batch: b})
				if err != nil {
					t.Fatal(err)
				}
				if b.Len() > 0 && rng.IntN(2) == 0 {
					b.SetInt(5, max(0, b.Len()-1), 1) // of the rows before: must not show
				}
				rows, err := table.DecodeRowsInto(b, blob)
				if err != nil {
					t.Fatal(err)
				}
				b = rows.Batch
			}
			if err := b.Check(); err != nil {
				t.Fatalf("seed %d: %v", seed, err)
			}
			if diff := cmp.Diff(want, lentRows(b)); diff != "" && len(want)+b.Len() > 0 {
				t.Fatalf("seed %d (-want +got):\n%s", seed, diff)
			}
			for col := 1; col < 5; col++ {
				for row := range b.Len() {
					if b.AllNull(col) && !b.Null(col, row) {
						t.Fatalf("seed %d: column %d is said to be all null", seed, col)
					}
				}
			}
		}
	}
	b, want := table.NewBatch(lentSchema), make([]lentRow, 1000)
	for range want {
		b.PutInt(0, 0)
		b.PutInt(5, 0)
		b.EndRow()
	}
	b.PadNulls(1, 4)
	if diff := cmp.Diff(want, lentRows(b)); diff != "" {
		t.Errorf("what is shared was changed:\n%s", diff)
	}
}

// TestMarksOfRowsWithoutNullsAreNobodysElse: a batch that had no nulls is used again for rows with
// some, is cut and is added to. Rows that are decoded after that have none, still.
func TestMarksOfRowsWithoutNullsAreNobodysElse(t *testing.T) {
	count, flag := int64(1), true
	encoded := func(some bool) []byte {
		b := table.NewBatch(lentSchema)
		for i := range 20 {
			row := lentRow{Count: &count, Flag: &flag}
			if some && i%2 == 0 {
				row = lentRow{}
			}
			b.Append(row)
		}
		blob, err := table.EncodeRows(table.Rows{Batch: b})
		if err != nil {
			t.Fatal(err)
		}
		return blob
	}
	full, some := encoded(false), encoded(true)
	decoded := func(spent *table.Batch, blob []byte) *table.Batch {
		rows, err := table.DecodeRowsInto(spent, blob)
		if err != nil {
			t.Fatal(err)
		}
		return rows.Batch
	}
	for name, use := range map[string]func(b *table.Batch){
		"decoded into": func(b *table.Batch) { decoded(b, some) },
		"reset":        func(b *table.Batch) { b.Reset(); b.Append(lentRow{}) },
		"rewound":      func(b *table.Batch) { b.Rewind(3); b.Append(lentRow{}) },
		"cut":          func(b *table.Batch) { b.Keep([]uint32{0, 5, 6}); b.Append(lentRow{}) },
	} {
		use(decoded(nil, full))
		for i, r := range lentRows(decoded(nil, full)) {
			if r.Count == nil || r.Flag == nil {
				t.Errorf("after a batch was %s, row %d of another has a null", name, i)
				break
			}
		}
	}
}
