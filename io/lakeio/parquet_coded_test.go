package lakeio

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"testing"

	"millrace/schemas/table"
)

type codedRow struct {
	Time   table.Millis `col:"time,sort1,day" doc:"time"`
	Few    string       `col:"few,sort2" mask:"none" doc:"few texts"`
	Some   *string      `col:"some,null" mask:"none" doc:"texts and nulls"`
	Many   *string      `col:"many,null" mask:"none" doc:"more text than a dictionary may have"`
	Rare   *string      `col:"rare,null" mask:"none" doc:"mostly nulls"`
	None   *string      `col:"none,null" mask:"none" doc:"nulls"`
	Plain  *string      `col:"plain,null,plain" mask:"none" doc:"texts without a dictionary"`
	Number *int64       `col:"number,null" doc:"a number"`
}

var codedRows = table.MustOf[codedRow]("test.coded", 1)

// TestCodesMakeTheBytesOfTexts compares files of texts that came as codes with what the library
// makes of the texts themselves.
func TestCodesMakeTheBytesOfTexts(t *testing.T) {
	for seed := range uint64(4) {
		pieces := codedPieces(rand.New(rand.NewPCG(seed, 1)))
		var got, want bytes.Buffer
		texts := &parquetWriter{w: genericWriter(&want, ParquetSchema(codedRows), codedRows, 128<<10), schema: codedRows, group: 128 << 10, coded: make([]*codedDictionary, len(codedRows.Columns)), limit: 2}
		for _, w := range []*parquetWriter{newParquetWriter(&got, codedRows, 128<<10), texts} {
			for _, p := range pieces {
				if err := w.add(p); err != nil {
					t.Fatal(err)
				}
			}
			if err := w.close(); err != nil {
				t.Fatal(err)
			}
		}
		if !bytes.Equal(got.Bytes(), want.Bytes()) {
			t.Errorf("seed %d: %d bytes of codes differ from %d of texts", seed, got.Len(), want.Len())
		}
	}
}

// codedPieces are of several batches, each of which knows texts by other codes.
func codedPieces(r *rand.Rand) (pieces []piece) {
	text := func(length, of int) *string {
		s := fmt.Sprintf("%0*d", length, r.IntN(of))
		return &s
	}
	var batches []*table.Batch
	for range 5 {
		b := table.NewBatch(codedRows)
		for range 40_000 {
			row := codedRow{Time: table.Millis(r.IntN(1000)), Few: *text(1+r.IntN(3), 4), Many: text(40+r.IntN(400), 1<<30)}
			if n := int64(r.IntN(9)); n > 3 {
				row.Number, row.Some, row.Plain = &n, text(9, 5000), text(5, 99)
			}
			if r.IntN(10_000) == 0 {
				row.Rare = text(0, 7)
			}
			b.Append(row)
		}
		batches = append(batches, b)
	}
	for range 90 {
		b := batches[r.IntN(len(batches))]
		from := r.IntN(b.Len())
		pieces = append(pieces, piece{b, from, from + r.IntN(b.Len()-from)})
	}
	return pieces
}
