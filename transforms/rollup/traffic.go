package rollup

import (
	"encoding/binary"
	"fmt"
	"time"
)

// Class is a class of response status.
type Class uint8

// Classes in the order of their names.
const (
	Class1xx Class = iota
	Class2xx
	Class3xx
	Class4xx
	Class5xx
	ClassOther
	classes
)

var classNames = [classes]string{"1xx", "2xx", "3xx", "4xx", "5xx", "other"}

// String is "1xx" to "5xx", or "other".
func (c Class) String() string { return classNames[min(c, ClassOther)] }

// ClassOf is the class of a status.
func ClassOf(status int32) Class {
	if status < 100 || status > 599 {
		return ClassOther
	}
	return Class(status/100 - 1)
}

// Traffic counts requests and bytes by second and status class. Longer windows
// follow by addition.
type Traffic struct {
	hours map[int64]*trafficHour
	last  *trafficHour
}

type trafficHour struct {
	hour    int64
	index   [3600]uint16 // of each second in seconds, plus one
	seconds []trafficSecond
}

type trafficSecond [classes]traffic

type traffic struct{ views, bytes, largest int64 }

func (t *traffic) add(o traffic) {
	t.views += o.views
	t.bytes += o.bytes
	t.largest = max(t.largest, o.largest)
}

// NewTraffic returns an empty table.
func NewTraffic() *Traffic { return &Traffic{hours: map[int64]*trafficHour{}} }

// Add counts a request at t (ms). Bytes below zero are unknown and count as
// none.
func (a *Traffic) Add(t int64, status int32, bytes int64) {
	bytes = max(bytes, 0)
	hour := floor(t, hourMs)
	if a.last == nil || a.last.hour != hour {
		a.last = a.hour(hour)
	}
	s := a.last.second(int(t-hour*hourMs) / secondMs)
	s[ClassOf(status)].add(traffic{views: 1, bytes: bytes, largest: bytes})
}

func (a *Traffic) hour(hour int64) *trafficHour {
	h := a.hours[hour]
	if h == nil {
		h = &trafficHour{hour: hour}
		a.hours[hour] = h
	}
	return h
}

func (h *trafficHour) second(i int) *trafficSecond {
	if h.index[i] == 0 {
		h.seconds = append(h.seconds, trafficSecond{})
		h.index[i] = uint16(len(h.seconds))
	}
	return &h.seconds[h.index[i]-1]
}

// Len is the number of seconds that hold something.
func (a *Traffic) Len() int {
	n := 0
	for _, h := range a.hours {
		n += len(h.seconds)
	}
	return n
}

// Reset empties the table.
func (a *Traffic) Reset() { clear(a.hours); a.last = nil }

// Parts encodes the table, an hour a part: the number of seconds, then for each
// how many seconds after the one before it comes, a bit for each class it has,
// and views, bytes and largest response of these.
func (a *Traffic) Parts() []Part {
	var parts []Part
	for _, hour := range ascending(a.hours) {
		parts = append(parts, hourPart(hour, a.hours[hour].encode(0, 3600)))
	}
	return parts
}

// MinuteParts is Parts, with a part for each minute: live, what is a part is
// sealed at once.
func (a *Traffic) MinuteParts() []Part {
	var parts []Part
	for _, hour := range ascending(a.hours) {
		h := a.hours[hour]
		for minute := range 60 {
			if blob := h.encode(minute*60, minute*60+60); blob != nil {
				parts = append(parts, minutePart(hour*60+int64(minute), blob))
			}
		}
	}
	return parts
}

// encode encodes the seconds in [from, to), nil when there are none.
func (h *trafficHour) encode(from, to int) []byte {
	n := 0
	for _, code := range h.index[from:to] {
		if code != 0 {
			n++
		}
	}
	if n == 0 {
		return nil
	}
	b := binary.AppendVarint([]byte{encodingVersion}, h.hour)
	b = binary.AppendUvarint(b, uint64(n))
	next := 0
	for i := from; i < to; i++ {
		if h.index[i] == 0 {
			continue
		}
		b = binary.AppendUvarint(b, uint64(i-next))
		next = i + 1
		b = h.second(i).appendEncoded(b)
	}
	return b
}

func (s *trafficSecond) appendEncoded(b []byte) []byte {
	at := len(b)
	b = append(b, 0)
	for c, t := range s {
		if t.views == 0 {
			continue
		}
		b[at] |= 1 << c
		b = binary.AppendUvarint(b, uint64(t.views))
		b = binary.AppendUvarint(b, uint64(t.bytes))
		b = binary.AppendUvarint(b, uint64(t.largest))
	}
	return b
}

// Merge adds a part. After an error the table must be Reset.
func (a *Traffic) Merge(blob []byte) error {
	in, hour := open(blob, maxHour)
	at := uint64(0)
	for range in.Count(5) {
		at += in.Limited(3600)
		mask := in.Byte()
		if in.Err() == nil && (at >= 3600 || mask == 0 || mask >= 1<<classes) {
			in.Fail("second %d with classes %#x", at, mask)
		}
		if in.Err() != nil {
			break
		}
		s := a.hour(hour).second(int(at))
		at++
		for c := range classes {
			if mask&(1<<c) == 0 {
				continue
			}
			t := traffic{views: int64(in.Limited(maxCount)), bytes: int64(in.Limited(maxCount)), largest: int64(in.Limited(maxCount))}
			if in.Err() == nil && (t.views == 0 || t.largest > t.bytes) {
				in.Fail("%d requests, largest %d of %d bytes", t.views, t.largest, t.bytes)
			}
			s[c].add(t)
		}
	}
	if err := in.Close(); err != nil {
		return fmt.Errorf("merging traffic: %w", err)
	}
	return nil
}

// TrafficRow is the requests of one class in one window.
type TrafficRow struct {
	Start   int64 // Unix milliseconds
	Seconds int32 // length of the window
	Class   Class
	Views   int64
	Bytes   int64
	Largest int64 // bytes of the largest response
	Version int64 // revision * 2^32 + Views
}

// Rows returns the rows of windows of a length, by start and class. The length
// is whole seconds that divide an hour.
func (a *Traffic) Rows(window time.Duration, revision Revision) ([]TrafficRow, error) {
	if _, err := windowsInHour(window); err != nil {
		return nil, fmt.Errorf("rows of traffic: %w", err)
	}
	width := int(window / time.Second)
	var rows []TrafficRow
	for _, hour := range ascending(a.hours) {
		h := a.hours[hour]
		for from := 0; from < len(h.index); from += width {
			sum := h.sum(from, from+width)
			start := hour*hourMs + int64(from)*secondMs
			for c, t := range sum {
				if t.views == 0 {
					continue
				}
				rows = append(rows, TrafficRow{
					Start: start, Seconds: int32(width), Class: Class(c),
					Views: t.views, Bytes: t.bytes, Largest: t.largest,
					Version: revision.version(start, t.views),
				})
			}
		}
	}
	return rows, nil
}

func (h *trafficHour) sum(from, to int) trafficSecond {
	var sum trafficSecond
	for i := from; i < to; i++ {
		if h.index[i] == 0 {
			continue
		}
		for c, t := range h.second(i) {
			sum[c].add(t)
		}
	}
	return sum
}
