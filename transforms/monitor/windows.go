package monitor

import (
	"cmp"
	"slices"

	"millrace/transforms/clean"
)

// Minute sums up a series in one minute.
type Minute struct {
	Key            Key
	About          *About
	Start          int64
	Count, Flagged int64
	Values         int64 // how many of the readings have one; without, the rest is 0
	Min, Max, Mean float64
	Last, P50, P95 float64
}

// minuteSums are the values of the minute that is open, in order of time.
type minuteSums struct {
	any            bool
	start          int64
	count, flagged int64
	values         []float64
}

func (s *minuteSums) add(t int64, j *clean.Judged) {
	s.any, s.start = true, floor(t, minute)
	s.count++
	if j.Flags&(clean.Range|clean.Stuck|clean.Spike) != 0 {
		s.flagged++
	}
	if j.Known {
		s.values = append(s.values, j.Value)
	}
}

func (m *Monitor) closeMinute(k Key, s *series) {
	out := &m.told
	*out = Minute{Key: k, About: &s.about, Start: s.min.start, Count: s.min.count, Flagged: s.min.flagged, Values: int64(len(s.min.values))}
	if values := s.min.values; len(values) > 0 {
		sum := 0.0
		for _, v := range values {
			sum += v
		}
		out.Last, out.Mean = values[len(values)-1], float64(sum)/float64(len(values))
		slices.Sort(values)
		out.Min, out.Max = values[0], values[len(values)-1]
		out.P50, out.P95 = quantile(values, 50), quantile(values, 95)
	}
	s.min = minuteSums{values: s.min.values[:0]}
	m.to.Minute(out)
}

// quantile is the value at rank percent/100 of the greatest, rounded down.
func quantile(sorted []float64, percent int) float64 {
	return sorted[(len(sorted)-1)*percent/100]
}

// hourKey names an hour of a device and subject.
type hourKey struct {
	subject, device string
	start           int64
}

// Hour is how a device did for a subject in one hour. Its fields are exported to be
// stored.
type Hour struct {
	Subject, Device       string
	Start                 int64
	Readings              int64
	Codes                 map[string]bool
	First, Last           int64
	Flags                 map[clean.Flag]int64
	OffsetSum, OffsetsSum int64 // of the device's clock: sum in milliseconds, and of how many
}

// Offset is the mean of the device's clock minus the time of the event.
func (h *Hour) Offset() (ms int64, known bool) {
	if h.OffsetsSum == 0 {
		return 0, false
	}
	return h.OffsetSum / h.OffsetsSum, true
}

func (m *Monitor) hour(p *Point, j *clean.Judged) {
	k := hourKey{p.Key.Subject, p.Key.Device, floor(p.Time, hour)}
	h := m.hourOf(k, p)
	h.Readings++
	h.First, h.Last = min(h.First, p.Time), max(h.Last, p.Time)
	if j.Flags != 0 {
		for _, f := range clean.Flags {
			if j.Has(f) {
				h.Flags[f]++
			}
		}
	}
	if p.DeviceTime != 0 {
		h.OffsetSum += p.DeviceTime - p.Time
		h.OffsetsSum++
	}
}

// hourOf is the hour of a point, which mostly is that of the point before.
func (m *Monitor) hourOf(k hourKey, p *Point) *Hour {
	if m.lastHour != nil && m.lastHourKey == k && m.lastHourCode == p.Key.Code {
		return m.lastHour
	}
	h := m.hours[k]
	if h == nil {
		h = &Hour{Subject: k.subject, Device: k.device, Start: k.start, First: p.Time, Last: p.Time, Codes: map[string]bool{}, Flags: map[clean.Flag]int64{}}
		m.hours[k] = h
	}
	h.Codes[p.Key.Code] = true
	m.lastHour, m.lastHourKey, m.lastHourCode = h, k, p.Key.Code
	return h
}

func (m *Monitor) closeHours(until int64) {
	var over []hourKey
	for k := range m.hours {
		if k.start+hour <= until {
			over = append(over, k)
		}
	}
	slices.SortFunc(over, func(a, b hourKey) int {
		return cmp.Or(cmp.Compare(a.start, b.start), cmp.Compare(a.device, b.device), cmp.Compare(a.subject, b.subject))
	})
	for _, k := range over {
		m.to.Hour(m.hours[k])
		delete(m.hours, k)
	}
}
