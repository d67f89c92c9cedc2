package dedup

import "math/bits"

// slot is a chain of events of an id: the id, and the first of them. Packed, it
// takes three words.
type slot struct {
	high uint64 // of the id; 0: the place is empty
	rest uint64 // low bits of the id, then the time of the first
	tie  uint64 // of the first
}

const (
	timeBits = 64 - lowBits
	// maxTime bounds the times that can be judged, in Unix milliseconds: those of the
	// years 1970 to 2527.
	maxTime = 1<<timeBits - 1
)

func slotOf(id ID, first Order) slot {
	return slot{high: id.High, rest: uint64(id.Low)<<timeBits | uint64(first.Time), tie: first.Tie}
}

func (s *slot) id() ID       { return ID{High: s.high, Low: uint32(s.rest >> timeBits)} }
func (s *slot) first() Order { return Order{Time: int64(s.rest & maxTime), Tie: s.tie} }

// key names the chain in the list of those that have more than one event.
type key struct{ high, rest uint64 }

func (s *slot) key() key { return key{s.high, s.rest} }

// chainTable holds chains by open addressing with linear probing. Ids are hashes, so
// their upper bits name the place.
type chainTable struct {
	slots []slot
	used  int
	last  map[key]int64 // time of the last event of chains that have several
}

const leastSlots = 16

// full tells whether another chain needs room: above seven eighths, probes get
// long.
func (t *chainTable) full() bool { return t.used >= len(t.slots)-len(t.slots)/8 }

// resize rebuilds the table with room for so many chains, half as many again, and
// without those that drop names.
func (t *chainTable) resize(chains int, drop func(*slot) bool) {
	old := t.slots
	t.slots, t.used = make([]slot, max(leastSlots, chains+chains/2)), 0
	for i := range old {
		if s := &old[i]; s.high != 0 && (drop == nil || !drop(s)) {
			t.put(*s)
		}
	}
}

func (t *chainTable) place(high uint64) int {
	n, _ := bits.Mul64(high, uint64(len(t.slots)))
	return int(n)
}

func (t *chainTable) next(i int) int {
	if i++; i == len(t.slots) {
		return 0
	}
	return i
}

func (t *chainTable) put(s slot) {
	i := t.place(s.high)
	for t.slots[i].high != 0 {
		i = t.next(i)
	}
	t.slots[i] = s
	t.used++
}

// end is the time of a chain's last event.
func (t *chainTable) end(s *slot) int64 {
	if len(t.last) > 0 {
		if last, ok := t.last[s.key()]; ok {
			return last
		}
	}
	return int64(s.rest & maxTime)
}

// setEnd notes the time of a chain's last event.
func (t *chainTable) setEnd(s *slot, end int64) {
	if end == int64(s.rest&maxTime) {
		delete(t.last, s.key())
		return
	}
	if t.last == nil {
		t.last = map[key]int64{}
	}
	t.last[s.key()] = end
}

// remove takes a chain out; those that were pushed on by it move back.
func (t *chainTable) remove(i int) {
	t.used--
	for hole, at := i, t.next(i); ; at = t.next(at) {
		s := t.slots[at]
		if s.high == 0 {
			t.slots[hole] = slot{}
			return
		}
		if home := t.place(s.high); between(home, hole, at) {
			t.slots[hole] = s
			hole = at
		}
	}
}

// between tells whether a chain at home may stand in hole instead of at: whether,
// going on from home, hole comes no later than at.
func between(home, hole, at int) bool {
	if home <= at {
		return home <= hole && hole < at
	}
	return home <= hole || hole < at
}
