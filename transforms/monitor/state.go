package monitor

import (
	"encoding/json"
	"fmt"
	"slices"

	"millrace/transforms/clean"
)

// stateVersion is the first byte of a state; the rest is JSON, in which floats keep
// their value.
const stateVersion = 1

type storedSeries struct {
	Key    Key
	About  About
	Past   []clean.Past
	Same   clean.Run
	Grid   clean.Resampler
	Latest int64
}

type storedVitals struct {
	Subject string
	Vitals  vitals
}

type stored struct {
	Series []storedSeries
	Hours  []*Hour
	Vitals []storedVitals
}

// Empty tells whether nothing is kept.
func (m *Monitor) Empty() bool { return len(m.series)+len(m.hours)+len(m.vitals) == 0 }

// AppendState writes what a Fold left, for Restore.
func (m *Monitor) AppendState(dst []byte) ([]byte, error) {
	var s stored
	for _, k := range m.keys() {
		x := m.series[k]
		s.Series = append(s.Series, storedSeries{k, x.about, x.clean.Past, x.clean.Same, x.grid, x.latest})
	}
	for _, h := range m.hours {
		s.Hours = append(s.Hours, h)
	}
	slices.SortFunc(s.Hours, func(a, b *Hour) int {
		return Key{a.Subject, a.Device, fmt.Sprint(a.Start)}.compare(Key{b.Subject, b.Device, fmt.Sprint(b.Start)})
	})
	for subject, v := range m.vitals {
		s.Vitals = append(s.Vitals, storedVitals{subject, *v})
	}
	slices.SortFunc(s.Vitals, func(a, b storedVitals) int { return Key{Subject: a.Subject}.compare(Key{Subject: b.Subject}) })
	b, err := json.Marshal(&s)
	if err != nil {
		return dst, fmt.Errorf("writing the state of a monitor: %w", err)
	}
	return append(append(dst, stateVersion), b...), nil
}

// Restore makes a monitor of a state.
func Restore(o Options, state []byte) (*Monitor, error) {
	m := New(o)
	if len(state) == 0 {
		return m, nil
	}
	if state[0] != stateVersion {
		return nil, fmt.Errorf("reading the state of a monitor: version %d, and this program reads %d: resume with the version of the program that wrote it", state[0], stateVersion)
	}
	var s stored
	if err := json.Unmarshal(state[1:], &s); err != nil {
		return nil, fmt.Errorf("reading the state of a monitor: %w", err)
	}
	for i := range s.Series {
		x := &s.Series[i]
		m.series[x.Key] = &series{about: x.About, clean: clean.Series{Counter: x.About.Counter, Past: x.Past, Same: x.Same}, grid: x.Grid, latest: x.Latest}
	}
	for _, h := range s.Hours {
		if h == nil || h.Codes == nil || h.Flags == nil {
			return nil, fmt.Errorf("reading the state of a monitor: an hour without its counts")
		}
		m.hours[hourKey{h.Subject, h.Device, h.Start}] = h
	}
	for i := range s.Vitals {
		m.vitals[s.Vitals[i].Subject] = &s.Vitals[i].Vitals
	}
	return m, nil
}
