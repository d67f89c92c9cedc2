package report

import (
	"context"
	"maps"
	"slices"
	"time"

	"millrace/internal/columns"
)

var trafficSection = section{
	ID: "traffic", Title: "Traffic over time", Nav: "Traffic",
	data: func(d *Data) any {
		return struct {
			Traffic
			Marks     *chartMarks
			Anomalies Anomalies
		}{d.Traffic, marks(d), d.Anomalies}
	},
	chart: func(d *Data) any { return d.Traffic.chart(marks(d)) },
}

// classes of status codes, as the lake names them.
var classes = [...]string{"1xx", "2xx", "3xx", "4xx", "5xx", "other"}

const (
	class4xx   = 3
	class5xx   = 4
	classOther = 5
)

// ByClass holds one number for each of 1xx, 2xx, 3xx, 4xx, 5xx, other.
type ByClass [len(classes)]int64

// Sum adds all classes up.
func (c ByClass) Sum() (n int64) {
	for _, v := range c {
		n += v
	}
	return n
}

// Errors is the number of class 5xx.
func (c ByClass) Errors() int64 { return c[class5xx] }

// Traffic is the number of requests over time, from the rows of one minute.
type Traffic struct {
	Requests int64   `json:"requests"`
	Bytes    int64   `json:"bytes"`
	Classes  ByClass `json:"classes"`
	First    int64   `json:"first"` // start of the first minute with a request
	End      int64   `json:"end"`   // end of the last one

	// The time axis: point i starts at Start + i * StepSeconds * 1000.
	StepSeconds int64   `json:"step_seconds"`
	Start       int64   `json:"start"`
	Points      []Point `json:"points"`
	Peak        int     `json:"peak"`  // point with the most requests
	Worst       int     `json:"worst"` // point with the most 5xx; -1 when there are none

	Days  []TrafficDay `json:"days"`
	Hours Hours        `json:"hours"`
}

// A Point of the time axis.
type Point struct {
	Views ByClass `json:"views"`
	Bytes int64   `json:"bytes"`
}

// TrafficDay sums a UTC day.
type TrafficDay struct {
	Day   string  `json:"day"`
	Views ByClass `json:"views"`
	Bytes int64   `json:"bytes"`
}

// Hours is the profile of a week: requests by weekday (Monday first) and hour, UTC.
type Hours struct {
	Days  [7]int64     `json:"days"` // how many such days have requests
	Views [7][24]int64 `json:"views"`
}

func (p *Point) add(q Point) {
	for i, v := range q.Views {
		p.Views[i] += v
	}
	p.Bytes += q.Bytes
}

func collectTraffic(ctx context.Context, src Source, d *Data) error {
	t := &d.Traffic
	line := newTimeline((*Point).add)
	days := map[int64]*Point{}
	names := []string{"window_seconds", "window_start", "status_class", "views", "bytes"}
	err := scan(ctx, src, "traffic", names, func(b columns.Batch) error {
		for i := range b.Rows() {
			if b[0][i].Int32() != 60 {
				continue
			}
			start, n := b[1][i].Int64(), b[3][i].Int64()
			p := Point{Bytes: b[4][i].Int64()}
			p.Views[classOf(string(b[2][i].ByteArray()))] = n
			if t.Requests == 0 || start < t.First {
				t.First = start
			}
			t.End = max(t.End, start+60_000)
			t.Requests += n
			line.put(start, p)
			day := floorDiv(start, dayMs)
			if days[day] == nil {
				days[day] = &Point{}
			}
			days[day].add(p)
			at := time.UnixMilli(start).UTC()
			t.Hours.Views[(int(at.Weekday())+6)%7][at.Hour()] += n
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, day := range slices.Sorted(maps.Keys(days)) {
		p := days[day]
		t.Days = append(t.Days, TrafficDay{dayName(day * dayMs), p.Views, p.Bytes})
		t.Hours.Days[(int(time.UnixMilli(day*dayMs).UTC().Weekday())+6)%7]++
		t.Bytes += p.Bytes
		for c, n := range p.Views {
			t.Classes[c] += n
		}
	}
	t.StepSeconds = steps[line.step]
	t.Start, t.Points = line.dense()
	t.extremes()
	return nil
}

func (t *Traffic) extremes() {
	t.Worst = -1
	for i, p := range t.Points {
		if p.Views.Sum() > t.Points[t.Peak].Views.Sum() {
			t.Peak = i
		}
		if e := p.Views.Errors(); e > 0 && (t.Worst < 0 || e > t.Points[t.Worst].Views.Errors()) {
			t.Worst = i
		}
	}
}

func classOf(name string) int {
	if i := slices.Index(classes[:], name); i >= 0 {
		return i
	}
	return classOther
}

// PointStart is the time at which a point begins.
func (t Traffic) PointStart(i int) int64 { return t.Start + int64(i)*t.StepSeconds*1000 }

// Step says how wide a point is, in words.
func (t Traffic) Step() string {
	switch s := t.StepSeconds; {
	case s == 60:
		return "minute"
	case s == 3600:
		return "hour"
	case s == 86400:
		return "day"
	case s < 3600:
		return plural(s/60, "minute", "minutes")
	case s < 86400:
		return plural(s/3600, "hour", "hours")
	default:
		return plural(s/86400, "day", "days")
	}
}

// Short tells whether two days or less are covered: then hours, not days, are
// the periods worth listing.
func (t Traffic) Short() bool { return t.End-t.First <= 2*dayMs }

// chart sends one list per class that occurs, which is a third of the size of
// the points.
func (t Traffic) chart(marks *chartMarks) any {
	type series struct {
		Class string  `json:"class"`
		Views []int64 `json:"views"`
	}
	out := struct {
		Start  int64       `json:"start"`
		Step   int64       `json:"step"` // milliseconds
		Series []series    `json:"series"`
		Marks  *chartMarks `json:"marks,omitempty"`
	}{Start: t.Start, Step: t.StepSeconds * 1000, Marks: marks}
	for c, name := range classes {
		if t.Classes[c] == 0 {
			continue
		}
		s := series{Class: name}
		for _, p := range t.Points {
			s.Views = append(s.Views, p.Views[c])
		}
		out.Series = append(out.Series, s)
	}
	return out
}
