package anomaly

import (
	"encoding/binary"
	"math"
)

// The encoded form begins with a version and the options; then
//
//	last, step    milliseconds
//	any           0 or 1
//	warm-up       count of points, each time and value, if it goes on; else 0
//	centre, scale
//	news          what was told, points since then
//	rolling       count, values
//	day, week     for each part a count, and a mean if it is not 0
//	envelope      part of the last value + 1, for each part flags and ranges
//	histories     of each view that the options have, two sides: the greatest
//	              distance, bins up to the last in use, their counts; an empty
//	              bin is followed by how many more follow it
//	shapes        if the options have them: count of values, values, the squares
//	              of the lags there are, from the greatest on, lag computed last
//
// Numbers are varints; times are signed. Floats are their 8 bytes, so that not a
// bit is lost.
const (
	stateVersion = 1

	flagShapes  = 1
	flagKnown   = 1
	flagFilling = 2
)

// AppendEncoded writes what Decode reads.
func (d *Detector) AppendEncoded(dst []byte) []byte {
	dst = append(dst, stateVersion, flag(d.options.Shapes, flagShapes))
	dst = binary.AppendVarint(dst, d.last)
	dst = binary.AppendVarint(dst, d.step)
	dst = append(dst, flag(d.any, 1))
	dst = binary.AppendUvarint(dst, uint64(len(d.first)))
	dst = append(dst, flag(d.first != nil, 1))
	for _, p := range d.first {
		dst = binary.AppendVarint(dst, p.Time)
		dst = appendFloats(dst, p.Value)
	}
	dst = appendFloats(dst, d.centre, d.scale, d.news.told)
	dst = binary.AppendUvarint(dst, uint64(d.news.since))
	dst = binary.AppendUvarint(dst, uint64(len(d.roll)))
	dst = appendFloats(dst, d.roll...)
	dst = d.day.append(dst)
	dst = d.week.append(dst)
	dst = d.envelope.append(dst)
	for v := range d.views() {
		dst = d.histories[v].append(dst)
	}
	if d.shapes != nil {
		dst = d.shapes.append(dst)
	}
	return dst
}

func flag(on bool, bit byte) byte {
	if on {
		return bit
	}
	return 0
}

func appendFloats(dst []byte, values ...float64) []byte {
	for _, v := range values {
		dst = binary.LittleEndian.AppendUint64(dst, math.Float64bits(v))
	}
	return dst
}

func (p *profile) append(dst []byte) []byte {
	for b, n := range p.n {
		if dst = append(dst, n); n > 0 {
			dst = appendFloats(dst, p.mean[b])
		}
	}
	return dst
}

func (e *envelope) append(dst []byte) []byte {
	dst = append(dst, byte(e.last+1))
	for b := range dayBins {
		dst = append(dst, flag(e.isKnown[b], flagKnown)|flag(e.isFilling[b], flagFilling))
		if e.isKnown[b] {
			dst = appendFloats(dst, e.known[b].low, e.known[b].high)
		}
		if e.isFilling[b] {
			dst = appendFloats(dst, e.today[b].low, e.today[b].high)
		}
	}
	return dst
}

func (h *history) append(dst []byte) []byte {
	for i := range h.sides {
		s := &h.sides[i]
		dst = appendFloats(dst, s.top)
		dst = binary.AppendUvarint(dst, uint64(s.used))
		for b := 0; b < s.used; b++ {
			dst = binary.AppendUvarint(dst, uint64(s.counts[b]))
			if s.counts[b] > 0 {
				continue
			}
			from := b
			for s.counts[b+1] == 0 { // the last one in use is not empty
				b++
			}
			dst = binary.AppendUvarint(dst, uint64(b-from))
		}
	}
	return dst
}

func (n *neighbours) append(dst []byte) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(n.values)))
	dst = appendFloats(dst, n.values...)
	dst = appendFloats(dst, n.square[shapeRing-n.lags():]...)
	return binary.AppendUvarint(dst, uint64(n.fresh))
}
