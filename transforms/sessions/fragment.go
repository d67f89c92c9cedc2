package sessions

import "slices"

// point is an event that MaxDuration or CampaignCut will examine.
type point struct {
	mark           // its path is set for a page view only
	campaign       string
	touch          string
	page           bool
	bot, converted bool
	direct         bool
}

func comparePoints(a, b point) int { return a.compare(&b.mark) }

// addTo sums a point up.
func (p *point) addTo(s *summary, pool *touchPool) {
	one := summary{start: p.time, end: p.time, events: 1, bot: p.bot, converted: p.converted}
	if p.page {
		one.pages, one.first, one.last = 1, p.mark, p.mark
	}
	s.merge(&one, pool)
	if p.touch != "" {
		m := p.mark
		m.path = p.touch
		s.addTouch(m, p.direct, pool)
	}
}

// fragment is a set of events of one visitor: sorted by time, no two neighbours
// are a gap or more apart, and all lie in one segment of the calendar.
type fragment struct {
	total  summary  // of all events
	points []point  // the first events in order, at most maxEvents (a collector sorts and limits late); empty unless the rules want detail
	rest   *summary // of the events after the points; nil when there are none
}

// merge adds the events of o, which must be within a gap of f and share its
// segment. o is spent.
func (f *fragment) merge(o *fragment, r *rules, pool *touchPool) {
	f.total.merge(&o.total, pool)
	if !r.detail() {
		return
	}
	inOrder := len(f.points) == 0 || len(o.points) == 0 || comparePoints(f.points[len(f.points)-1], o.points[0]) <= 0
	f.points = append(f.points, o.points...)
	if !inOrder {
		sortPoints(f.points)
	}
	if o.rest != nil {
		f.addRest(o.rest, pool)
	}
	f.limit(r.maxEvents, pool)
}

// limit moves the points beyond the first n to the rest. No event of a rest can
// come to stand among a chain's first n again: each has n points before it in
// its own fragment already.
func (f *fragment) limit(n int, pool *touchPool) {
	if len(f.points) <= n {
		return
	}
	var over summary
	for i := range f.points[n:] {
		f.points[n+i].addTo(&over, pool)
	}
	clear(f.points[n:])
	f.points = f.points[:n]
	f.addRest(&over, pool)
}

func (f *fragment) addRest(s *summary, pool *touchPool) {
	if f.rest == nil {
		f.rest = &summary{}
	}
	f.rest.merge(s, pool)
}

func sortPoints(p []point) {
	if !slices.IsSortedFunc(p, comparePoints) {
		slices.SortStableFunc(p, comparePoints)
	}
}
