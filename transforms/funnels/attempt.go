package funnels

import (
	"cmp"
	"math/bits"
	"slices"
	"strings"
)

// event is what a funnel knows of an event of one visitor.
type event struct {
	time, position int64
	source, value  string // value of the breakdown field; empty for none
	bits           uint64 // of the steps it satisfies, then of the exclusions
}

// compareEvents orders by time, then by origin.
func compareEvents(a, b event) int {
	if c := cmp.Compare(a.time, b.time); c != 0 {
		return c
	}
	return cmp.Or(strings.Compare(a.source, b.source), cmp.Compare(a.position, b.position), cmp.Compare(a.bits, b.bits), strings.Compare(a.value, b.value))
}

// attempt is what begins with a start: how far it went.
type attempt struct {
	start    int64
	reached  int
	times    [MaxSteps]int64
	events   [MaxSteps]int32 // that made the steps, see seeker.attempt
	excluded bool
}

// better tells whether a counts rather than b, which began earlier or at the same
// time: the deepest one counts; of equally deep ones one that is not excluded, and
// then the earliest.
func (a *attempt) better(b *attempt) bool {
	if a.reached != b.reached {
		return a.reached > b.reached
	}
	return b.excluded && !a.excluded
}

// moment is the events of one time.
type moment struct {
	time     int64
	from, to int32 // indexes of events
	bits     uint64
}

// seeker finds attempts among the events of one visitor, in order.
type seeker struct {
	*funnel
	events  []event
	moments []moment
	next    []int32 // by bit and moment: the first from there on that has the bit
	match   matching
	try     attempt
	until   int64 // what was not kept of an hour counts from when the hour is over by then
}

func (s *seeker) load(f *funnel, events []event) {
	s.funnel, s.events, s.moments = f, events, s.moments[:0]
	for i := range events {
		if n := len(s.moments); n > 0 && s.moments[n-1].time == events[i].time {
			s.moments[n-1].to++
			s.moments[n-1].bits |= events[i].bits
			continue
		}
		s.moments = append(s.moments, moment{events[i].time, int32(i), int32(i) + 1, events[i].bits})
	}
	n, all := len(s.moments), f.steps+len(f.exclusions)
	if cap(s.next) < all*(n+1) {
		s.next = make([]int32, all*(n+1))
	}
	s.next = s.next[:all*(n+1)]
	for bit := range all {
		next := s.next[bit*(n+1) : (bit+1)*(n+1)]
		at := int32(n)
		next[n] = at
		for m := n - 1; m >= 0; m-- {
			if s.moments[m].bits>>bit&1 != 0 {
				at = int32(m)
			}
			next[m] = at
		}
	}
}

// after is the first moment from m on that has a bit.
func (s *seeker) after(bit, m int) int { return int(s.next[bit*(len(s.moments)+1)+m]) }

// attempt finds the best attempt that starts at a moment.
func (s *seeker) attempt(m int) *attempt {
	a := &s.try
	a.start, a.reached, a.excluded = s.moments[m].time, 0, false
	switch {
	case s.any:
		s.anyOrder(a, m)
	case s.strict:
		s.oneByOne(a, m)
	default:
		s.inOrder(a, m)
	}
	return a
}

// inOrder takes each step as early as can be: whatever a later event could be
// followed by, the earlier one can. Events of one time come in whatever order serves
// the steps, but each serves one at most.
func (s *seeker) inOrder(a *attempt, m int) {
	end := a.start + s.within
	for {
		s.advance(a, m)
		if a.reached == s.steps {
			break
		}
		if m = s.after(a.reached, m+1); m == len(s.moments) || s.moments[m].time > end {
			break
		}
	}
	a.excluded = s.isExcluded(a)
}

// advance takes the steps that the events of a moment make.
func (s *seeker) advance(a *attempt, m int) {
	at := &s.moments[m]
	take := func() {
		first := at.from
		for s.events[first].bits>>a.reached&1 == 0 {
			first++
		}
		a.times[a.reached], a.events[a.reached] = at.time, first
		a.reached++
	}
	if at.to-at.from == 1 {
		take()
		return
	}
	s.match.reset(s.steps, int(at.to-at.from), func(i int) uint64 { return s.events[int(at.from)+i].bits })
	for a.reached < s.steps && s.match.add(a.reached) {
		take()
	}
}

