package news2_test

import (
	"testing"

	"millrace/transforms/news2"
)

// TestTheChart holds each border of the College's chart.
func TestTheChart(t *testing.T) {
	for _, c := range []struct {
		p      news2.Parameter
		points map[float64]int
	}{
		{news2.Respiration, map[float64]int{3: 3, 8: 3, 9: 1, 11: 1, 12: 0, 20: 0, 21: 2, 24: 2, 25: 3, 60: 3}},
		{news2.Saturation, map[float64]int{70: 3, 91: 3, 92: 2, 93: 2, 94: 1, 95: 1, 96: 0, 100: 0, 95.5: 0}},
		{news2.Oxygen, map[float64]int{0: 0, 0.5: 2, 15: 2}},
		{news2.Systolic, map[float64]int{60: 3, 90: 3, 91: 2, 100: 2, 101: 1, 110: 1, 111: 0, 219: 0, 220: 3}},
		{news2.Pulse, map[float64]int{30: 3, 40: 3, 41: 1, 50: 1, 51: 0, 90: 0, 91: 1, 110: 1, 111: 2, 130: 2, 131: 3}},
		{news2.Consciousness, map[float64]int{0: 0, 1: 3, 4: 3}},
		{news2.Temperature, map[float64]int{34: 3, 35: 3, 35.1: 1, 36: 1, 36.1: 0, 38: 0, 38.1: 1, 39: 1, 39.1: 2, 35.04: 3, 39.04: 1}},
	} {
		for value, want := range c.points {
			var v news2.Vitals
			v.Values[c.p], v.Known[c.p] = value, true
			if r := news2.Score(&v); r.Points[c.p] != want || r.Total != want || r.Complete() {
				t.Errorf("%v %v has %d points, not %d", c.p, value, r.Points[c.p], want)
			}
		}
	}
}

func TestTheSecondScaleOfSaturation(t *testing.T) {
	for value, want := range map[float64][2]int{83: {3, 3}, 84: {2, 2}, 85: {2, 2}, 86: {1, 1}, 87: {1, 1}, 88: {0, 0}, 92: {0, 0}, 93: {0, 1}, 94: {0, 1}, 95: {0, 2}, 96: {0, 2}, 97: {0, 3}, 100: {0, 3}} {
		for i, oxygen := range []float64{0, 2} {
			v := news2.Vitals{Scale2: true}
			v.Values[news2.Saturation], v.Known[news2.Saturation] = value, true
			v.Values[news2.Oxygen], v.Known[news2.Oxygen] = oxygen, true
			if r := news2.Score(&v); r.Points[news2.Saturation] != want[i] {
				t.Errorf("%v %% with oxygen %v has %d points, not %d", value, oxygen, r.Points[news2.Saturation], want[i])
			}
		}
	}
}

func TestPatients(t *testing.T) {
	for name, c := range map[string]struct {
		values [news2.NumParameters]float64 // respiration, spo2, oxygen, systolic, pulse, consciousness, temperature
		total  int
		risk   string
	}{
		"well":               {[...]float64{16, 98, 0, 120, 72, 0, 36.8}, 0, "low"},
		"a fever":            {[...]float64{18, 97, 0, 118, 95, 0, 38.5}, 2, "low"},
		"confused, no more":  {[...]float64{16, 98, 0, 120, 72, 1, 36.8}, 3, "low_medium"},
		"on oxygen":          {[...]float64{22, 94, 2, 115, 88, 0, 37}, 5, "medium"},
		"sepsis":             {[...]float64{26, 91, 4, 88, 128, 1, 39.4}, 18, "high"},
		"all of the highest": {[...]float64{30, 85, 10, 70, 140, 3, 34}, 20, "high"},
	} {
		v := news2.Vitals{Values: c.values}
		for p := range v.Known {
			v.Known[p] = true
		}
		if r := news2.Score(&v); r.Total != c.total || r.Risk() != c.risk || !r.Complete() {
			t.Errorf("%s: %d points, %s; not %d, %s (%v)", name, r.Total, r.Risk(), c.total, c.risk, r.Points)
		}
	}
}
