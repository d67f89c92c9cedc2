package funnels

import (
	"encoding/binary"
	"math"
	"slices"

	"millrace/transforms/internal/wire"
)

const (
	maxTime  = 1 << 52 // milliseconds; sums of two stay far from overflow
	maxCount = 1 << 40 // of events
)

// decoder reads what encoder wrote. Whatever the bytes are, what it hands on is
// visits as the set demands them.
type decoder struct {
	*wire.Reader
	set             *Set
	base, position  int64
	sources, values []string
}

// open reads up to the first visitor and returns the prefix of the ids and the
// number of visitors.
func (d *decoder) open() (prefix string, visitors int) {
	d.head()
	d.base = d.Varint()
	d.bounded(d.base)
	d.sources, d.values = d.Texts(), d.Texts()
	prefix = string(d.Text())
	return prefix, d.Count(2)
}

// head refuses what other funnels made: it would not merge.
func (d *decoder) head() {
	if v := d.Byte(); v != encodingVersion {
		d.Fail("version %d, this program reads %d", v, encodingVersion)
	}
	if head := d.Bytes(len(d.set.head) - 1); d.Err() == nil && string(head) != string(d.set.head[1:]) {
		d.Fail("made by funnels other than those of this configuration")
	}
}

func (d *decoder) bounded(t int64) {
	if t < -maxTime || t > maxTime {
		d.Fail("time %d", t)
	}
}

// funnel reads the number of a funnel.
func (d *decoder) funnel() (number int, ok bool) {
	n := d.Uvarint()
	if n >= uint64(len(d.set.funnels)) {
		d.Fail("funnel %d of %d", n, len(d.set.funnels))
	}
	return int(n), d.Err() == nil
}

func (d *decoder) visits(f *funnel, v *visits, state bool) {
	t, n := d.base, d.Count(4)
	v.events = slices.Grow(v.events, min(n, 64)) // no more on the word of a number
	for range n {
		t += int64(d.Limited(2 * maxTime))
		d.bounded(t)
		ev := event{time: t, bits: d.Uvarint(), source: d.text(d.sources, d.Uvarint())}
		if all := f.steps + len(f.exclusions); all < 64 && ev.bits>>all != 0 || ev.bits == 0 && !f.strict {
			d.Fail("bits %#x of an event", ev.bits)
		}
		d.position += d.Varint()
		ev.position = d.position
		if f.breakdown >= 0 {
			if code := d.Uvarint(); code > 0 {
				ev.value = d.text(d.values, code-1)
			}
		}
		if d.Err() != nil {
			return
		}
		v.events = append(v.events, ev)
	}
	d.hours(v)
	if state {
		d.written(v)
		d.days(f, v)
	}
}

func (d *decoder) text(of []string, code uint64) string {
	if code >= uint64(len(of)) {
		d.Fail("text %d of %d", code, len(of))
		return ""
	}
	return of[code]
}

func (d *decoder) hours(v *visits) {
	base := floor(d.base, hourMs)
	for range d.Count(3) {
		h := hour{at: base + d.Varint()}
		if h.at < -maxTime/hourMs || h.at > maxTime/hourMs {
			d.Fail("hour %d", h.at)
		}
		h.gone, h.rest = int64(d.Limited(maxCount)), int64(d.Limited(maxCount))
		if h.rest > 0 {
			h.from = h.at*hourMs + int64(d.Limited(uint64(hourMs-1)))
			h.to = h.at*hourMs + int64(d.Limited(uint64(hourMs-1)))
			if h.to < h.from {
				d.Fail("the rest of an hour ends before it begins")
			}
		}
		if d.Err() != nil {
			return
		}
		v.hours = append(v.hours, h)
	}
}

func (d *decoder) written(v *visits) {
	for range d.Count(10) {
		w := written{start: d.base + d.Varint(), version: int64(d.Limited(math.MaxInt64))}
		d.bounded(w.start)
		if digest := d.Bytes(8); len(digest) == 8 {
			w.digest = binary.BigEndian.Uint64(digest)
		}
		if n := len(v.written); d.Err() == nil && n > 0 && w.start <= v.written[n-1].start {
			d.Fail("written rows are not in order")
		}
		if d.Err() != nil {
			return
		}
		v.written = append(v.written, w)
	}
}

func (d *decoder) days(f *funnel, v *visits) {
	for range d.Count(5) {
		r := Row{Steps: f.steps, Start: d.base + d.Varint(), Version: int64(d.Limited(math.MaxInt64))}
		d.bounded(r.Start)
		flags := d.Byte()
		if flags&^(rowExcluded|rowTruncated) != 0 {
			d.Fail("unknown flags %#x", flags)
		}
		r.Excluded, r.Truncated = flags&rowExcluded != 0, flags&rowTruncated != 0
		r.Reached = int(d.Limited(uint64(f.steps)))
		t := r.Start
		for range r.Reached {
			t += int64(d.Limited(uint64(f.within)))
			r.Times = append(r.Times, t)
		}
		if r.Level = r.Reached; r.Excluded {
			r.Level = 0
		}
		r.Breakdown = string(d.Text())
		if n := len(v.days); d.Err() == nil && (r.Reached == 0 || n > 0 && v.days[n-1].Day() >= r.Day()) {
			d.Fail("rows of days are not in order")
		}
		if d.Err() != nil {
			return
		}
		v.days = append(v.days, r)
	}
}
