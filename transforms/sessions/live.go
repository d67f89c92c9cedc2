package sessions

import (
	"fmt"
	"math"
	"slices"

	"millrace/transforms/internal/wire"
)

// Update is what one Advance changes.
type Update struct {
	Sealed      []Session    // final rows, by visitor and start
	Closed      []int64      // for each of Sealed, the watermark from which on it is: the same however often Advance was called
	Provisional []Session    // open sessions that changed, by visitor and start
	Withdrawn   []Withdrawal // rows written before that no longer are sessions
	State       []byte       // for the next Advance; nil when nothing is open
	Next        int64        // the earliest watermark that seals or decides anything in State
}

// Withdrawal deletes a provisional row, unless a greater version is there.
type Withdrawal struct {
	ID      string
	Visitor string
	Start   int64
	Version int64 // that of the chain which took the session's events
}

// written is a provisional session that a sink may hold.
type written struct{ start, version int64 }

// Advance is the live form: a fold over state (nil at first), new fragments and
// the watermark. No later call may bring an event with a time before this one's
// watermark; where events may be late by an allowance, it is to be subtracted
// from the watermark before. The versions of a session's id never decrease.
//
// What lies after a midnight is not written while events before that midnight,
// which decide whether it cuts, may still come and a chain crosses it.
//
// With Options.Settled a session is written from when no event can come any more that
// is not later than its start: which sessions begin by then follows from the events alone,
// not from the order in which they came. So who starts again from an earlier state
// writes no other ids than were written before, and nothing is withdrawn.
//
// The sessionizer is reset. After an error nothing has changed.
func (s *Sessionizer) Advance(state []byte, blobs [][]byte, watermark int64) (Update, error) {
	s.Reset()
	defer s.Reset()
	if len(state) > 0 {
		if err := s.read(state, true); err != nil {
			return Update{}, fmt.Errorf("reading session state: %w", err)
		}
	}
	for _, b := range blobs {
		if err := s.Add(b); err != nil {
			return Update{}, err
		}
	}
	a := advance{Sessionizer: s, watermark: watermark, update: Update{Next: always}}
	a.cutter = cutter{rules: s.rules, revision: s.revision, pool: &s.pool}
	visitors := s.sorted()
	for _, v := range visitors {
		if err := a.visitor(v); err != nil {
			return Update{}, err
		}
	}
	visitors = slices.DeleteFunc(visitors, func(v *visitorState) bool { return len(v.fragments) == 0 && v.latest.index == 0 })
	if len(visitors) > 0 {
		a.update.State = s.scratch.state(s.rules, visitors)
	}
	return a.update, nil
}

// Earliest is the time of the first event in an encoded Part.
func (s *Sessionizer) Earliest(blob []byte) (int64, error) {
	d := decoder{Reader: wire.NewReader(blob), rules: s.rules}
	d.open()
	return d.base, d.Err()
}

// advance is one call's work.
type advance struct {
	*Sessionizer
	cutter    cutter
	watermark int64
	update    Update
}

// visitor writes a visitor's sessions and leaves in v what stays open.
func (a *advance) visitor(v *visitorState) error {
	fs := a.rules.mergeFragments(v.fragments, &a.segments, &a.pool)
	open := fs[:0]
	before := v.written
	v.written = nil
	a.cutter.visitor, a.cutter.latest = v.id, v.latest
	for len(fs) > 0 {
		chain := fs[:a.rules.gapChain(fs)]
		n, undecided := a.rules.boundedChain(chain, a.watermark)
		var sealed bool
		if sealed, before = a.chain(v, chain[:n], before); !sealed {
			open = append(open, chain[:n]...)
		}
		if undecided { // what follows waits, and with it what was written of it
			open = append(open, chain[n:]...)
			a.update.Next = min(a.update.Next, floorDay(chain[n].total.start)*dayMs)
			k := startingUpTo(before, chain[len(chain)-1].total.end)
			v.written = append(v.written, before[:k]...)
			before, n = before[k:], len(chain)
		}
		fs = fs[n:]
	}
	if len(before) > 0 {
		return fmt.Errorf("reading session state: %w: no events for the session that starts at %d", wire.ErrCorrupt, before[0].start)
	}
	v.fragments = open
	if !v.latest.needed(open, a.watermark) {
		v.latest = latest{}
	} else if len(open) == 0 {
		a.update.Next = min(a.update.Next, v.latest.ends())
	}
	return nil
}

