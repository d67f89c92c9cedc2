package funnels

import (
	"cmp"
	"slices"
)

// AdvanceSettled is Advance with provisional rows of the events before the watermark
// alone. No other event can come to lie among these, so what is written follows from
// events and watermarks, not from the order in which the events came.
//
// Watermarks are multiples of step, and before is that of the call before. What other calls, from the same
// state on, could have written at watermarks between, is withdrawn unless it stands:
// who starts again from an earlier state leaves no row behind that it does not know
// of. So rows are withdrawn, too, that were never written.
func (e *Evaluator) AdvanceSettled(state []byte, blobs [][]byte, before, watermark, step int64) (Update, error) {
	return e.advance(state, blobs, watermark, &steps{before, step})
}

// steps are the watermarks at which rows may have been written: multiples of step
// later than before.
type steps struct{ before, step int64 }

// settle takes the events out that are not settled, and gives them. To the rows that
// were written it adds those that could have been, at steps between.
func (a *advance) settle(v *visits, f int) (unsettled []event) {
	v.tidy(a.set.maxEvents)
	all := v.events
	at := func(t int64) int {
		n, _ := slices.BinarySearchFunc(all, t, func(e event, t int64) int { return cmp.Compare(e.time, t) })
		return n
	}
	n := at(a.watermark)
	unsettled = slices.Clone(all[n:])
	for i := at(a.settled.before); i < n; {
		step := (floor(all[i].time, a.settled.step) + 1) * a.settled.step
		if step >= a.watermark {
			break // it is this call's
		}
		i = at(step)
		v.events = all[:i]
		for _, g := range a.load(v, f, step) {
			if g.found {
				v.mayHave(g.best.start)
			}
		}
	}
	v.events = all[:n]
	return unsettled
}

// mayHave notes a row that may have been written.
func (v *visits) mayHave(start int64) {
	i, ok := slices.BinarySearchFunc(v.written, start, func(w written, t int64) int { return cmp.Compare(w.start, t) })
	if !ok {
		v.written = slices.Insert(v.written, i, written{start: start})
	}
}
