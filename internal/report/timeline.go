package report

import (
	"maps"
	"slices"
	"time"
)

// Widths of a point of the time axis, in seconds: the first with which the data
// fit into maxPoints is used.
var steps = []int64{60, 300, 600, 1800, 3600, 7200, 21600, 43200, 86400, 7 * 86400, 28 * 86400, 364 * 86400}

// maxPoints is the greatest length of the time axis.
const maxPoints = 2000

// A timeline sums values per point of a time axis whose range is not known
// beforehand. Points widen as the range grows, so it stays within maxPoints and
// no sum is lost.
type timeline[V any] struct {
	add    func(dst *V, src V)
	step   int // index into steps
	points map[int64]*V
	lo, hi int64 // first and last point
}

func newTimeline[V any](add func(dst *V, src V)) *timeline[V] {
	return &timeline[V]{add: add, points: make(map[int64]*V)}
}

func (t *timeline[V]) width() int64 { return steps[t.step] * 1000 }

func (t *timeline[V]) put(ms int64, v V) {
	p := floorDiv(ms, t.width())
	if len(t.points) == 0 {
		t.lo, t.hi = p, p
	}
	for t.step+1 < len(steps) && max(t.hi, p)-min(t.lo, p) >= maxPoints {
		t.widen()
		p = floorDiv(ms, t.width())
	}
	t.lo, t.hi = min(t.lo, p), max(t.hi, p)
	t.at(p, v)
}

func (t *timeline[V]) at(p int64, v V) {
	if t.points[p] == nil {
		t.points[p] = new(V)
	}
	t.add(t.points[p], v)
}

func (t *timeline[V]) widen() {
	old, oldWidth := t.points, t.width()
	t.step++
	t.points = make(map[int64]*V, len(old))
	t.lo, t.hi = floorDiv(t.lo*oldWidth, t.width()), floorDiv(t.hi*oldWidth, t.width())
	for _, p := range slices.Sorted(maps.Keys(old)) {
		t.at(floorDiv(p*oldWidth, t.width()), *old[p])
	}
}

// dense returns the start of the first point and the sums of all points, those
// without data included.
func (t *timeline[V]) dense() (start int64, sums []V) {
	if len(t.points) == 0 {
		return 0, nil
	}
	sums = make([]V, min(t.hi-t.lo+1, 4*maxPoints))
	for p, v := range t.points {
		if i := p - t.lo; i < int64(len(sums)) {
			sums[i] = *v
		}
	}
	return t.lo * t.width(), sums
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

const dayMs = 24 * 60 * 60 * 1000

// dayName writes the UTC day of a time.
func dayName(ms int64) string { return time.UnixMilli(ms).UTC().Format(time.DateOnly) }