func startingUpTo(ws []written, end int64) int {
	n := 0
	for n < len(ws) && ws[n].start <= end {
		n++
	}
	return n
}

// chain writes the sessions of one chain and withdraws what was written inside
// it before and is no session any more. It returns the rest of before.
func (a *advance) chain(v *visitorState, chain []fragment, before []written) (sealed bool, rest []written) {
	a.cutter.out = a.cutter.out[:0]
	a.cutter.chain(chain)
	end := chain[len(chain)-1].total.end
	closes := end + a.rules.gap // nothing can be added from then on
	sealed = a.watermark >= closes
	if sealed {
		v.latest = a.cutter.latest
	} else {
		a.update.Next = min(a.update.Next, closes)
	}
	for _, s := range a.cutter.out {
		k := startingUpTo(before, s.Start-1)
		a.withdraw(v, before[:k])
		before = before[k:]
		known := int64(none)
		if len(before) > 0 && before[0].start == s.Start {
			known = before[0].version
			before = before[1:]
		}
		if sealed {
			a.update.Sealed = append(a.update.Sealed, s)
			a.update.Closed = append(a.update.Closed, closes)
			continue
		}
		if a.rules.settled && s.Start >= a.watermark {
			a.update.Next = min(a.update.Next, s.Start+1)
			continue
		}
		if s.Version != known {
			a.update.Provisional = append(a.update.Provisional, s)
		}
		v.written = append(v.written, written{start: s.Start, version: s.Version})
	}
	k := startingUpTo(before, end)
	a.withdraw(v, before[:k])
	return sealed, before[k:]
}

func (a *advance) withdraw(v *visitorState, gone []written) {
	for _, w := range gone {
		a.update.Withdrawn = append(a.update.Withdrawn, Withdrawal{
			ID: ID(v.id, w.start), Visitor: v.id, Start: w.start,
			Version: a.revision.version(w.start, a.cutter.events),
		})
	}
}

// state encodes open fragments and written sessions, by visitor: the form of
// fragments, where after a visitor's fragments comes the number of written
// sessions, and for each its start, counted from base, and its version; with the
// index, then that of the session sealed last, 0 for none, and its start, counted from base.
func (e *encoder) state(r *rules, visitors []*visitorState) []byte {
	e.reset()
	base := int64(math.MaxInt64)
	prefix := visitors[0].id
	for _, v := range visitors {
		if len(v.fragments) > 0 {
			base = min(base, v.fragments[0].total.start)
		}
		if v.latest.index > 0 {
			base = min(base, v.latest.start)
		}
		prefix = commonPrefix(prefix, v.id)
	}
	for _, v := range visitors {
		e.body = wire.AppendText(e.body, v.id[len(prefix):])
		e.number(uint64(len(v.fragments)))
		from := base
		for i := range v.fragments {
			e.fragment(r, &v.fragments[i], from)
			from = v.fragments[i].total.end
		}
		e.number(uint64(len(v.written)))
		for _, w := range v.written {
			e.number(uint64(w.start - base))
			e.number(uint64(w.version))
		}
		if r.index {
			e.latest(&v.latest, base)
		}
	}
	return e.assemble(r.head, base, prefix, uint64(len(visitors)))
}

func (d *decoder) written(v *visitorState) {
	for range d.Count(2) {
		w := written{start: d.base + int64(d.Limited(2*maxTime)), version: int64(d.Limited(math.MaxInt64))}
		if n := len(v.written); d.Err() == nil && n > 0 && w.start <= v.written[n-1].start {
			d.Fail("written sessions are not in order")
		}
		if d.Err() != nil {
			return
		}
		v.written = append(v.written, w)
	}
}

func (e *encoder) latest(l *latest, base int64) {
	e.number(uint64(l.index))
	if l.index > 0 {
		e.number(uint64(l.start - base))
	}
}

func (d *decoder) latest(v *visitorState) {
	if d.features&featureIndex == 0 {
		return
	}
	l := latest{index: int32(d.Limited(math.MaxInt32 - 1))}
	if l.index > 0 {
		l.start = d.base + int64(d.Limited(2*maxTime))
		l.day = floorDay(l.start)
	}
	if d.Err() == nil && len(v.fragments) > 0 && l.index > 0 && l.start > v.fragments[0].total.start {
		d.Fail("a session was sealed after one that is open")
	}
	if d.Err() == nil && d.rules.index {
		v.latest = l
	}
}
