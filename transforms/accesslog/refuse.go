package accesslog

import (
	"bytes"

	"millrace/schemas/badrow"
	"millrace/schemas/raw"
	"millrace/schemas/record"
	"millrace/schemas/table"
)

// refuse appends a bad row, or skips it when it is filed outside the days to
// write. length is that of the whole record, of which line may be the beginning.
func (w *Worker) refuse(reason badrow.Reason, line []byte, length int64) {
	r := refused{w.place, reason, line, length}
	if w.filed != unfiled {
		w.file(r, w.filed)
		return
	}
	noted := w.noted()
	if noted == 0 {
		if w.block.KeyID != "" {
			r.line = bytes.Clone(line) // the next record takes its place
		}
		w.span.waiting = append(w.span.waiting, r)
		return
	}
	w.file(r, noted)
}

func (w *Worker) file(r refused, noted int64) {
	if w.outside(noted) {
		w.ledger.Skipped++
		return
	}
	w.bad.Append(&badrow.Row{
		BadRowID: record.EventID(w.source, r.sequence, r.position), NotedTime: table.Millis(noted), Stage: "decode", Reason: string(r.reason),
		Source: w.block.Source, Sequence: orNull(r.sequence), Position: r.position, Length: r.length, Skeleton: badrow.Skeleton(r.line),
	})
	w.keep(r.place, r.line, noted, r.length)
	w.ledger.AddBad(r.reason)
}

// Settle files the bad records that no readable line preceded in their call of
// Lines, the latest one: under the time of the nearest readable line of the
// block, before them or, where there is none, after. 0 files them under the time
// near the beginning of the source, or under 1970.
func (w *Worker) Settle(s Span, near int64) {
	if near == 0 {
		near = w.block.Near
	}
	for _, r := range s.waiting {
		w.file(r, near)
	}
}

// outside tells whether a time lies outside the days to write. A time that nobody knows is
// filed under 1970, which is outside where there is a first day.
func (w *Worker) outside(ms int64) bool {
	day := table.FloorDay(ms)
	return (w.From != 0 && day < w.From) || (w.To != 0 && day > w.To)
}

// noted is the time under which a record without one of its own is filed.
func (w *Worker) noted() int64 {
	if w.arrival != 0 {
		return w.arrival
	}
	return w.span.Last
}

// keep appends a record to the raw archive, filed under when it came or else the
// given time. length is that of the whole record, of which line may be the
// beginning.
func (w *Worker) keep(at place, line []byte, noted, length int64) {
	if w.Keep == nil {
		return
	}
	if at.arrival != 0 {
		noted = at.arrival
	}
	payload, keyID := w.Keep(w.scratch[:0], line, w.source, at.sequence, at.position)
	w.scratch = payload
	b := w.raw
	b.PutString(raw.Source, w.block.Source)
	putString(b, raw.Sequence, at.sequence)
	b.PutInt(raw.Position, at.position)
	b.PutInt(raw.NotedTime, noted)
	if at.arrival != 0 {
		b.PutInt(raw.ArrivalTime, at.arrival)
	} else {
		b.PutNull(raw.ArrivalTime)
	}
	putString(b, raw.KeyID, keyID)
	b.PutText(raw.Payload, payload)
	putString(b, raw.Format, w.block.Format)
	if length > int64(len(line)) {
		b.PutInt(raw.Length, length)
	} else {
		b.PutNull(raw.Length)
	}
	b.EndRow()
}