// oneByOne follows events that come at once after one another.
func (s *seeker) oneByOne(a *attempt, m int) {
	end := a.start + s.within
	best := *a
	for i := s.moments[m].from; i < s.moments[m].to; i++ {
		a.reached, a.excluded = 0, false
		for k := int(i); k < len(s.events) && a.reached < s.steps && s.events[k].time <= end && s.events[k].bits>>a.reached&1 != 0; k++ {
			a.times[a.reached], a.events[a.reached] = s.events[k].time, int32(k)
			a.reached++
		}
		if a.excluded = s.isExcluded(a); a.reached > 0 && (best.reached == 0 || a.better(&best)) {
			best = *a
		}
	}
	*a = best
}

// isExcluded tells whether an exclusion event lies between its steps: later than the
// one and earlier than the other, or than the end of the window where that one was
// not reached.
func (s *seeker) isExcluded(a *attempt) bool {
	for x, between := range s.exclusions {
		if a.reached <= between[0] {
			continue
		}
		from, to := a.times[between[0]], a.start+s.within+1
		if a.reached > between[1] {
			to = a.times[between[1]]
		}
		m, _ := slices.BinarySearchFunc(s.moments, from+1, func(m moment, t int64) int { return cmp.Compare(m.time, t) })
		if m = s.after(s.steps+x, m); m < len(s.moments) && s.moments[m].time < to {
			return true
		}
	}
	return false
}

// anyOrder takes events as they come, each for one step. Step k of the attempt is the
// event with which k steps can be told to have happened.
func (s *seeker) anyOrder(a *attempt, m int) {
	end := a.start + s.within
	c := cover{seeker: s}
	for i := int(s.moments[m].from); a.reached < s.steps; i++ {
		// What satisfies only steps that cannot be shared out anew is passed over.
		if i = c.nextOutside(i); i == len(s.events) || s.events[i].time > end {
			return
		}
		if c.add(i) {
			a.times[a.reached], a.events[a.reached] = s.events[i].time, int32(i)
			a.reached++
		}
	}
}

// cover shares steps out among events, by augmenting paths.
type cover struct {
	*seeker
	given  uint64          // steps that have an event
	event  [MaxSteps]int32 // the event of a step
	closed uint64          // steps such that an event with no others adds nothing
	tried  uint64
}

func (c *cover) nextOutside(i int) int {
	for i < len(c.events) {
		if c.events[i].bits&c.allOf&^c.closed != 0 {
			return i
		}
		m, _ := slices.BinarySearchFunc(c.moments, c.events[i].time, func(m moment, t int64) int { return cmp.Compare(m.time, t) })
		if i++; i < int(c.moments[m].to) {
			continue
		}
		next := len(c.moments)
		for rest := c.allOf &^ c.closed; rest != 0; rest &= rest - 1 {
			next = min(next, c.after(bits.TrailingZeros64(rest), m+1))
		}
		if next == len(c.moments) {
			return len(c.events)
		}
		i = int(c.moments[next].from)
	}
	return i
}

func (c *cover) add(i int) bool {
	c.tried = 0
	if c.augment(int32(i)) {
		return true
	}
	c.closed |= c.tried
	return false
}

func (c *cover) augment(i int32) bool {
	for rest := c.events[i].bits & c.allOf &^ c.tried &^ c.closed; rest != 0; rest = c.events[i].bits & c.allOf &^ c.tried &^ c.closed {
		step := bits.TrailingZeros64(rest)
		c.tried |= 1 << step
		if c.given>>step&1 == 0 || c.augment(c.event[step]) {
			c.given |= 1 << step
			c.event[step] = i
			return true
		}
	}
	return false
}

// breakdownOf is the value an attempt counts under; empty for none.
func (s *seeker) breakdownOf(a *attempt) string {
	if s.breakdown < 0 {
		return ""
	}
	switch s.attribution {
	case firstValue:
		for _, i := range a.events[:a.reached] {
			if v := s.events[i].value; v != "" {
				return v
			}
		}
	case lastValue:
		for k := a.reached - 1; k >= 0; k-- {
			if v := s.events[a.events[k]].value; v != "" {
				return v
			}
		}
	default:
		if s.attribution < a.reached {
			return s.events[a.events[s.attribution]].value
		}
	}
	return ""
}
