package rollup

import (
	"encoding/binary"
	"math"

	"millrace/transforms/internal/wire"
	"millrace/transforms/sketch"
)

// pageSketch estimates what cannot be summed up over the requests of a page. Most
// pages of a log that names many have one request in a part: it is kept as it is,
// which takes a fraction of the room.
type pageSketch struct {
	visitor, bytes uint64        // of the only request
	all            *pageSketches // of all requests, once there are two
	unknown        bool          // requests were counted by a table without sketches
}

type pageSketches struct {
	visitors sketch.HLL
	bytes    sketch.Quantiles
}

// add counts a request; before is how many there were.
func (s *pageSketch) add(visitor, bytes uint64, before int64) {
	switch {
	case s.unknown:
	case before == 0:
		s.visitor, s.bytes = visitor, bytes
	default:
		m := s.spread()
		m.visitors.Add(visitor)
		m.bytes.Add(bytes)
	}
}

// spread makes room for more than the only request.
func (s *pageSketch) spread() *pageSketches {
	if s.all == nil {
		s.all = &pageSketches{}
		s.all.visitors.Add(s.visitor)
		s.all.bytes.Add(s.bytes)
		s.visitor, s.bytes = 0, 0
	}
	return s.all
}

// merge counts what o counted, which is spent; before is how many requests there
// were.
func (s *pageSketch) merge(o pageSketch, before int64) {
	switch {
	case before == 0:
		*s = o
	case s.unknown || o.unknown:
		*s = pageSketch{unknown: true}
	case o.all == nil:
		s.add(o.visitor, o.bytes, before)
	default:
		m := s.spread()
		m.visitors.Merge(&o.all.visitors)
		m.bytes.Merge(&o.all.bytes)
	}
}

// What is known of a page, in the encoded form.
const (
	sketchUnknown = 0
	sketchKnown   = 1
)

// appendEncoded writes whether anything is known, and if so, of a page with one
// request the visitor's hash and the bytes, of others both sketches, each with its
// length before it.
func (s *pageSketch) appendEncoded(b []byte, scratch *[]byte) []byte {
	if s.unknown {
		return append(b, sketchUnknown)
	}
	b = append(b, sketchKnown)
	if s.all == nil {
		return binary.AppendUvarint(binary.LittleEndian.AppendUint64(b, s.visitor), s.bytes)
	}
	*scratch = s.all.visitors.AppendEncoded((*scratch)[:0])
	b = wire.AppendText(b, *scratch)
	*scratch = s.all.bytes.AppendEncoded((*scratch)[:0])
	return wire.AppendText(b, *scratch)
}

func readPageSketch(in *wire.Reader, views int64) (s pageSketch) {
	switch known := in.Byte(); {
	case known == sketchUnknown:
		s.unknown = true
	case known != sketchKnown:
		in.Fail("sketches of kind %d", known)
	case views == 1:
		if hash := in.Bytes(8); hash != nil {
			s.visitor, s.bytes = binary.LittleEndian.Uint64(hash), in.Uvarint()
		}
	default:
		s.all = readPageSketches(in, views)
	}
	return s
}

func readPageSketches(in *wire.Reader, views int64) *pageSketches {
	visitors, bytes := in.Text(), in.Text()
	if in.Err() != nil {
		return nil
	}
	v, err := sketch.DecodeHLL(visitors)
	if err != nil {
		in.Fail("visitors: %v", err)
		return nil
	}
	q, err := sketch.DecodeQuantiles(bytes)
	if err != nil || q.Count() != views {
		in.Fail("sizes of %d responses: %v", views, err)
		return nil
	}
	return &pageSketches{*v, *q}
}

// PageEstimates are what is known of the visitors and responses of a page.
type PageEstimates struct {
	Visitors      int64 // different ones, by HyperLogLog
	P50, P95, P99 int64 // bytes of responses, within 1 %
}

// estimates are nil when they are not known.
func (s *pageSketch) estimates() *PageEstimates {
	if s.unknown {
		return nil
	}
	m := s.all
	if m == nil {
		one := *s
		m = one.spread()
	}
	at := func(q float64) int64 { return int64(min(math.Round(m.bytes.Quantile(q)), 1<<62)) }
	return &PageEstimates{Visitors: m.visitors.Count(), P50: at(0.5), P95: at(0.95), P99: at(0.99)}
}
