package alerts

import (
	"cmp"
	"math"
	"slices"
)

// Reading is one value of the field that a rule watches, and of its while field,
// at a time in milliseconds: of a window its start, of an event its time. Of a rule with
// Per, While is what the row adds to that which is divided by, and Value is not a number
// if it adds nothing to that which is divided.
type Reading struct {
	Time  int64
	Value float64
	While float64
}

// cell is what fell in one window.
type cell struct {
	start     int64
	value     float64 // the aggregate
	lastTime  int64   // of Last
	while     float64
	hasNumber bool // a finite value was among the readings
}

// fold takes a reading. Sums are of whole numbers up to 2^53, which add up to the
// same in any order; fractions are cut.
func (c *cell) fold(a Aggregate, r Reading) {
	if !math.IsNaN(r.While) {
		c.while = whole(c.while + whole(r.While))
	}
	if math.IsNaN(r.Value) || math.IsInf(r.Value, 0) {
		return
	}
	first := !c.hasNumber
	c.hasNumber = true
	switch a {
	case Max:
		if first || r.Value > c.value {
			c.value = r.Value
		}
	case Min:
		if first || r.Value < c.value {
			c.value = r.Value
		}
	case Last: // of two at the same time, the greater one
		if first || r.Time > c.lastTime || r.Time == c.lastTime && r.Value > c.value {
			c.value, c.lastTime = r.Value, r.Time
		}
	case Sum:
		c.value = whole(c.value + whole(r.Value))
	case Count:
		c.value++
	}
}

func whole(v float64) float64 { return math.Trunc(min(max(v, -1<<52), 1<<52)) }

// cells are windows that are not sealed yet, by start.
type cells []cell

func (c *cells) at(start int64) *cell {
	i, found := slices.BinarySearchFunc(*c, start, func(e cell, s int64) int { return cmp.Compare(e.start, s) })
	if !found {
		*c = slices.Insert(*c, i, cell{start: start})
	}
	return &(*c)[i]
}

// floor is the start of the window of t.
func floor(t, every int64) int64 {
	w := t - t%every
	if w > t {
		w -= every
	}
	return w
}
