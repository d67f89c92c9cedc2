package rollup

import (
	"math"

	"millrace/transforms/sketch"
)

// pageSketch estimates what cannot be summed up over the requests of a page. Most
// pages of a log that names many have one request in a part: it is kept as it is,
// which takes a fraction of the room.
type pageSketch struct {
	visitor, bytes uint64        // of the only request
	took           int64         // of the only request, in microseconds; below 0 when its log does not say
	all            *pageSketches // of all requests, once there are two
	unknown        bool          // requests were counted by a table without sketches
	untimed        bool          // requests were counted by a table whose sketches have no latencies
}

// pageSketches have of each request its visitor and bytes, and its duration where the
// log says it: of a page without any there is no latency, rather than one of 0.
type pageSketches struct {
	visitors sketch.HLL
	bytes    sketch.Quantiles
	took     sketch.Quantiles // microseconds; empty when the page is untimed
}

// add counts a request; before is how many there were.
func (s *pageSketch) add(visitor, bytes uint64, took, before int64) {
	switch {
	case s.unknown:
	case before == 0:
		s.visitor, s.bytes, s.took = visitor, bytes, took
	default:
		m := s.spread()
		m.visitors.Add(visitor)
		m.bytes.Add(bytes)
		if took >= 0 && !s.untimed {
			m.took.Add(uint64(took))
		}
	}
}

// spread makes room for more than the only request.
func (s *pageSketch) spread() *pageSketches {
	if s.all == nil {
		s.all = &pageSketches{}
		s.all.visitors.Add(s.visitor)
		s.all.bytes.Add(s.bytes)
		if s.took >= 0 {
			s.all.took.Add(uint64(s.took))
		}
		s.visitor, s.bytes, s.took = 0, 0, 0
	}
	return s.all
}

// merge counts what o counted, which is spent; before is how many requests there
// were.
func (s *pageSketch) merge(o pageSketch, before int64) {
	switch {
	case before == 0:
		*s = o
		return
	case s.unknown || o.unknown:
		*s = pageSketch{unknown: true}
		return
	case o.all == nil:
		s.add(o.visitor, o.bytes, o.took, before)
	default:
		m := s.spread()
		m.visitors.Merge(&o.all.visitors)
		m.bytes.Merge(&o.all.bytes)
		m.took.Merge(&o.all.took)
	}
	if s.untimed = s.untimed || o.untimed; s.untimed {
		s.all.took = sketch.Quantiles{} // of some requests alone
	}
}

// timed tells whether any request had a duration.
func (s *pageSketch) timed() bool {
	if s.all == nil {
		return s.took >= 0
	}
	return s.all.took.Count() > 0
}

// PageEstimates are what is known of the visitors and responses of a page.
type PageEstimates struct {
	Visitors      int64    // different ones, by HyperLogLog
	P50, P95, P99 int64    // bytes of responses, within 1 %
	Latency       *Latency // nil when no request had a duration, or some were counted without
}

// Latency is quantiles of the durations of those requests that had one, in milliseconds,
// within 1 %.
type Latency struct{ P50, P90, P99 float64 }

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
	e := &PageEstimates{Visitors: m.visitors.Count(), P50: whole(&m.bytes, 0.5), P95: whole(&m.bytes, 0.95), P99: whole(&m.bytes, 0.99)}
	if m.took.Count() > 0 {
		ms := func(q float64) float64 { return float64(whole(&m.took, q)) / 1000 }
		e.Latency = &Latency{P50: ms(0.5), P90: ms(0.9), P99: ms(0.99)}
	}
	return e
}

// whole is a quantile as the whole number next to it.
func whole(s *sketch.Quantiles, q float64) int64 { return int64(min(math.Round(s.Quantile(q)), 1<<62)) }
