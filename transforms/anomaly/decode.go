package anomaly

import (
	"encoding/binary"
	"fmt"
	"math"

	"millrace/transforms/internal/wire"
)

// Decode reads what AppendEncoded wrote, of a detector with the same options.
// Whatever the bytes are, it is an error or a detector that works.
func Decode(b []byte, o Options) (*Detector, error) {
	in := reader{wire.NewReader(b)}
	d := in.detector(o)
	if err := in.Close(); err != nil {
		return nil, fmt.Errorf("decoding the state of a detector: %w", err)
	}
	return d, nil
}

type reader struct{ *wire.Reader }

func (in reader) detector(o Options) *Detector {
	if v := in.Byte(); v != stateVersion {
		in.Fail("a detector of version %d", v)
	}
	if f := in.Byte(); f != flag(o.Shapes, flagShapes) {
		in.Fail("a detector of options %#x", f)
	}
	d := New(o)
	d.last, d.step, d.any = in.time(), in.time(), in.bool()
	in.warmup(d)
	d.centre, d.scale = in.float(), in.float()
	d.news.told = in.within(1)
	d.news.since = uint32(in.Limited(newsFor + 1))
	if d.step < 0 || d.scale < 0 || d.news.told < 0 || !d.any && d.last != 0 {
		in.Fail("step %d, scale %v, news %v", d.step, d.scale, d.news.told)
	}
	n := in.Limited(rollSize)
	for range n {
		d.roll = append(d.roll, in.distance())
	}
	in.profile(&d.day)
	in.profile(&d.week)
	in.envelope(&d.envelope)
	for v := range d.views() {
		in.history(&d.histories[v])
	}
	if d.shapes != nil {
		in.shapes(d.shapes)
	}
	return d
}

func (in reader) bool() bool { return in.Limited(1) == 1 }

func (in reader) time() int64 {
	t := in.Varint()
	if t < -maxTime || t > maxTime {
		in.Fail("time %d", t)
		return 0
	}
	return t
}

// Distances are within these, whatever the values were.
const (
	maxDistance = 1 << 40
	maxSquare   = 1 << 80
)

// float reads a finite number.
func (in reader) float() float64 { return in.within(math.MaxFloat64) }

// distance reads a number of scales.
func (in reader) distance() float64 { return in.within(maxDistance) }

func (in reader) within(limit float64) float64 {
	b := in.Bytes(8)
	if b == nil {
		return 0
	}
	f := math.Float64frombits(binary.LittleEndian.Uint64(b))
	if !(math.Abs(f) <= limit) {
		in.Fail("%v", f)
		return 0
	}
	return f
}

func (in reader) warmup(d *Detector) {
	n := in.Limited(warmup - 1)
	if !in.bool() {
		d.first = nil
		if n > 0 || !d.any {
			in.Fail("%d points after the warm-up", n)
		}
		return
	}
	for i := range n {
		p := Point{Time: in.time(), Value: in.float()}
		if i > 0 && p.Time <= d.first[i-1].Time {
			in.Fail("points are not in order")
			return
		}
		d.first = append(d.first, p)
	}
	if in.Err() == nil && (d.any != (n > 0) || n > 0 && d.first[n-1].Time != d.last) {
		in.Fail("a last time that is not of the last point")
	}
}

func (in reader) profile(p *profile) {
	for b := range p.n {
		n := in.Byte()
		if n > memory {
			in.Fail("a mean of %d", n)
			return
		}
		if p.n[b] = n; n > 0 {
			p.mean[b] = in.distance()
		}
	}
}

func (in reader) envelope(e *envelope) {
	e.last = int(in.Byte()) - 1
	if e.last >= dayBins {
		in.Fail("part %d of the day", e.last)
		return
	}
	for b := range dayBins {
		f := in.Byte()
		if f&^(flagKnown|flagFilling) != 0 {
			in.Fail("flags %#x", f)
			return
		}
		if e.isKnown[b] = f&flagKnown != 0; e.isKnown[b] {
			e.known[b] = in.span()
		}
		if e.isFilling[b] = f&flagFilling != 0; e.isFilling[b] {
			e.today[b] = in.span()
		}
	}
}

func (in reader) span() span {
	s := span{in.distance(), in.distance()}
	if s.low > s.high {
		in.Fail("a range from %v to %v", s.low, s.high)
	}
	return s
}

func (in reader) history(h *history) {
	for i := range h.sides {
		in.side(&h.sides[i])
		for _, c := range h.sides[i].counts {
			h.n += c // far from overflow: see side
		}
	}
	if h.n > most {
		in.Fail("%d distances", h.n)
	}
}

func (in reader) side(s *side) {
	s.top, s.used = in.distance(), int(in.Limited(bins))
	if s.top < 0 || s.used == 0 && s.top != 0 || s.used > 0 && bin(s.top) != s.used-1 {
		in.Fail("a greatest distance of %v in bin %d", s.top, s.used-1)
		return
	}
	afterEmpty := false
	for b := 0; b < s.used && in.Err() == nil; b++ {
		s.counts[b] = uint32(in.Limited(most))
		empty := s.counts[b] == 0
		if empty {
			if afterEmpty {
				in.Fail("empty bins in two parts")
			}
			b += int(in.Limited(bins))
		}
		if afterEmpty = empty; empty && b >= s.used-1 {
			in.Fail("the last bin in use is empty")
		}
	}
}

func (in reader) shapes(n *neighbours) {
	count := int(in.Limited(uint64(cap(n.values))))
	if count > in.Rest()/8 {
		in.Fail("%d values are not there", count)
		return
	}
	for range count {
		n.values = append(n.values, in.distance())
	}
	square := n.square[shapeRing-n.lags():]
	for i := range square {
		square[i] = in.within(maxSquare)
	}
	n.fresh = int(in.Limited(shapeRing))
}
