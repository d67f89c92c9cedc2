package kinesisio

import (
	"time"

	"millrace/schemas/record"
)

// openRoll is a roll that has begun, as a cursor keeps it.
//
// Where a roll ends follows from the records of its shard alone: before the
// record that arrived RollEvery after its first, and behind the one that fills it
// to RollBytes. A shard at its tip has no record yet that could end it, so there
// the clock does once RollEvery and a grace have passed: a record to come arrives
// later still and would begin a new roll anyhow, as long as the service's
// arrival times are right to the grace. Whoever reads the shard again cuts alike.
type openRoll struct {
	First        string `json:"first"`
	After        string `json:"after,omitempty"`
	Lost         bool   `json:"lost,omitempty"`
	FirstArrival int64  `json:"firstArrival"`
	LastArrival  int64  `json:"lastArrival"`
	Last         string `json:"last"`
	Bytes        int64  `json:"bytes"` // of stream records
	Records      int64  `json:"records"`
}

// rollGrace is by how much arrival times may differ from the service's clock.
const rollGrace = 30 * time.Second

// rolling bounds rolls.
type rolling struct {
	bytes int64
	every int64 // milliseconds
}

// ends tells whether a stream record that arrived then begins another roll.
func (o *openRoll) ends(arrival int64, b rolling) bool {
	return o.Bytes >= b.bytes || arrival >= o.FirstArrival+b.every
}

// over tells whether the clock ends the roll of a shard that had nothing more at
// that time.
func (o *openRoll) over(now int64, b rolling) bool {
	return now > o.FirstArrival+b.every+rollGrace.Milliseconds()
}

// add counts a stream record in.
func (o *openRoll) add(p *part) {
	o.Last, o.LastArrival = p.sequence, max(o.LastArrival, p.arrival)
	o.Bytes += int64(p.bytes)
}

func (o *openRoll) close() *record.Close {
	return &record.Close{
		Records: o.Records, First: o.First, Last: o.Last, After: o.After, Lost: o.Lost,
		FirstArrival: o.FirstArrival, LastArrival: o.LastArrival,
	}
}
