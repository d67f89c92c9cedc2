package sessions

import "time"

// floorDay is the number of the day of ms, counted from the epoch.
func floorDay(ms int64) int64 {
	d := ms / dayMs
	if ms%dayMs < 0 {
		d--
	}
	return d
}

// calendar knows the days that fragments must not cross.
type calendar struct {
	zone *time.Location // of the day cut; nil when off
}

// localDay numbers the day of ms in the zone.
func (c calendar) localDay(ms int64) int64 {
	_, offset := time.UnixMilli(ms).In(c.zone).Zone()
	return floorDay(ms + int64(offset)*1000)
}

// dayCut tells whether the zone's day of two events differs.
func (c calendar) dayCut(a, b int64) bool { return c.zone != nil && c.localDay(a) != c.localDay(b) }

// segment is a span of time, from from (included) to to (excluded), within one
// UTC day and one day of the zone.
type segment struct{ from, to int64 }

func (s segment) holds(ms int64) bool { return s.from <= ms && ms < s.to }

// segment returns the one around ms. A change of the zone's offset ends one too,
// which may leave a day in two segments and does no harm.
func (c calendar) segment(ms int64) segment {
	s := segment{from: floorDay(ms) * dayMs}
	s.to = s.from + dayMs
	if c.zone == nil {
		return s
	}
	t := time.UnixMilli(ms).In(c.zone)
	_, seconds := t.Zone()
	offset := int64(seconds) * 1000
	local := floorDay(ms+offset)*dayMs - offset
	s.from, s.to = max(s.from, local), min(s.to, local+dayMs)
	begin, end := t.ZoneBounds()
	if !begin.IsZero() {
		s.from = max(s.from, begin.UnixMilli())
	}
	if !end.IsZero() {
		s.to = min(s.to, end.UnixMilli())
	}
	return s
}

// segments remembers the last segment: neighbours mostly share it.
type segments struct {
	calendar
	last segment
}

func (s *segments) of(ms int64) segment {
	if !s.last.holds(ms) {
		s.last = s.segment(ms)
	}
	return s.last
}
