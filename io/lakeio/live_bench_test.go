package lakeio

import (
	"fmt"
	"testing"

	"millrace/schemas/ledger"
	"millrace/schemas/record"
	"millrace/schemas/table"
)

// BenchmarkRoll stages and closes a roll of 200,000 events in 40 segments, in a
// folder; an event stands for a line of about 200 bytes.
func BenchmarkRoll(b *testing.B) {
	const segments, rows, line = 40, 5_000, 200
	s, err := OpenStore(b.Context(), b.TempDir())
	if err != nil {
		b.Fatal(err)
	}
	schema := lakeSchemas["events"]
	l, err := LiveWriting{Run: "live", Schemas: map[string]string{"events": schema.ID()}}.open(s)
	if err != nil {
		b.Fatal(err)
	}
	var batches []*table.Batch
	for seed := range uint64(segments) {
		rowsOf := awkwardBatch(schema, seed, rows)
		for row := range rows { // nearly in order, as in a log
			rowsOf.SetInt(schema.DayBy, row, arrived-dayMs/2+(int64(seed)*rows+int64(row*7%11)+int64(row)))
		}
		batches = append(batches, rowsOf)
	}
	b.SetBytes(segments * rows * line)
	for n := 0; b.Loop(); n++ {
		first := record.Sequence(fmt.Sprint(n + 1))
		roll := record.RollOf(shardID(n), first)
		var all []Segment
		for _, rows := range batches {
			staged, err := l.Stage(b.Context(), "events", map[string][]*table.Batch{roll: {rows}})
			if err != nil {
				b.Fatal(err)
			}
			all = append(all, staged...)
		}
		part := ledger.Part{Roll: roll, Ledger: ledger.Ledger{In: segments * rows, Events: segments * rows}, Close: &record.Close{Records: segments * rows, First: first, Last: first}}
		if _, err := l.CloseRoll(b.Context(), part, all); err != nil {
			b.Fatal(err)
		}
	}
}
