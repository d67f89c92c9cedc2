package clean

import (
	"math"
	"slices"
	"time"
)

// Memory is how far back anything is remembered.
const Memory = 24 * time.Hour

const (
	spikeWindow  = 11 // values before one that is judged
	spikeLeast   = 5  // fewer say nothing
	spikeLimit   = 6.0
	normalMAD    = 1.4826
	leastRelated = 0.02 // of the median
)

// MostStuckReadings bounds Options.StuckReadings, and so what a series keeps.
const MostStuckReadings = 64

// Options are the limits.
type Options struct {
	Gap           time.Duration // 0 finds no gaps; up to Memory
	StuckFor      time.Duration // up to Memory
	StuckReadings int           // 0 finds nothing stuck; up to MostStuckReadings
}

// Flag is one of the things that can be odd.
type Flag uint8

// The flags.
const (
	Range Flag = 1 << iota
	Stuck
	Spike
	Duplicate
	Gap
	Reset
)

// Flags lists them, in the order in which they are told.
var Flags = []Flag{Range, Stuck, Spike, Duplicate, Gap, Reset}

func (f Flag) String() string {
	switch f {
	case Range:
		return "range"
	case Stuck:
		return "stuck"
	case Spike:
		return "spike"
	case Duplicate:
		return "duplicate"
	case Gap:
		return "gap"
	case Reset:
		return "reset"
	}
	return ""
}

// Reading is a value of the series.
type Reading struct {
	Time      int64 // Unix milliseconds
	Value     float64
	Low, High float64 // its range
}

// Judged is what is said of a reading.
type Judged struct {
	Flags  Flag
	Value  float64 // of a gauge; of a counter its rate a second since the one before
	Known  bool    // false for a counter without a rate, and for duplicates
	Limit  float64 // of Range: the limit that it is beyond
	Median float64 // of Spike
	Before float64 // of Reset: the counter before
	Silent int64   // of Gap: milliseconds
	Same   int64   // of Stuck: milliseconds that the value is known not to have changed
}

// Has tells whether a flag is set.
func (j *Judged) Has(f Flag) bool { return j.Flags&f != 0 }

// Past is a reading that is remembered. Its fields are exported to be stored.
type Past struct {
	Time  int64
	Value float64 // as it was read
	Used  float64 // what spikes are judged by, with Known
	Known bool
}

// Series judges the readings of one series. Past, the last of them in order of time, is
// all it keeps.
type Series struct {
	Counter bool
	Past    []Past
	Same    Run
}

// Run is how long a series has had one value: by the first reading of it today, and by
// the first one yesterday if it had it then. What was before counts as if it began then,
// so that a run over a day and the one before knows as much as one over all days. Its
// fields are exported to be stored.
type Run struct {
	Day       int64 // UTC, since the Unix epoch
	Today     int64 // Unix milliseconds
	Yesterday int64 // with Two
	Two       bool
}

const dayMillis = 24 * 60 * 60 * 1000

// next takes the time of the next reading of the same value.
func (r *Run) next(now int64) {
	switch day := floorDay(now); {
	case day == r.Day:
	case day == r.Day+1:
		*r = Run{Day: day, Today: now, Yesterday: r.Today, Two: true}
	default:
		*r = Run{Day: day, Today: now}
	}
}

func (r *Run) since() int64 {
	if r.Two {
		return r.Yesterday
	}
	return r.Today
}

func floorDay(ms int64) int64 {
	if ms < 0 {
		return (ms+1)/dayMillis - 1
	}
	return ms / dayMillis
}

// Next judges a reading. They come in order of time; those of the same time in an order
// that does not depend on how they arrived.
func (s *Series) Next(o *Options, r Reading) (j Judged) {
	s.forget(o, r.Time)
	last := len(s.Past) - 1 // of what is remembered
	for i := last; i >= 0 && s.Past[i].Time == r.Time; i-- {
		if s.Past[i].Value == r.Value {
			j.Flags = Duplicate
			return j
		}
	}
	switch {
	case r.Value < r.Low:
		j.Flags, j.Limit = j.Flags|Range, r.Low
	case r.Value > r.High:
		j.Flags, j.Limit = j.Flags|Range, r.High
	}
	j.Value, j.Known = r.Value, true
	if s.Counter {
		s.rate(r, &j)
	}
	if last >= 0 {
		if silent := r.Time - s.Past[last].Time; o.Gap > 0 && silent > o.Gap.Milliseconds() {
			j.Flags, j.Silent = j.Flags|Gap, silent
		}
	}
	if j.Known {
		s.spike(&j)
	}
	if last = len(s.Past) - 1; last >= 0 && s.Past[last].Value == r.Value {
		s.Same.next(r.Time)
	} else {
		s.Same = Run{Day: floorDay(r.Time), Today: r.Time}
	}
	s.Past = append(s.Past, Past{r.Time, r.Value, j.Value, j.Known})
	if !s.Counter {
		s.stuck(o, &j)
	}
	return j
}

// forget drops what is too old, and what is more than is ever looked at. Readings of
// the present time stay: duplicates are found among them.
func (s *Series) forget(o *Options, now int64) {
	keep := max(spikeWindow, o.StuckReadings)
	drop := 0
	for drop < len(s.Past) && (now-s.Past[drop].Time > Memory.Milliseconds() || len(s.Past)-drop > keep && s.Past[drop].Time != now) {
		drop++
	}
	s.Past = append(s.Past[:0], s.Past[drop:]...)
}

func (s *Series) rate(r Reading, j *Judged) {
	j.Known, j.Value = false, 0
	if len(s.Past) == 0 {
		return
	}
	before := s.Past[len(s.Past)-1]
	switch {
	case r.Value < before.Value:
		j.Flags, j.Before = j.Flags|Reset, before.Value
	case r.Time > before.Time:
		j.Value, j.Known = float64(r.Value-before.Value)/(float64(r.Time-before.Time)/1000), true
	}
}

func (s *Series) spike(j *Judged) {
	var buffer [spikeWindow]float64
	values := buffer[:0]
	for i := len(s.Past) - 1; i >= 0 && len(values) < spikeWindow; i-- {
		if s.Past[i].Known {
			values = append(values, s.Past[i].Used)
		}
	}
	if len(values) < spikeLeast {
		return
	}
	median := medianOf(values)
	if math.Abs(j.Value-median) <= float64(spikeLimit*float64(leastRelated*math.Abs(median))) {
		return // whatever the others deviate by
	}
	for i := range values {
		values[i] = math.Abs(values[i] - median)
	}
	deviation := max(float64(normalMAD*medianOf(values)), float64(leastRelated*math.Abs(median)))
	if deviation > 0 && math.Abs(j.Value-median) > float64(spikeLimit*deviation) {
		j.Flags, j.Median = j.Flags|Spike, median
	}
}

// medianOf sorts the values; of an even number it is the lower of the two in the middle.
func medianOf(values []float64) float64 {
	slices.Sort(values)
	return values[(len(values)-1)/2]
}

func (s *Series) stuck(o *Options, j *Judged) {
	first := len(s.Past) - o.StuckReadings
	if o.StuckReadings == 0 || first < 0 {
		return
	}
	now := s.Past[len(s.Past)-1]
	for _, p := range s.Past[first:] {
		if p.Value != now.Value {
			return
		}
	}
	if same := now.Time - s.Same.since(); same >= o.StuckFor.Milliseconds() {
		j.Flags, j.Same = j.Flags|Stuck, same
	}
}
