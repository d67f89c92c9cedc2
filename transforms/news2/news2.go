// Package news2 is the National Early Warning Score of adults, version 2, from the
// table of the Royal College of Physicians: National Early Warning Score (NEWS) 2.
// Standardising the assessment of acute-illness severity in the NHS, London 2017, chart 1
// and chart 2 (thresholds and triggers).
//
// It is a worked example of a score over several series, no medical device: what it says
// must be looked at by someone who knows the patient. It is not for children under 16 or
// pregnant women, as the College says.
package news2

import "math"

// Parameter is one of the seven that count.
type Parameter int

// The parameters, in the order of the College's chart.
const (
	Respiration   Parameter = iota // breaths a minute
	Saturation                     // of oxygen, in per cent
	Oxygen                         // above 0 when the patient breathes more than air
	Systolic                       // blood pressure in mmHg
	Pulse                          // beats a minute
	Consciousness                  // 0 is alert; above: new confusion, voice, pain, unresponsive
	Temperature                    // in degrees Celsius
	NumParameters
)

var names = [NumParameters]string{"respiration", "spo2", "oxygen", "systolic", "pulse", "consciousness", "temperature"}

func (p Parameter) String() string { return names[p] }

// LOINC codes of the parameters.
var LOINC = map[string]Parameter{
	"9279-1": Respiration, "59408-5": Saturation, "3151-8": Oxygen, "8480-6": Systolic,
	"8867-4": Pulse, "67775-7": Consciousness, "8310-5": Temperature,
}

// Vitals are the values that are known.
type Vitals struct {
	Values [NumParameters]float64
	Known  [NumParameters]bool
	// Scale2 counts saturation by the College's second scale, for patients with a target
	// of 88 to 92 %, on the word of a clinician alone.
	Scale2 bool
}

// Result is a score.
type Result struct {
	Total   int
	Highest int // of one parameter
	Points  [NumParameters]int
	Known   [NumParameters]bool
}

// Complete tells whether all parameters were known; those that were not count nothing.
func (r *Result) Complete() bool {
	for _, known := range r.Known {
		if !known {
			return false
		}
	}
	return true
}

// Risk is the clinical risk: low (0 to 4), low_medium (the same, with 3 points of one
// parameter), medium (5 and 6) or high (7 and more).
func (r *Result) Risk() string {
	switch {
	case r.Total >= 7:
		return "high"
	case r.Total >= 5:
		return "medium"
	case r.Highest == 3:
		return "low_medium"
	}
	return "low"
}

// Score adds the points up. Values are rounded to the steps of the chart first: whole
// numbers, and tenths of degrees, halves away from zero.
func Score(v *Vitals) Result {
	r := Result{Known: v.Known}
	onOxygen := v.Known[Oxygen] && v.Values[Oxygen] > 0
	for p := range NumParameters {
		if !v.Known[p] {
			continue
		}
		switch value := v.Values[p]; {
		case p == Oxygen && onOxygen:
			r.Points[p] = 2
		case p == Oxygen:
		case p == Consciousness && value > 0:
			r.Points[p] = 3
		case p == Consciousness:
		case p == Saturation && v.Scale2:
			r.Points[p] = scale2(math.Round(value), onOxygen)
		case p == Temperature:
			r.Points[p] = charts[p].points(math.Round(value * 10))
		default:
			r.Points[p] = charts[p].points(math.Round(value))
		}
		r.Total += r.Points[p]
		r.Highest = max(r.Highest, r.Points[p])
	}
	return r
}

// chart is a row of the College's chart: up to each limit so many points, above the
// last one rest.
type chart struct {
	limits []band
	rest   int
}

type band struct {
	upTo   float64
	points int
}

var charts = map[Parameter]chart{
	Respiration: {[]band{{8, 3}, {11, 1}, {20, 0}, {24, 2}}, 3},
	Saturation:  {[]band{{91, 3}, {93, 2}, {95, 1}}, 0},
	Systolic:    {[]band{{90, 3}, {100, 2}, {110, 1}, {219, 0}}, 3},
	Pulse:       {[]band{{40, 3}, {50, 1}, {90, 0}, {110, 1}, {130, 2}}, 3},
	Temperature: {[]band{{350, 3}, {360, 1}, {380, 0}, {390, 1}}, 2}, // tenths
}

func (c chart) points(v float64) int {
	for _, b := range c.limits {
		if v <= b.upTo {
			return b.points
		}
	}
	return c.rest
}

func scale2(v float64, onOxygen bool) int {
	switch {
	case v <= 83:
		return 3
	case v <= 85:
		return 2
	case v <= 87:
		return 1
	case v <= 92 || !onOxygen:
		return 0
	case v <= 94:
		return 1
	case v <= 96:
		return 2
	}
	return 3
}
