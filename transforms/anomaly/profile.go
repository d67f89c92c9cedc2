package anomaly

import "slices"

const (
	dayMs  = 24 * 60 * 60 * 1000
	weekMs = 7 * dayMs

	dayBins  = 96
	weekBins = 168

	memory = 100  // values after which a mean forgets as fast as it learns
	shrink = 0.95 // of an envelope's width with each day that does not fill it
)

// place is the bin of a time in a period that begins at the epoch.
func place(t, period int64, bins int) int {
	into := t % period
	if into < 0 {
		into += period
	}
	return int(into / (period / int64(bins)))
}

// profile keeps a mean for each part of a period.
type profile struct {
	mean []float64
	n    []uint8
}

func newProfile(bins int) profile {
	return profile{mean: make([]float64, bins), n: make([]uint8, bins)}
}

func (p *profile) clone() profile { return profile{mean: slices.Clone(p.mean), n: slices.Clone(p.n)} }

// distance is z less the mean of bin b, if there is one.
func (p *profile) distance(b int, z float64) (d float64, known bool) {
	return z - p.mean[b], p.n[b] > 0
}

func (p *profile) add(b int, z float64) {
	p.n[b] = min(p.n[b]+1, memory)
	p.mean[b] += (z - p.mean[b]) / float64(p.n[b])
}

// span is a range of values.
type span struct{ low, high float64 }

// envelope keeps the range of values for each part of a day. What comes today
// counts from tomorrow on: today's values are collected apart, and join when half
// a day has gone by.
type envelope struct {
	known, today       [dayBins]span
	isKnown, isFilling [dayBins]bool
	last               int // bin of the last value, or -1
}

// distance is how far z lies outside of the ranges of bin b and its neighbours: a
// job that runs at 3:05 one day may run at 3:20 the next.
func (e *envelope) distance(b int, z float64) (d float64, known bool) {
	var r span
	for i := -1; i <= 1; i++ {
		k := (b + i + dayBins) % dayBins
		switch {
		case !e.isKnown[k]:
		case !known:
			r, known = e.known[k], true
		default:
			r.low, r.high = min(r.low, e.known[k].low), max(r.high, e.known[k].high)
		}
	}
	if z > r.high {
		return z - r.high, known
	}
	return min(z-r.low, 0), known
}

func (e *envelope) add(b int, z float64) {
	if b != e.last {
		e.join((b + dayBins/2) % dayBins)
		e.last = b
	}
	t := &e.today[b]
	if !e.isFilling[b] {
		*t, e.isFilling[b] = span{z, z}, true
		return
	}
	t.low, t.high = min(t.low, z), max(t.high, z)
}

// join widens the known range of a bin by what was collected, and lets it shrink
// otherwise.
func (e *envelope) join(b int) {
	if !e.isFilling[b] {
		return
	}
	k, t := &e.known[b], e.today[b]
	if e.isKnown[b] {
		middle := (k.low + k.high) / 2
		t.high = max(t.high, middle+float64((k.high-middle)*shrink))
		t.low = min(t.low, middle+float64((k.low-middle)*shrink))
	}
	*k, e.isKnown[b], e.isFilling[b] = t, true, false
}
