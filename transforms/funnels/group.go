package funnels

import (
	"cmp"
	"slices"
)

// group is attempts whose windows overlap and that began on one UTC day.
type group struct {
	first, last int64 // times of the first and the last start
	found       bool  // best is one: there is a start that is kept
	best        attempt
	events      int64 // of all windows; those beyond what is kept count twice
	truncated   bool
	closes      int64 // watermark from which on nothing can be added
}

// mark is a start, or the events of an hour that were not kept and may be starts.
type mark struct {
	from, to int64
	moment   int // -1 for events that were not kept
}

// groups finds the groups of what was loaded, by time.
func (s *seeker) groups(v *visits, marks []mark, out []group) ([]mark, []group) {
	marks, out = marks[:0], out[:0]
	for m := range s.moments {
		if s.moments[m].bits&s.starts != 0 {
			marks = append(marks, mark{s.moments[m].time, s.moments[m].time, m})
		}
	}
	kept := len(marks)
	for _, h := range v.hours {
		if h.rest > 0 && h.end() <= s.until {
			marks = append(marks, mark{h.from, h.to, -1})
		}
	}
	if len(marks) > kept {
		slices.SortStableFunc(marks, func(a, b mark) int { return cmp.Compare(a.from, b.from) })
	}
	closes := int64(-1 << 63)
	for i := 0; i < len(marks); {
		g := group{first: marks[i].from, last: marks[i].to}
		n := i + 1
		for n < len(marks) && marks[n].from-g.last <= s.within && floor(marks[n].from, dayMs) == floor(g.first, dayMs) {
			g.last = max(g.last, marks[n].to)
			n++
		}
		s.best(&g, marks[i:n])
		s.sum(&g, v)
		// Groups close in the order of their starts, so that what is left is whole.
		closes = max(closes, g.closes)
		g.closes = closes
		out = append(out, g)
		i = n
	}
	return marks, out
}

func (s *seeker) best(g *group, marks []mark) {
	for _, m := range marks {
		if m.moment < 0 {
			continue
		}
		if a := s.attempt(m.moment); !g.found || a.better(&g.best) {
			g.best, g.found = *a, true
		}
		if g.best.reached == s.steps && !g.best.excluded {
			return
		}
	}
}

// sum counts the events of a group's windows, and tells when they are all there.
func (s *seeker) sum(g *group, v *visits) {
	end := g.last + s.within
	g.closes = end + 1
	from, _ := slices.BinarySearchFunc(s.moments, g.first, func(m moment, t int64) int { return cmp.Compare(m.time, t) })
	to, _ := slices.BinarySearchFunc(s.moments, end+1, func(m moment, t int64) int { return cmp.Compare(m.time, t) })
	if from < to {
		g.events = int64(s.moments[to-1].to - s.moments[from].from)
	}
	for _, h := range v.hours {
		if h.rest > 0 && h.from >= g.first && h.from <= end {
			g.closes = max(g.closes, h.end()) // the rest is known when the hour is over
			if h.end() > s.until {
				continue
			}
			g.truncated = true
			// Twice, so that an event that is pushed out of what is kept, which may change
			// the best attempt, changes the version too.
			g.events += 2 * h.rest
		}
	}
}
