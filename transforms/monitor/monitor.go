// Package monitor puts the readings of devices in order and says what follows from
// them: flags, minutes, hours of devices, a grid and early warning scores. Plain Go; the
// wrapper gives it the readings of a shard of subjects and seals by the watermark.
//
// A subject is whom or what is measured: the patient, else the asset, else the device.
// A series is what one device measures of one subject by one code. Readings are taken in
// order of (time, source, sequence, position), so that what comes out does not depend on
// the order in which they came; sums of floats are added up in that order.
package monitor

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"millrace/transforms/clean"
)

// Options configure a Monitor.
type Options struct {
	Clean    clean.Options
	Step     time.Duration // of the grid; 0 makes none
	Hold     time.Duration // how long the grid holds a value
	Warnings bool          // whether scores are made of patients
}

// Key names a series.
type Key struct{ Subject, Device, Code string }

func (k Key) compare(o Key) int {
	return cmp.Or(cmp.Compare(k.Subject, o.Subject), cmp.Compare(k.Device, o.Device), cmp.Compare(k.Code, o.Code))
}

// About is what is the same for the readings of a series.
type About struct {
	Display, Unit string
	Counter       bool
	Patient       bool // the subject is one
}

// Point is a reading. Points of a series share their Key, as far as whoever makes them knows.
type Point struct {
	Key        *Key
	About      *About
	Time       int64 // Unix milliseconds
	Source     string
	Sequence   string
	Position   int64
	ID         [16]byte
	Value      float64
	Low, High  float64
	DeviceTime int64 // 0 for none
}

// place is a point's place in order, with what is compared most: the rank of its key.
type place struct {
	rank  int
	time  int64
	point int
}

// sorted gives the numbers of the points in order of key, time and origin.
func sorted(points []Point) []int {
	numbers := map[*Key]int{} // in the order in which keys come
	places := make([]place, len(points))
	for i := range points {
		n, ok := numbers[points[i].Key]
		if !ok {
			n = len(numbers)
			numbers[points[i].Key] = n
		}
		places[i] = place{n, points[i].Time, i}
	}
	ranks, rank := make([]int, len(numbers)), 0
	keys := slices.SortedFunc(maps.Keys(numbers), func(a, b *Key) int { return a.compare(*b) })
	for i, k := range keys {
		if i > 0 && *k != *keys[i-1] {
			rank = i
		}
		ranks[numbers[k]] = rank
	}
	for i := range places {
		places[i].rank = ranks[places[i].rank]
	}
	slices.SortFunc(places, func(a, b place) int {
		switch {
		case a.rank != b.rank:
			return a.rank - b.rank
		case a.time != b.time:
			return cmp.Compare(a.time, b.time)
		}
		p, o := &points[a.point], &points[b.point]
		return cmp.Or(cmp.Compare(p.Source, o.Source), cmp.Compare(p.Sequence, o.Sequence), cmp.Compare(p.Position, o.Position))
	})
	order := make([]int, len(places))
	for i := range places {
		order[i] = places[i].point
	}
	return order
}

const (
	minute = int64(time.Minute / time.Millisecond)
	hour   = 60 * minute
)

// WindowEnd is the end of the minute of a time: its point can be folded then.
func WindowEnd(t int64) int64 { return floor(t, minute) + minute }

func floor(t, step int64) int64 {
	m := t % step
	if m < 0 {
		m += step
	}
	return t - m
}

// Monitor keeps what can still matter of the readings of subjects.
type Monitor struct {
	options Options
	series  map[Key]*series
	hours   map[hourKey]*Hour
	vitals  map[string]*vitals
	to      Sink

	last    *series // of lastKey; nil for none
	lastKey *Key

	lastHour     *Hour // of the point before; nil for none
	lastHourKey  hourKey
	lastHourCode string

	judged  clean.Judged // what the sink is told of; here, so that telling allocates nothing
	flagged Flagged
	told    Minute
}

// Sink takes what is known. Minutes and hours come when they are over. What is pointed to holds until
// the call returns.
type Sink struct {
	Flag   func(*Flagged)
	Minute func(*Minute)
	Hour   func(*Hour)
	Grid   func(Key, *About, clean.GridPoint)
	Score  func(*Score)
}

