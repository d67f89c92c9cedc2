package rollup

import (
	"encoding/binary"
	"fmt"

	"millrace/transforms/internal/wire"
	"millrace/transforms/sketch"
)

// Visitors counts the distinct visitors of a day, with and without bots. A
// visitor is a 64-bit hash ([sketch.Hash] of the visitor's id) and is either a
// bot on all requests or on none.
type Visitors struct {
	limit int
	days  map[int64]*visitorDay
	last  *visitorDay
}

type visitorDay struct {
	day          int64
	events       int64
	people, bots *sketch.Distinct
}

// NewVisitors returns an empty table that counts up to limit visitors of a day
// one by one; [sketch.DefaultLimit] when zero.
func NewVisitors(limit int) *Visitors {
	if limit == 0 {
		limit = sketch.DefaultLimit
	}
	return &Visitors{limit: limit, days: map[int64]*visitorDay{}}
}

// Add counts a visitor's request at t (ms).
func (a *Visitors) Add(t int64, visitor uint64, bot bool) {
	day := floor(t, dayMs)
	if a.last == nil || a.last.day != day {
		a.last = a.of(day)
	}
	a.last.events++
	if bot {
		a.last.bots.Add(visitor)
	} else {
		a.last.people.Add(visitor)
	}
}

func (a *Visitors) of(day int64) *visitorDay {
	d := a.days[day]
	if d == nil {
		d = &visitorDay{day: day, people: sketch.NewDistinct(a.limit), bots: sketch.NewDistinct(a.limit)}
		a.days[day] = d
	}
	return d
}

// Reset empties the table.
func (a *Visitors) Reset() { clear(a.days); a.last = nil }

// Parts encodes the table, a day a part: requests, people, bots.
func (a *Visitors) Parts() []Part {
	var parts []Part
	for _, day := range ascending(a.days) {
		d := a.days[day]
		b := binary.AppendVarint([]byte{encodingVersion}, day)
		b = binary.AppendUvarint(b, uint64(d.events))
		b = wire.AppendText(b, d.people.AppendEncoded(nil))
		b = wire.AppendText(b, d.bots.AppendEncoded(nil))
		parts = append(parts, dayPart(day, b))
	}
	return parts
}

// Merge adds a part. After an error the table must be Reset.
func (a *Visitors) Merge(blob []byte) error {
	in, day := open(blob, maxHour)
	events := int64(in.Limited(maxCount))
	people, bots := in.Text(), in.Text()
	err := in.Close()
	if err == nil {
		d := a.of(day)
		d.events += events
		if err = mergeDistinct(d.people, people); err == nil {
			err = mergeDistinct(d.bots, bots)
		}
	}
	if err != nil {
		return fmt.Errorf("merging visitors: %w", err)
	}
	return nil
}

func mergeDistinct(d *sketch.Distinct, encoded []byte) error {
	o, err := sketch.DecodeDistinct(encoded)
	if err != nil {
		return err
	}
	return d.Merge(o)
}

// VisitorRow is the distinct visitors of a day.
type VisitorRow struct {
	Day         int64 // days since the epoch
	Visitors    int64
	WithoutBots int64
	Exact       bool  // otherwise both are HyperLogLog estimates
	Version     int64 // revision * 2^32 + requests of the day
}

// Rows returns a row a day.
func (a *Visitors) Rows(revision Revision) ([]VisitorRow, error) {
	var rows []VisitorRow
	for _, day := range ascending(a.days) {
		d := a.days[day]
		all := d.people.Clone()
		if err := all.Merge(d.bots); err != nil {
			return nil, fmt.Errorf("rows of visitors: %w", err)
		}
		row := VisitorRow{
			Day: day, Visitors: all.Count(), WithoutBots: d.people.Count(), Exact: all.Exact(),
			Version: revision.version(day*dayMs, d.events),
		}
		if !row.Exact { // so that one is never greater than the other
			row.WithoutBots = d.people.Estimate()
		}
		rows = append(rows, row)
	}
	return rows, nil
}
