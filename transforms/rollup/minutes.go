package rollup

import (
	"encoding/binary"
	"fmt"
	"maps"
	"slices"

	"millrace/transforms/internal/wire"
	"millrace/transforms/sketch"
)

// minuteLimit is how many visitors of a minute are counted one by one. It is part of
// the encoding.
const minuteLimit = 4096

// Minutes counts the distinct visitors of each minute, bots among them: one by one up
// to 4,096, by HyperLogLog (standard error 0.81 %) beyond. Which of the two depends
// only on how many there are.
type Minutes struct {
	minutes map[int64]*minuteVisitors
	last    *minuteVisitors
	round   uint32 // counts the times it was emptied
}

// MinuteSeen remembers the minute in which a visitor was counted last, for callers that meet him
// often. It belongs to one visitor and one table; its zero value remembers none.
type MinuteSeen struct {
	round  uint32
	minute int64
}

type minuteVisitors struct {
	minute int64
	exact  map[uint64]struct{} // nil beyond the limit
	beyond *sketch.HLL
}

// NewMinutes returns an empty table.
func NewMinutes() *Minutes { return &Minutes{round: 1, minutes: map[int64]*minuteVisitors{}} }

// Add counts a visitor's request at t (ms). seen is nil or what remembers him.
func (a *Minutes) Add(t int64, visitor uint64, seen *MinuteSeen) {
	minute := floor(t, minuteMs)
	if seen == nil {
		seen = &MinuteSeen{}
	}
	if *seen == (MinuteSeen{a.round, minute}) {
		return
	}
	*seen = MinuteSeen{a.round, minute}
	if a.last == nil || a.last.minute != minute {
		a.last = a.of(minute)
	}
	a.last.add(visitor)
}

func (a *Minutes) of(minute int64) *minuteVisitors {
	m := a.minutes[minute]
	if m == nil {
		m = &minuteVisitors{minute: minute, exact: map[uint64]struct{}{}}
		a.minutes[minute] = m
	}
	return m
}

func (m *minuteVisitors) add(visitor uint64) {
	if m.exact == nil {
		m.beyond.Add(visitor)
		return
	}
	if m.exact[visitor] = struct{}{}; len(m.exact) > minuteLimit {
		m.estimate()
	}
}

func (m *minuteVisitors) estimate() {
	m.beyond = &sketch.HLL{}
	for visitor := range m.exact {
		m.beyond.Add(visitor)
	}
	m.exact = nil
}

func (m *minuteVisitors) count() int64 {
	if m.exact == nil {
		return m.beyond.Count()
	}
	return int64(len(m.exact))
}

// Reset empties the table.
func (a *Minutes) Reset() {
	clear(a.minutes)
	a.last = nil
	a.round++
}

// Parts encodes the table, an hour a part: the number of minutes, then for each how
// many minutes after the one before it comes, the number of visitors and these in
// ascending order, 8 bytes each; or one more than the limit and the HyperLogLog.
func (a *Minutes) Parts() []Part {
	hours := map[int64][]int64{}
	for _, minute := range ascending(a.minutes) {
		hour := floor(minute, 60)
		hours[hour] = append(hours[hour], minute)
	}
	var parts []Part
	for _, hour := range ascending(hours) {
		parts = append(parts, hourPart(hour, a.encode(hour, hours[hour])))
	}
	return parts
}

// MinuteParts is Parts, with a part for each minute: live, what is a part is sealed
// at once.
func (a *Minutes) MinuteParts() []Part {
	var parts []Part
	for _, minute := range ascending(a.minutes) {
		parts = append(parts, minutePart(minute, a.encode(floor(minute, 60), []int64{minute})))
	}
	return parts
}

func (a *Minutes) encode(hour int64, minutes []int64) []byte {
	b := binary.AppendVarint([]byte{encodingVersion}, hour)
	b = binary.AppendUvarint(b, uint64(len(minutes)))
	next := hour * 60
	for _, minute := range minutes {
		m := a.minutes[minute]
		b = binary.AppendUvarint(b, uint64(minute-next))
		next = minute + 1
		if m.exact == nil {
			b = binary.AppendUvarint(b, minuteLimit+1)
			b = wire.AppendText(b, m.beyond.AppendEncoded(nil))
			continue
		}
		b = binary.AppendUvarint(b, uint64(len(m.exact)))
		b = slices.Grow(b, 8*len(m.exact))
		for _, visitor := range slices.Sorted(maps.Keys(m.exact)) {
			b = binary.LittleEndian.AppendUint64(b, visitor)
		}
	}
	return b
}

// Merge adds a part. After an error the table must be Reset.
func (a *Minutes) Merge(blob []byte) error {
	in, hour := open(blob, maxHour)
	next := hour * 60
	for n := in.Count(10); n > 0 && in.Err() == nil; n-- {
		minute := next + int64(in.Limited(59))
		if next = minute + 1; minute >= hour*60+60 {
			in.Fail("minute %d of the hour", minute-hour*60)
		}
		visitors := in.Limited(minuteLimit + 1)
		if in.Err() != nil {
			break
		}
		if visitors == 0 {
			in.Fail("a minute without visitors")
			break
		}
		m := a.of(minute)
		if visitors > minuteLimit {
			h, err := sketch.DecodeHLL(in.Text())
			if err != nil {
				in.Fail("%v", err)
				break
			}
			if m.exact != nil {
				m.estimate()
			}
			m.beyond.Merge(h)
			continue
		}
		hashes := in.Bytes(8 * int(visitors))
		previous := uint64(0)
		for i := 0; i < len(hashes); i += 8 {
			visitor := binary.LittleEndian.Uint64(hashes[i:])
			if i > 0 && visitor <= previous {
				in.Fail("visitors are not in order")
				break
			}
			m.add(visitor)
			previous = visitor
		}
	}
	if err := in.Close(); err != nil {
		return fmt.Errorf("merging visitors of minutes: %w", err)
	}
	return nil
}

// MinuteRow is the distinct visitors of a minute.
type MinuteRow struct {
	Start    int64 // Unix milliseconds
	Visitors int64
	Exact    bool // otherwise a HyperLogLog estimate
}

// Rows returns a row for each minute with a visitor.
func (a *Minutes) Rows() []MinuteRow {
	var rows []MinuteRow
	for _, minute := range ascending(a.minutes) {
		m := a.minutes[minute]
		rows = append(rows, MinuteRow{Start: minute * minuteMs, Visitors: m.count(), Exact: m.exact != nil})
	}
	return rows
}