// Flagged is a flag of a reading.
type Flagged struct {
	Point  *Point
	Flag   clean.Flag
	Judged *clean.Judged
}

type series struct {
	about  About
	clean  clean.Series
	grid   clean.Resampler
	latest int64 // time of the last reading
	min    minuteSums
}

// New makes a monitor that knows nothing.
func New(o Options) *Monitor {
	return &Monitor{options: o, series: map[Key]*series{}, hours: map[hourKey]*Hour{}, vitals: map[string]*vitals{}}
}

// Fold takes points, in any order, and gives to the sink what is known of the time before
// until, a multiple of a minute: points of later ones are left. With time before until no
// point may come any more.
func (m *Monitor) Fold(points []Point, until int64, to Sink) (rest []Point) {
	m.to, m.last, m.lastHour = to, nil, nil
	for _, i := range sorted(points) {
		p := &points[i]
		if p.Time >= until {
			rest = append(rest, *p)
			continue
		}
		m.next(p)
	}
	for _, k := range m.keys() {
		m.close(k, m.series[k], until)
	}
	m.closeHours(until)
	m.closeScores(until)
	return rest
}

// next takes the next point of a series.
func (m *Monitor) next(p *Point) {
	s := m.last
	if s == nil || m.lastKey != p.Key {
		s = m.series[*p.Key]
	}
	if s == nil {
		s = &series{about: *p.About, clean: clean.Series{Counter: p.About.Counter}}
		m.series[*p.Key] = s
	}
	m.last, m.lastKey = s, p.Key // points of a series come one after the other
	if start := floor(p.Time, minute); s.min.any && s.min.start != start {
		m.closeMinute(*p.Key, s)
	}
	j := &m.judged
	*j = s.clean.Next(&m.options.Clean, clean.Reading{Time: p.Time, Value: p.Value, Low: p.Low, High: p.High})
	s.latest = p.Time
	if j.Flags != 0 {
		m.flag(p, j)
	}
	m.hour(p, j)
	if j.Has(clean.Duplicate) {
		return
	}
	s.min.add(p.Time, j)
	if j.Known && m.options.Step > 0 {
		s.grid.Next(p.Time, j.Value, m.options.Step.Milliseconds(), m.options.Hold.Milliseconds(), func(g clean.GridPoint) { m.to.Grid(*p.Key, &s.about, g) })
	}
	if p.About.Patient && m.options.Warnings && !j.Has(clean.Range) {
		m.vital(p)
	}
}

func (m *Monitor) flag(p *Point, j *clean.Judged) {
	for _, f := range clean.Flags {
		if j.Has(f) {
			m.flagged = Flagged{p, f, j}
			m.to.Flag(&m.flagged)
		}
	}
}

// close ends what is over of a series, and forgets one of which nothing matters.
func (m *Monitor) close(k Key, s *series, until int64) {
	if s.min.any && s.min.start < until {
		m.closeMinute(k, s)
	}
	if m.options.Step > 0 {
		s.grid.Until(m.options.Step.Milliseconds(), m.options.Hold.Milliseconds(), until, func(g clean.GridPoint) { m.to.Grid(k, &s.about, g) })
	}
	if until-s.latest > clean.Memory.Milliseconds() && until-s.latest > m.options.Hold.Milliseconds() {
		delete(m.series, k)
	}
}

// keys are those of the series, in order.
func (m *Monitor) keys() []Key {
	keys := make([]Key, 0, len(m.series))
	for k := range m.series {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, Key.compare)
	return keys
}

// Next is when, by the state alone, something more will be known: a multiple of a
// minute. ok is false when nothing will.
func (m *Monitor) Next(now int64) (at int64, ok bool) {
	first := func(t int64) {
		if !ok || t < at {
			at, ok = t, true
		}
	}
	for k := range m.hours {
		first(k.start + hour)
	}
	for _, s := range m.series {
		if m.options.Step > 0 && s.grid.Any && now-s.grid.Time <= m.options.Hold.Milliseconds() {
			first(now + minute)
		}
		first(floor(max(s.latest+clean.Memory.Milliseconds(), s.latest+m.options.Hold.Milliseconds()), minute) + 2*minute)
	}
	for _, v := range m.vitals {
		first(floor(v.latest()+scoreMemory, minute) + 2*minute)
	}
	return at, ok
}
