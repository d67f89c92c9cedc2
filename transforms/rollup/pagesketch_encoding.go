package rollup

import (
	"encoding/binary"
	"math"

	"millrace/transforms/internal/wire"
	"millrace/transforms/sketch"
)

// What is known of a page, in the encoded form. The second version of the encoding,
// which knew nothing of latencies, has the first two alone.
const (
	sketchUnknown  = iota // nothing
	sketchUntimed         // visitors and bytes; durations of some requests were not counted
	sketchTimeless        // the same; no request had a duration
	sketchTimed           // visitors, bytes and durations
)

func (s *pageSketch) kind() byte {
	switch {
	case s.unknown:
		return sketchUnknown
	case s.untimed:
		return sketchUntimed
	case s.timed():
		return sketchTimed
	}
	return sketchTimeless
}

// appendEncoded writes what is known, and if anything, of a page with one request the
// visitor's hash, the bytes and the duration, of others the sketches, each with its
// length before it.
func (s *pageSketch) appendEncoded(b []byte, scratch *[]byte) []byte {
	kind := s.kind()
	b = append(b, kind)
	if kind == sketchUnknown {
		return b
	}
	if s.all == nil {
		b = binary.AppendUvarint(binary.LittleEndian.AppendUint64(b, s.visitor), s.bytes)
		if kind == sketchTimed {
			b = binary.AppendUvarint(b, uint64(s.took))
		}
		return b
	}
	*scratch = s.all.visitors.AppendEncoded((*scratch)[:0])
	b = wire.AppendText(b, *scratch)
	*scratch = s.all.bytes.AppendEncoded((*scratch)[:0])
	b = wire.AppendText(b, *scratch)
	if kind == sketchTimed {
		*scratch = s.all.took.AppendEncoded((*scratch)[:0])
		b = wire.AppendText(b, *scratch)
	}
	return b
}

// readPageSketch reads what a version of the encoding has of a page.
func readPageSketch(in *wire.Reader, version byte, views int64) (s pageSketch) {
	last := byte(sketchTimed)
	if version < encodingVersionLatency {
		last = sketchUntimed
	}
	kind := in.Byte()
	switch {
	case kind > last:
		in.Fail("sketches of kind %d", kind)
	case kind == sketchUnknown:
		s.unknown = true
	case views == 1:
		s.untimed, s.took = kind == sketchUntimed, -1
		if hash := in.Bytes(8); hash != nil {
			s.visitor, s.bytes = binary.LittleEndian.Uint64(hash), in.Uvarint()
		}
		if kind == sketchTimed {
			s.took = int64(in.Limited(math.MaxInt64))
		}
	default:
		s.untimed = kind == sketchUntimed
		s.all = readPageSketches(in, kind, views)
	}
	return s
}

func readPageSketches(in *wire.Reader, kind byte, views int64) *pageSketches {
	var s pageSketches
	if v, err := sketch.DecodeHLL(in.Text()); err == nil {
		s.visitors = *v
	} else {
		in.Fail("visitors: %v", err)
	}
	readQuantiles(in, "sizes", &s.bytes)
	if in.Err() == nil && s.bytes.Count() != views {
		in.Fail("sizes of %d responses, not %d", s.bytes.Count(), views)
	}
	if kind == sketchTimed {
		readQuantiles(in, "durations", &s.took)
		if n := s.took.Count(); in.Err() == nil && (n == 0 || n > views) {
			in.Fail("durations of %d responses of %d", n, views)
		}
	}
	return &s
}

func readQuantiles(in *wire.Reader, what string, into *sketch.Quantiles) {
	if q, err := sketch.DecodeQuantiles(in.Text()); err == nil {
		*into = *q
	} else {
		in.Fail("%s: %v", what, err)
	}
}
