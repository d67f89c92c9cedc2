package funnels

import (
	"fmt"
	"math"
	"slices"

	"millrace/transforms/internal/wire"
)

// Update is what one Advance changes. Rows are by visitor, funnel and start.
type Update struct {
	Sealed      []Row        // final rows
	Closed      []int64      // for each of Sealed, the watermark from which on it is: the same however often Advance was called
	Days        []Row        // of each visitor and funnel, the row that counts for a UTC day that is over: what a Tally takes
	Provisional []Row        // rows that can still change, and did
	Withdrawn   []Withdrawal // rows written before that no longer are the best attempts
	State       []byte       // for the next Advance; nil when nothing is open
	Next        int64        // a watermark by which to call Advance again: the earliest that seals anything in State
}

// Withdrawal deletes a provisional row, unless a greater version is there.
type Withdrawal struct {
	Funnel  int
	Visitor string
	Start   int64
	Version int64 // that of the group which took the row's events
}

// always is later than any watermark that decides.
const always = math.MaxInt64

// Advance is the live form: a fold over state (nil at first), new fragments and the
// watermark. No later call may bring an event with a time before this one's
// watermark; where events may be late by an allowance, it is to be subtracted from
// the watermark before. The versions of a row, that is of a funnel, visitor and
// start, never decrease.
//
// The evaluator is reset. After an error nothing has changed.
func (e *Evaluator) Advance(state []byte, blobs [][]byte, watermark int64) (Update, error) {
	return e.advance(state, blobs, watermark, nil)
}

func (e *Evaluator) advance(state []byte, blobs [][]byte, watermark int64, settled *steps) (Update, error) {
	e.Reset()
	defer e.Reset()
	if len(state) > 0 {
		if err := e.read(state, true); err != nil {
			return Update{}, fmt.Errorf("reading funnel state: %w", err)
		}
	}
	for _, b := range blobs {
		if err := e.Add(b); err != nil {
			return Update{}, err
		}
	}
	a := advance{Evaluator: e, watermark: watermark, settled: settled, update: Update{Next: always}}
	order := e.sorted()
	for _, v := range order {
		for f := range e.set.funnels {
			if err := a.visits(v, f); err != nil {
				return Update{}, err
			}
		}
	}
	a.update.State = e.state(order)
	return a.update, nil
}

// Earliest is the time of the first event in an encoded Part. Nothing in it seals
// before Earliest + MinWithin.
func (e *Evaluator) Earliest(blob []byte) (int64, error) {
	d := decoder{Reader: wire.NewReader(blob), set: e.set}
	d.open()
	return d.base, d.Err()
}

// MinWithin is the shortest window of the funnels in milliseconds.
func (s *Set) MinWithin() int64 { return s.minWithin }

// advance is one call's work.
type advance struct {
	*Evaluator
	watermark int64
	settled   *steps // nil when rows are written of all events
	update    Update
}

// visits writes the rows of a visitor for a funnel and leaves what stays open.
func (a *advance) visits(visitor int32, f int) error {
	v, known := a.of(visitor, f), int64(always)
	if v.empty() {
		return nil
	}
	var unsettled []event
	if a.settled != nil {
		known, unsettled = a.watermark, a.settle(v, f)
	}
	groups := a.load(v, f, known)
	before, id := v.written, a.ids[visitor]
	v.written = nil
	keep := a.watermark // events from then on can be needed
	for i := range groups {
		g := &groups[i]
		k := startingUpTo(before, g.last)
		if a.watermark >= g.closes {
			a.seal(v, id, f, g, before[:k])
		} else {
			keep = min(keep, g.first)
			a.update.Next = min(a.update.Next, g.closes)
			a.provisional(v, id, f, g, before[:k])
		}
		before = before[k:]
	}
	if len(before) > 0 {
		return fmt.Errorf("reading funnel state: %w: no events for the row that starts at %d", wire.ErrCorrupt, before[0].start)
	}
	for _, h := range v.hours {
		if h.rest > 0 && h.end() > known {
			keep = min(keep, h.from)
		}
	}
	v.forget(keep, a.watermark)
	if len(unsettled) > 0 {
		v.events = append(v.events, unsettled...)
		a.update.Next = min(a.update.Next, unsettled[0].time+1)
	}
	a.days(v, id, f)
	a.wake(v, f)
	return nil
}

func startingUpTo(ws []written, end int64) int {
	n := 0
	for n < len(ws) && ws[n].start <= end {
		n++
	}
	return n
}

