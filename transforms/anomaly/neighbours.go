package anomaly

import (
	"math"
	"slices"
)

const (
	shapeSize = 48   // values of a shape
	shapeRing = 2000 // how far back a similar one is looked for
	shapeGap  = shapeSize / 2
)

// neighbours finds among the last 2,000 places the one whose last 48 values are
// most like the last 48 now. The squared distance to each place is carried on:
// what comes in is added, what goes out is taken away. Each point computes one of
// them anew, so that roundings cannot pile up.
type neighbours struct {
	values []float64 // the last ones, oldest first
	square []float64 // by place: the one of a lag is at shapeRing - lag
	fresh  int       // lag that was computed anew last
}

func newNeighbours() *neighbours {
	return &neighbours{values: make([]float64, 0, shapeRing+shapeSize+1), square: make([]float64, shapeRing)}
}

func (n *neighbours) clone() *neighbours {
	return &neighbours{values: append(make([]float64, 0, cap(n.values)), n.values...), square: slices.Clone(n.square), fresh: n.fresh}
}

// add takes z and returns the distance of the shape that it ends from the nearest
// one, once there are two that share no more than half.
func (n *neighbours) add(z float64) (d float64, known bool) {
	if len(n.values) == cap(n.values) {
		copy(n.values, n.values[1:])
		n.values = n.values[:len(n.values)-1]
	}
	n.values = append(n.values, z)
	last := len(n.values) - 1
	n.carry(last)
	n.refresh(last)
	whole := min(shapeRing, last+1-shapeSize) // greatest lag whose shape is whole
	if whole < shapeGap {
		return 0, false
	}
	best := math.Inf(1)
	for _, s := range n.square[shapeRing-whole : shapeRing-shapeGap+1] {
		if s < best {
			best = s
		}
	}
	return math.Sqrt(max(best, 0)), true
}

// carry brings all squared distances to the value at last. Loops go through
// slices of equal length from the oldest value on.
func (n *neighbours) carry(last int) {
	z, lags := n.values[last], n.lags()
	gone := last - shapeSize
	both := max(min(shapeRing, gone), 0) // lags for which a pair goes out
	square, past := n.square[shapeRing-lags:], n.values[last-lags:last]
	for i, p := range past[:lags-both] {
		in := z - p
		square[i] += float64(in * in)
	}
	if both == 0 {
		return
	}
	square, past = square[lags-both:], past[lags-both:]
	zGone, pastGone := n.values[gone], n.values[gone-both:gone]
	for i, p := range past {
		in, out := z-p, zGone-pastGone[i]
		square[i] += float64(in * in)
		square[i] -= float64(out * out)
	}
}

func (n *neighbours) refresh(last int) {
	if n.fresh++; n.fresh > shapeRing {
		n.fresh = 1
	}
	sum := 0.0
	for i := last; i > max(last-shapeSize, n.fresh-1); i-- {
		d := n.values[i] - n.values[i-n.fresh]
		sum += float64(d * d)
	}
	n.square[shapeRing-n.fresh] = sum
}

func (n *neighbours) restart() {
	n.values = n.values[:0]
	clear(n.square)
}

// lags is how many there are before the last value.
func (n *neighbours) lags() int { return max(min(shapeRing, len(n.values)-1), 0) }
