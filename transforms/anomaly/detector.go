package anomaly

import (
	"math"
	"slices"
)

const (
	warmup    = 150
	rollSize  = 12
	pause     = 12 // usual steps between points, beyond which last values are old
	maxZ      = 1 << 30
	maxTime   = 1 << 52 // milliseconds, 142,000 years; differences stay far from overflow
	meanShare = 16      // the scale is at least that part of the mean distance
)

// Options choose the views. Each set of options is a detector of its own: its
// state fits no other.
type Options struct {
	Shapes bool // view of shapes: a nearest neighbour search, which costs 32 KB of state and three quarters of the speed
}

// View is one way to look at a series.
type View int

// Views, in the order of [Result.Views].
const (
	Level View = iota
	Day
	Week
	Envelope
	Rolling
	Shape
	NumViews
)

var viewNames = [NumViews]string{"level", "day", "week", "envelope", "rolling", "shape"}

func (v View) String() string { return viewNames[v] }

// Point is a value at a time in milliseconds since 1970, UTC.
type Point struct {
	Time  int64
	Value float64
}

// Status says what became of a point.
type Status int

// What becomes of points.
const (
	Learning  Status = iota // within the warm-up: learned, not judged
	Judged                  // judged, then learned
	Missing                 // no finite number, or no time we know: nothing learned
	Duplicate               // at the time of the point before: nothing learned
	TooOld                  // before the point before: nothing learned
)

func (s Status) String() string {
	return [...]string{"learning", "judged", "missing", "duplicate", "too old"}[s]
}

// Result is what a detector says of a point. All scores are in [0,1].
type Result struct {
	Point
	Status      Status
	Score       float64           // the strangeness where it is news; else 0
	Strangeness float64           // root mean square of the views
	Views       [NumViews]float64 // what each contributes
	Low, High   float64           // where 98 % of the values lay, around what is usual at this time of day
}

// Detector judges the points of one series.
type Detector struct {
	options Options

	first         []Point // of the warm-up; nil after it
	centre, scale float64
	last, step    int64 // time of the last point, usual time between two
	any           bool  // a point was learned

	histories [NumViews]history
	day, week profile
	envelope  envelope
	roll      []float64 // last values, oldest first
	shapes    *neighbours
	news      news
}

// New is a detector that has seen nothing.
func New(o Options) *Detector {
	d := &Detector{options: o, first: make([]Point, 0, warmup), day: newProfile(dayBins), week: newProfile(weekBins), roll: make([]float64, 0, rollSize)}
	d.envelope.last = -1
	if o.Shapes {
		d.shapes = newNeighbours()
	}
	return d
}

// Add judges p and learns it.
func (d *Detector) Add(p Point) Result {
	r := Result{Point: p, Low: math.NaN(), High: math.NaN()}
	switch {
	case math.IsNaN(p.Value) || math.IsInf(p.Value, 0) || p.Time < -maxTime || p.Time > maxTime:
		r.Status = Missing
	case d.any && p.Time == d.last:
		r.Status = Duplicate
	case d.any && p.Time < d.last:
		r.Status = TooOld
	case d.first != nil:
		d.learnFirst(p)
	default:
		r.Status = Judged
		if d.scale == 0 {
			d.leaveConstant(&r)
		} else {
			d.judge(&r)
		}
	}
	return r
}

// leaveConstant judges a point of a series that was constant. The first other
// value is as strange as can be, and the warm-up begins anew with it.
func (d *Detector) leaveConstant(r *Result) {
	r.Low, r.High = d.centre, d.centre
	d.last = r.Time
	if r.Value == d.centre {
		return
	}
	for v := range d.views() {
		r.Views[v] = 1
	}
	r.Strangeness, r.Score = 1, 1
	*d = *New(d.options)
	d.learnFirst(r.Point)
}

// Look judges p without learning it: for a window that is not sealed yet. It
// costs a copy of the state.
func (d *Detector) Look(p Point) Result { return d.Clone().Add(p) }

// Clone is a detector that has seen the same.
func (d *Detector) Clone() *Detector {
	c := *d
	c.first = slices.Clone(d.first)
	c.day, c.week = d.day.clone(), d.week.clone()
	c.roll = append(make([]float64, 0, rollSize), d.roll...)
	if d.shapes != nil {
		c.shapes = d.shapes.clone()
	}
	return &c
}

