package monitor

import (
	"cmp"
	"maps"
	"slices"

	"millrace/transforms/news2"
)

// scoreMemory is how long a vital sign counts, in milliseconds.
const scoreMemory = hour

// Score is the early warning score of a patient after a minute in which something was
// measured.
type Score struct {
	Subject  string
	Start    int64
	Readings int64 // of the minute
	Result   news2.Result
}

// vital is a value that was measured; of one time the last by device, and so on.
type vital struct {
	Time      int64
	Device    string
	Value     float64
	Parameter news2.Parameter
}

// vitals are what was measured of a patient and did not yet take part in a score of a
// later minute. Series come one after the other, so minutes are scored at the end.
type vitals struct {
	Known [news2.NumParameters]vital // Time is 0 for none
	Next  []vital                    // of minutes that have no score yet
}

func (v *vitals) latest() (t int64) {
	for _, k := range v.Known {
		t = max(t, k.Time)
	}
	return t
}

func (m *Monitor) vital(p *Point) {
	parameter, ok := news2.LOINC[p.Key.Code]
	if !ok {
		return
	}
	v := m.vitals[p.Key.Subject]
	if v == nil {
		v = &vitals{}
		m.vitals[p.Key.Subject] = v
	}
	v.Next = append(v.Next, vital{p.Time, p.Key.Device, p.Value, parameter})
}

// closeScores gives the scores of all minutes before until.
func (m *Monitor) closeScores(until int64) {
	for _, subject := range slices.Sorted(maps.Keys(m.vitals)) {
		v := m.vitals[subject]
		// Points of one device and code stay in the order in which they were taken.
		slices.SortStableFunc(v.Next, func(a, b vital) int {
			return cmp.Or(cmp.Compare(a.Time, b.Time), cmp.Compare(a.Device, b.Device))
		})
		for len(v.Next) > 0 {
			start, n := floor(v.Next[0].Time, minute), 0
			for n < len(v.Next) && v.Next[n].Time < start+minute {
				v.Known[v.Next[n].Parameter] = v.Next[n]
				n++
			}
			v.Next = v.Next[n:]
			m.to.Score(&Score{Subject: subject, Start: start, Readings: int64(n), Result: v.score(start + minute)})
		}
		v.Next = nil
		if until-v.latest() > scoreMemory {
			delete(m.vitals, subject)
		}
	}
}

// score counts what was measured within the hour before end.
func (v *vitals) score(end int64) news2.Result {
	var signs news2.Vitals
	for p, k := range v.Known {
		if k.Time != 0 && end-k.Time <= scoreMemory {
			signs.Values[p], signs.Known[p] = k.Value, true
		}
	}
	return news2.Score(&signs)
}