// seal gives the last word about a group.
func (a *advance) seal(v *visits, id string, f int, g *group, before []written) {
	start := int64(math.MinInt64)
	if g.found {
		r := a.seeker.row(f, id, g, a.revision)
		start = r.Start
		a.update.Sealed = append(a.update.Sealed, r)
		a.update.Closed = append(a.update.Closed, g.closes)
		v.addDay(r)
	}
	a.withdraw(id, f, g, before, start)
}

// provisional writes what is known of a group, where it is news.
func (a *advance) provisional(v *visits, id string, f int, g *group, before []written) {
	if !g.found {
		a.withdraw(id, f, g, before, math.MinInt64)
		return
	}
	r := a.seeker.row(f, id, g, a.revision)
	now := written{start: r.Start, version: r.Version, digest: r.digest(a.content)}
	if len(before) == 1 && before[0].start == now.start && before[0].digest == now.digest {
		v.written = append(v.written, before[0])
		return
	}
	a.update.Provisional = append(a.update.Provisional, r)
	v.written = append(v.written, now)
	a.withdraw(id, f, g, before, r.Start)
}

// withdraw takes rows back, but for the one that begins at start.
func (a *advance) withdraw(id string, f int, g *group, gone []written, start int64) {
	for _, w := range gone {
		if w.start != start {
			a.update.Withdrawn = append(a.update.Withdrawn, Withdrawal{
				Funnel: f, Visitor: id, Start: w.start, Version: a.revision.version(w.start, g.events),
			})
		}
	}
}

// addDay keeps the row that counts for its day.
func (v *visits) addDay(r Row) {
	for i := range v.days {
		if v.days[i].Day() == r.Day() {
			if r.Better(&v.days[i]) {
				v.days[i] = r
			}
			return
		}
	}
	v.days = append(v.days, r)
}

// dayEnds is the watermark from which on all groups of a day are sealed.
func (f *funnel) dayEnds(day int64) int64 {
	end := (day+1)*dayMs + f.within
	return (floor(end-1, hourMs) + 1) * hourMs
}

// days gives the rows of days that are over.
func (a *advance) days(v *visits, id string, f int) {
	kept := v.days[:0]
	for _, r := range v.days {
		r.Funnel, r.Visitor = f, id
		if ends := a.set.funnels[f].dayEnds(r.Day()); a.watermark < ends {
			a.update.Next = min(a.update.Next, ends)
			kept = append(kept, r)
			continue
		}
		a.update.Days = append(a.update.Days, r)
	}
	v.days = kept
}

// wake makes sure that what waits without being open is looked at again: events
// that came before the start they may follow, and counts of an hour that goes on.
func (a *advance) wake(v *visits, f int) {
	if n := len(v.events); n > 0 {
		a.update.Next = min(a.update.Next, max(v.events[n-1].time, a.watermark)+a.set.funnels[f].within+1)
	}
	for _, h := range v.hours {
		a.update.Next = min(a.update.Next, max((h.at+1)*hourMs, a.watermark+1))
	}
}

// state encodes what is open.
func (e *Evaluator) state(order []int32) []byte {
	n := len(e.set.funnels)
	order = slices.DeleteFunc(order, func(v int32) bool { return e.funnelsOf(v) == 0 })
	if len(order) == 0 {
		return nil
	}
	base, prefix := int64(math.MaxInt64), e.ids[order[0]]
	for _, o := range order {
		prefix = commonPrefix(prefix, e.ids[o])
		for _, v := range e.visits[int(o)*n : (int(o)+1)*n] {
			if len(v.events) > 0 {
				base = min(base, v.events[0].time)
			}
		}
	}
	if base == math.MaxInt64 {
		base = 0 // no events, only hours and days
	}
	w := &e.scratch
	w.reset(base)
	for _, o := range order {
		w.body = wire.AppendText(w.body, e.ids[o][len(prefix):])
		w.number(uint64(e.funnelsOf(o)))
		for f := range n {
			if v := &e.visits[int(o)*n+f]; !v.empty() {
				w.number(uint64(f))
				w.state(v, e.set.funnels[f].breakdown >= 0, e.content)
			}
		}
	}
	return w.assemble(e.set.head, prefix, len(order))
}

func (e *Evaluator) funnelsOf(visitor int32) (n int) {
	all := len(e.set.funnels)
	for i := range all {
		if !e.visits[int(visitor)*all+i].empty() {
			n++
		}
	}
	return n
}
