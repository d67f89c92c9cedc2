package sessions

import (
	"cmp"
	"math"
	"slices"
)

// mergeFragments puts the fragments of one visitor together, in place: sorted,
// and those that touch within a segment as one.
func (r *rules) mergeFragments(fs []fragment, segs *segments, pool *touchPool) []fragment {
	if len(fs) < 2 {
		return fs
	}
	slices.SortStableFunc(fs, func(a, b fragment) int { return cmp.Compare(a.total.start, b.total.start) })
	out := fs[:1]
	for i := 1; i < len(fs); i++ {
		last, f := &out[len(out)-1], &fs[i]
		if f.total.start-last.total.end < r.gap && segs.of(last.total.start).holds(f.total.start) {
			last.merge(f, r, pool)
			continue
		}
		out = append(out, *f)
	}
	clear(fs[len(out):])
	return out
}

// gapChain is the number of fragments before the first pause of a gap.
func (r *rules) gapChain(fs []fragment) int {
	for i := 1; i < len(fs); i++ {
		if fs[i].total.start-fs[i-1].total.end >= r.gap {
			return i
		}
	}
	return len(fs)
}

// boundedChain is the number of fragments of a gap chain before the first bound.
// undecided tells that a midnight ends it only because events before that
// midnight may still come and decide; those come no earlier than watermark.
func (r *rules) boundedChain(fs []fragment, watermark int64) (n int, undecided bool) {
	if !r.bound {
		return len(fs), false
	}
	for i := 1; i < len(fs); i++ {
		previous, t := fs[i-1].total.end, fs[i].total.start
		if floorDay(previous) == floorDay(t) {
			continue
		}
		if watermark < floorDay(t)*dayMs {
			return i, true
		}
		if r.bounded(fs[0].total.start, previous, t) {
			return i, false
		}
	}
	return len(fs), false
}

func countEvents(chain []fragment) int64 {
	var n int64
	for i := range chain {
		n += chain[i].total.events
	}
	return n
}

// cutter cuts one chain into sessions.
type cutter struct {
	*rules
	visitor  string
	revision Revision
	pool     *touchPool
	out      []Session
	latest   latest

	events   int64 // of the chain
	seen     int64
	session  summary
	campaign string
}

// chain appends the chain's sessions to out.
func (c *cutter) chain(fs []fragment) {
	c.events, c.seen = countEvents(fs), 0
	for i := range fs {
		f := &fs[i]
		if i > 0 && c.calendar.dayCut(fs[i-1].total.end, f.total.start) {
			c.finish()
		}
		for j := range f.points {
			c.point(&f.points[j])
		}
		switch {
		case !c.detail():
			c.add(&f.total)
		case f.rest != nil:
			c.add(f.rest)
		}
	}
	c.finish()
}

func (c *cutter) point(p *point) {
	if c.session.events > 0 && c.seen < int64(c.maxEvents) {
		tooLong := c.maxDuration > 0 && p.time-c.session.start >= c.maxDuration
		otherCampaign := c.rules.campaign && p.campaign != "" && p.campaign != c.campaign && p.time > c.session.start
		if tooLong || otherCampaign {
			c.finish()
		}
	}
	p.addTo(&c.session, c.pool)
	c.seen++
	if p.campaign != "" {
		c.campaign = p.campaign
	}
}

func (c *cutter) add(s *summary) {
	c.session.merge(s, c.pool)
	c.seen += s.events
}

func (c *cutter) finish() {
	truncated := c.seen > int64(c.maxEvents)
	s := c.session.session(c.visitor, truncated, c.events, c.revision)
	if c.index {
		c.latest.follow(&s)
	}
	c.out = append(c.out, s)
	c.session, c.campaign = summary{}, ""
}

// always is later than any watermark that decides.
const always = math.MaxInt64
