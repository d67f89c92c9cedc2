package anomaly

import "math"

const (
	mantissa  = 4 // bits of a distance that tell bins apart
	perOctave = 1 << mantissa
	lowest    = -6 // all distances below 2^-6 scales are one
	octaves   = 26 // and all from 2^20 on
	bins      = perOctave * octaves

	tolerance = 1.2  // a distance is as great as another if it is that by this factor
	ceiling   = 1.25 // of a rank with what is beyond a record
	enough    = 20   // distances, below which there is no rank

	most = 1 << 20 // distances; half of them are forgotten then
)

// history counts the distances of one view, above and below what it expected, in
// bins that grow with the distance: 16 a factor of two, so that a bin is narrow
// beside the tolerance.
type history struct {
	n     uint32
	sides [2]side
}

type side struct {
	counts [bins]uint32
	top    float64 // greatest distance
	used   int     // bins in use end here
}

// bin takes the place from the bits of the number: exponent, and the
// first bits of the mantissa.
func bin(distance float64) int {
	const shift, bias = 52 - mantissa, 1023
	b := int(math.Float64bits(distance)>>shift) - (bias+lowest)*perOctave
	return min(max(b, 0), bins-1)
}

func (h *history) side(d float64) (*side, float64) {
	if d < 0 {
		return &h.sides[1], -d
	}
	return &h.sides[0], d
}

// rank is 0 for what is usual and 1 for a new record, up to ceiling.
func (h *history) rank(d float64) float64 {
	s, d := h.side(d)
	if h.n < enough || d == 0 {
		return 0
	}
	d /= tolerance
	as := uint32(1)
	for b := bin(d); b < s.used; b++ {
		as += s.counts[b]
	}
	all := float64(h.n + 1)
	r := log2(all/float64(as)) / log2(all)
	if d > s.top {
		r += log2(1+(d-s.top)/max(s.top, 1)) / log10of2
	}
	return min(r, ceiling)
}

const log10of2 = 3.321928094887362 // log2(10)

func (h *history) add(d float64) {
	s, d := h.side(d)
	b := bin(d)
	if h.n == most {
		h.halve()
	}
	h.n++
	s.counts[b]++
	s.used = max(s.used, b+1)
	s.top = max(s.top, d)
}

// halve rounds up, so that no bin becomes empty.
func (h *history) halve() {
	h.n = 0
	for i := range h.sides {
		for b := range h.sides[i].counts {
			h.sides[i].counts[b] = (h.sides[i].counts[b] + 1) / 2
			h.n += h.sides[i].counts[b]
		}
	}
}

// quantile is the distance on a side that no more than share of all exceed: the
// upper end of a bin, or the greatest distance.
func (h *history) quantile(of int, share float64) float64 {
	s := &h.sides[of]
	left := uint32(float64(h.n) * share)
	for b := s.used - 1; b >= 0; b-- {
		if s.counts[b] > left {
			return min(s.top, upper(b))
		}
		left -= s.counts[b]
	}
	return 0
}

// upper is where bin b ends.
func upper(b int) float64 {
	b++
	return math.Ldexp(1+float64(b%perOctave)/perOctave, b/perOctave+lowest)
}
