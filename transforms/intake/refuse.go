package intake

import (
	"bytes"

	"millrace/schemas/badrow"
	"millrace/schemas/raw"
	"millrace/schemas/record"
	"millrace/schemas/table"
)

// refuse files a bad record: under the time that it was filed under before, else
// under when it came, else under the time of the readable record before it.
func (n *Intake) refuse(reason badrow.Reason, line []byte, length int64) {
	r := refused{at: n.Place, reason: reason, line: line, length: length}
	if e, ok := n.handler.(Explainer); ok && (reason == badrow.Code || reason == badrow.Unit) {
		r.detail = string(e.Detail())
	}
	switch {
	case n.filed != unfiled:
		n.file(&r, n.filed)
	case n.Arrival != 0:
		n.file(&r, n.Arrival)
	case n.last != 0:
		n.file(&r, n.last)
	default:
		if n.block.KeyID != "" {
			r.line = bytes.Clone(line) // the next record takes its place
		}
		n.waiting = append(n.waiting, r)
	}
}

// settle files the bad records that no readable one preceded in their block: under
// the time of the first readable one, else under that near the beginning of the
// source, else under 1970.
func (n *Intake) settle() {
	near := n.first
	if near == 0 {
		near = n.block.Near
	}
	for i := range n.waiting {
		n.file(&n.waiting[i], near)
	}
	n.waiting = n.waiting[:0]
}

func (n *Intake) file(r *refused, noted int64) {
	if n.outside(noted) {
		n.skip()
		return
	}
	n.bad.Append(&badrow.Row{
		BadRowID: record.EventID(r.at.Identity, r.at.Sequence, r.at.Position), NotedTime: table.Millis(noted), Stage: "decode", Reason: string(r.reason),
		Source: r.at.Source, Sequence: orNull(r.at.Sequence), Position: r.at.Position, Length: r.length, Skeleton: badrow.Skeleton(r.line),
		Detail: orNull(r.detail),
	})
	n.keep(&r.at, r.line, noted, r.length)
	n.ledger.In++
	n.ledger.AddBad(r.reason)
}

// outside tells whether a time lies outside the days to write. A time that nobody knows is
// filed under 1970, which is outside where there is a first day.
func (n *Intake) outside(ms int64) bool {
	return !n.within(table.FloorDay(ms), 0, 0)
}

// keep appends a record to the raw archive, filed under when it came or else the given
// time. length is that of the whole record, of which line may be the beginning.
func (n *Intake) keep(at *Place, line []byte, noted, length int64) {
	if n.Keep == nil {
		return
	}
	row := raw.Row{Source: at.Source, Sequence: orNull(at.Sequence), Position: at.Position, NotedTime: table.Millis(noted), Format: orNull(n.block.Format)}
	if at.Arrival != 0 {
		row.NotedTime, row.ArrivalTime = table.Millis(at.Arrival), &at.Arrival
	}
	payload, keyID := n.Keep(n.scratch[:0], line, at.Identity, at.Sequence, at.Position)
	n.scratch = payload
	row.Payload, row.KeyID = payload, orNull(keyID)
	if length > int64(len(line)) {
		row.Length = &length
	}
	n.raw.Append(&row)
}

// orNull is nil for an empty text.
func orNull(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