func (d *Detector) learnFirst(p Point) {
	d.first = append(d.first, p)
	d.last, d.any = p.Time, true
	if len(d.first) < warmup {
		return
	}
	values := make([]float64, warmup)
	steps := make([]int64, 0, warmup-1)
	for i, f := range d.first {
		values[i] = f.Value
		if i > 0 {
			steps = append(steps, f.Time-d.first[i-1].Time)
		}
	}
	d.centre = median(values)
	d.scale = spread(values, d.centre)
	slices.Sort(steps)
	d.step = steps[len(steps)/2]
	first := d.first
	d.first = nil
	if d.scale == 0 {
		return
	}
	d.any = false
	for _, f := range first {
		r := Result{Point: f}
		d.judge(&r)
	}
	d.news = news{} // a warm-up is no news
}

func median(values []float64) float64 {
	s := slices.Clone(values)
	slices.Sort(s)
	return s[len(s)/2]
}

// spread is the median distance from the centre, but a sixteenth of the mean one
// where most values are equal, and 0 for a constant.
func spread(values []float64, centre float64) float64 {
	away := make([]float64, len(values))
	mean := 0.0
	for i, v := range values {
		away[i] = math.Abs(v - centre)
		mean += away[i] / float64(len(values))
	}
	return min(max(median(away), mean/meanShare), math.MaxFloat64)
}

// judge ranks the distances of all views, and learns them.
func (d *Detector) judge(r *Result) {
	p := r.Point
	if d.any && p.Time-d.last > pause*d.step {
		d.restart()
	}
	d.last, d.any = p.Time, true
	z := min(max((p.Value-d.centre)/d.scale, -maxZ), maxZ)
	day, week := place(p.Time, dayMs, dayBins), place(p.Time, weekMs, weekBins)
	d.expect(r, day)

	d.view(r, Level, z, true)
	distance, known := d.day.distance(day, z)
	d.view(r, Day, distance, known)
	distance, known = d.week.distance(week, z)
	d.view(r, Week, distance, known)
	distance, known = d.envelope.distance(day, z)
	d.view(r, Envelope, distance, known)
	d.view(r, Rolling, d.rolling(z), true)
	d.day.add(day, z)
	d.week.add(week, z)
	d.envelope.add(day, z)
	if d.shapes != nil {
		distance, known = d.shapes.add(z)
		d.view(r, Shape, distance, known)
	}

	sum := 0.0
	for _, v := range r.Views[:d.views()] {
		sum += float64(v * v)
	}
	r.Strangeness = math.Sqrt(sum / float64(d.views()))
	r.Score = d.news.of(r.Strangeness)
}

// views is how many views there are.
func (d *Detector) views() View {
	if d.shapes != nil {
		return Shape + 1
	}
	return Shape
}

func (d *Detector) view(r *Result, v View, distance float64, known bool) {
	if !known {
		return
	}
	h := &d.histories[v]
	r.Views[v] = h.rank(distance) / ceiling
	h.add(distance)
}

func (d *Detector) rolling(z float64) float64 {
	if len(d.roll) == rollSize {
		copy(d.roll, d.roll[1:])
		d.roll = d.roll[:rollSize-1]
	}
	d.roll = append(d.roll, z)
	sum := 0.0
	for _, v := range d.roll {
		sum += v
	}
	return sum / float64(len(d.roll))
}

// restart forgets the last values: what comes now does not follow them.
func (d *Detector) restart() {
	d.roll = d.roll[:0]
	if d.shapes != nil {
		d.shapes.restart()
	}
}

// expect gives the range of the day's view, or of the level where it has none.
func (d *Detector) expect(r *Result, day int) {
	from, h := 0.0, &d.histories[Level]
	if _, known := d.day.distance(day, 0); known && d.histories[Day].n >= enough {
		from, h = d.day.mean[day], &d.histories[Day]
	}
	if h.n < enough {
		return
	}
	low, high := h.quantile(1, 0.01), h.quantile(0, 0.01)
	r.Low = d.value(from - low)
	r.High = d.value(from + high)
}

// value is z in the unit of the series.
func (d *Detector) value(z float64) float64 {
	return min(max(d.centre+float64(z*d.scale), -math.MaxFloat64), math.MaxFloat64)
}
