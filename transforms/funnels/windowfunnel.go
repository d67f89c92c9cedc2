package funnels

import (
	"cmp"
	"math/bits"
	"slices"
)

// Hit is one event as conditions see it.
type Hit struct {
	Time  int64  // in any unit; windows and pattern times have the same
	Steps uint64 // bit i is set when the event satisfies condition i; 0 when it satisfies none
}

// Mode changes the rules of WindowFunnel. Modes combine.
type Mode uint8

// The modes, by their names in ClickHouse.
const (
	StrictDeduplication Mode = 1 << iota // a step met again ends the evaluation with the number of the step before it
	StrictOrder                          // an event that satisfies nothing, or a step too early, ends it
	StrictIncrease                       // times of a chain grow strictly
	StrictOnce                           // an event serves at most one step of a chain
	AllowReentry                         // with StrictOrder: step 1 may come again in the middle of a chain
)

// MaxSteps is the greatest number of steps.
const MaxSteps = 32

// WindowFunnel is the level that the hits of one user reach: how many of the first
// steps (at most MaxSteps) were met one after another within window of the first,
// the last moment included. It is ClickHouse's windowFunnel with its modes, as its test
// 00632_aggregation_window_funnel has them since allow_reentry was added
// (https://clickhouse.com/docs/sql-reference/aggregate-functions/parametric-functions).
//
// A hit is looked at once for each step it satisfies; hits of one time in the order
// of steps, not of hits. Without StrictOnce only the latest chain is kept for each
// step: a later step 1 replaces the start of what follows, not of what was reached.
func WindowFunnel(hits []Hit, steps int, window int64, mode Mode) int {
	if !slices.IsSortedFunc(hits, compareHits) {
		hits = slices.Clone(hits)
		slices.SortStableFunc(hits, compareHits)
	}
	w := windowFunnel{steps: steps, window: window, mode: mode}
	for len(hits) > 0 {
		n := 1
		for n < len(hits) && hits[n].Time == hits[0].Time {
			n++
		}
		if w.moment(hits[:n]) {
			return w.level
		}
		hits = hits[n:]
	}
	return w.deepest()
}

func compareHits(a, b Hit) int { return cmp.Compare(a.Time, b.Time) }

// link is the latest chain that ends with a step.
type link struct {
	first, last int64 // times of its first and its last event
	reached     bool
}

type windowFunnel struct {
	steps    int
	window   int64
	mode     Mode
	chains   [MaxSteps]link
	previous int // number of the step of the last entry
	level    int // once evaluation has ended

	before [MaxSteps]link // StrictOnce: chains as they were before the moment
	match  matching
}

func (w *windowFunnel) is(m Mode) bool { return w.mode&m != 0 }

// moment takes the hits of one time. It tells whether the evaluation has ended.
func (w *windowFunnel) moment(hits []Hit) (ended bool) {
	if w.is(StrictOrder) && w.chains[0].reached && slices.ContainsFunc(hits, func(h Hit) bool { return h.Steps == 0 }) {
		w.level = w.deepest()
		return true
	}
	if w.is(StrictOnce) {
		copy(w.before[:w.steps], w.chains[:w.steps])
		w.match.reset(w.steps, len(hits), func(i int) uint64 { return hits[i].Steps })
	}
	if len(hits) == 1 {
		for rest := hits[0].Steps; rest != 0; rest &= rest - 1 {
			if w.entry(bits.TrailingZeros64(rest), 0, hits[0].Time) {
				return true
			}
		}
		return false
	}
	for step := range w.steps {
		for i, h := range hits {
			if h.Steps>>step&1 != 0 && w.entry(step, i, h.Time) {
				return true
			}
		}
	}
	return false
}

// entry takes a step that hit number row of the moment satisfies.
func (w *windowFunnel) entry(step, row int, t int64) (ended bool) {
	previous := w.previous
	w.previous = step + 1
	switch {
	case step == 0:
		if w.is(StrictOrder) && !w.is(AllowReentry) && w.steps > 1 && w.chains[1].reached {
			w.level = w.deepest()
			return true
		}
		w.chains[0] = link{t, t, true}
		return false
	case w.is(StrictDeduplication) && w.chains[step].reached:
		w.level = previous
		return true
	case w.is(StrictOrder) && w.chains[0].reached && !w.chains[step-1].reached:
		w.level = slices.IndexFunc(w.chains[:w.steps], func(l link) bool { return !l.reached })
		return true
	case w.is(StrictOnce):
		w.once(step, row, t)
	default:
		p := w.chains[step-1]
		if p.reached && t-p.first <= w.window && (!w.is(StrictIncrease) || p.last < t) {
			w.chains[step] = link{p.first, t, true}
		}
	}
	if step == w.steps-1 && w.chains[step].reached {
		w.level = w.steps
		return true
	}
	return false
}

// once continues a chain by a step that one row serves: a chain of before, and then
// other rows of this moment for the steps between. The latest start is the best:
// what a chain of an earlier one can still reach, it can too.
func (w *windowFunnel) once(step, row int, t int64) {
	w.match.begin(row)
	for from := step; ; from-- { // the chain had this many steps before the moment
		first, possible := t, true
		if from > 0 {
			first, possible = w.before[from-1].first, w.before[from-1].reached && t-w.before[from-1].first <= w.window
		}
		if possible && (!w.chains[step].reached || w.chains[step].first <= first) {
			w.chains[step] = link{first, t, true}
		}
		if from == 0 || w.is(StrictIncrease) || !w.match.add(from-1) {
			return
		}
	}
}

func (w *windowFunnel) deepest() int {
	for n := w.steps; n > 0; n-- {
		if w.chains[n-1].reached {
			return n
		}
	}
	return 0
}
