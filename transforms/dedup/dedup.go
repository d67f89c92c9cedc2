package dedup

import (
	"fmt"
	"time"
)

// Verdict is what is said about an event.
type Verdict uint8

// The verdicts.
const (
	First     Verdict = iota + 1 // the least of its id within the horizon that has come so far
	Duplicate                    // one that is less has come
	Replaces                     // it is the least; another that was First is a duplicate now
	Joins                        // it is a duplicate, and comes so little before another that was First that this is one now, too
	Beyond                       // it cannot be told: late, with an id that is not known, or of a time out of bounds. It is kept
)

// Deduper judges the events of a shard of ids. It belongs to one goroutine. What it
// holds follows from the events alone, not from their order.
type Deduper struct {
	horizon int64 // ms
	chains  chainTable
}

// MaxHorizon is the longest horizon.
const MaxHorizon = 366 * 24 * time.Hour

// New makes an empty one. The horizon is whole milliseconds, up to MaxHorizon.
func New(horizon time.Duration) (*Deduper, error) {
	if horizon <= 0 || horizon > MaxHorizon || horizon%time.Millisecond != 0 {
		return nil, fmt.Errorf("deduplication horizon %v: want whole milliseconds, above 0 and at most %v", horizon, MaxHorizon)
	}
	return &Deduper{horizon: horizon.Milliseconds()}, nil
}

// Len is the number of chains that are remembered: of ids, except that an id that
// came again after the horizon counts again.
func (d *Deduper) Len() int { return d.chains.used }

// Add notes an event in time and says what it is as far as is known; Kept says it
// for good. The least event of a chain is First as often as it is added. Times outside
// of the years 1970 to 2527 are Beyond and not noted.
func (d *Deduper) Add(id ID, at Order) Verdict {
	if !judged(at) {
		return Beyond
	}
	return d.join(id, at, at.Time)
}

func judged(at Order) bool { return at.Time >= 0 && at.Time <= maxTime }

// Late judges an event that came late, and does not note it: Duplicate if an event
// of the id lies within the horizon, before or after, and else Beyond.
func (d *Deduper) Late(id ID, at Order) Verdict {
	if judged(at) && d.find(id, at.Time, at.Time) != none {
		return Duplicate
	}
	return Beyond
}

// Known tells whether an event of an id is known, however far away: something may still come that
// lies between, and makes a duplicate of what is beyond the horizon.
func (d *Deduper) Known(id ID) bool {
	t := &d.chains
	if t.used == 0 {
		return false
	}
	for i := t.place(id.High); t.slots[i].high != 0; i = t.next(i) {
		if t.slots[i].id() == id {
			return true
		}
	}
	return false
}

// Kept tells whether an event that was added is no duplicate. That is final once the
// watermark is above its time, and has to be asked before Advance forgets the event.
// One that is not known is kept.
func (d *Deduper) Kept(id ID, at Order) bool {
	if !judged(at) {
		return true
	}
	i := d.find(id, at.Time, at.Time)
	return i == none || d.chains.slots[i].first().Compare(at) >= 0
}

const none = -1

// find looks for a chain of an id with an event less than the horizon away from a
// span of time.
func (d *Deduper) find(id ID, from, to int64) int {
	t := &d.chains
	if t.used == 0 {
		return none
	}
	for i := t.place(id.High); t.slots[i].high != 0; i = t.next(i) {
		s := &t.slots[i]
		if s.id() == id && s.first().Time-to < d.horizon && from-t.end(s) < d.horizon {
			return i
		}
	}
	return none
}

// join notes a chain of an id: its first event, and the time of its last. It becomes
// one with all that it touches.
func (d *Deduper) join(id ID, first Order, end int64) Verdict {
	t := &d.chains
	if t.full() {
		t.resize(t.used+1, nil)
	}
	chains, least := 0, first
	for i := d.find(id, least.Time, end); i != none; i = d.find(id, least.Time, end) {
		s := t.slots[i]
		if c := s.first().Compare(least); chains == 0 && c <= 0 && end <= t.end(&s) { // inside: nothing changes, and no other is near
			if c < 0 {
				return Duplicate
			}
			return First
		}
		end = max(end, t.end(&s))
		t.setEnd(&s, s.first().Time)
		t.remove(i)
		if s.first() != first {
			chains++
		}
		if s.first().Compare(least) < 0 {
			least = s.first()
		}
	}
	verdict := First
	switch { // every chain but that of the least has lost its first
	case least == first && chains > 0:
		verdict = Replaces
	case least != first && chains > 1:
		verdict = Joins
	case least != first:
		verdict = Duplicate
	}
	s := slotOf(id, least)
	t.put(s)
	t.setEnd(&s, end)
	return verdict
}

// Advance forgets what no event in time can need: whose last event lies a horizon or
// more before the watermark.
func (d *Deduper) Advance(watermark int64) {
	t := &d.chains
	gone := func(s *slot) bool { return watermark-t.end(s) >= d.horizon }
	n := 0
	for i := range t.slots {
		if s := &t.slots[i]; s.high != 0 && gone(s) {
			n++
		}
	}
	if n == 0 {
		return
	}
	drop := func(s *slot) bool {
		if !gone(s) {
			return false
		}
		delete(t.last, s.key())
		return true
	}
	t.resize(t.used-n, drop)
}
