package report

import (
	"cmp"
	"context"
	"maps"
	"math"
	"slices"

	"millrace/internal/columns"
)

var funnelsSection = section{
	ID: "funnels", Title: "Funnels",
	collect: collectFunnels,
	shown:   func(d *Data) bool { return len(d.Funnels) > 0 },
	data:    func(d *Data) any { return d.Funnels },
}

// Funnel is how far visitors came on their way through its steps, all days
// together: who comes on two days counts on each.
type Funnel struct {
	Name     string        `json:"name"`
	Days     int64         `json:"days"`
	Excluded int64         `json:"excluded"`
	Steps    []FunnelStep  `json:"steps"`
	Values   []FunnelValue `json:"values,omitempty"` // of the breakdown, the most frequent first; none without one
	More     int64         `json:"more,omitempty"`   // values beyond those
}

// FunnelStep is a step of a funnel. Medians are of a day and a breakdown value each:
// they do not add up, so the least and the greatest are known.
type FunnelStep struct {
	Name        string `json:"name"`
	Visitors    int64  `json:"visitors"`
	Previous    int64  `json:"previous"`     // who reached the step before
	TotalMs     int64  `json:"total_ms"`     // from the step before
	LeastMedian int64  `json:"least_median"` // milliseconds
	MostMedian  int64  `json:"most_median"`
	Medians     int64  `json:"medians"` // how many there are
}

// Lost is who came no further than the step before.
func (s FunnelStep) Lost() int64 { return s.Previous - s.Visitors }

// MeanMs is the mean time from the step before.
func (s FunnelStep) MeanMs() int64 {
	if s.Visitors == 0 {
		return 0
	}
	return (s.TotalMs + s.Visitors/2) / s.Visitors
}

// FunnelValue is a breakdown value with the visitors of each step.
type FunnelValue struct {
	Value    string  `json:"value"` // empty for visitors without one
	Visitors []int64 `json:"visitors"`
}

const (
	// mostValues is how many values of a breakdown are shown.
	mostValues = 6
	// maxValues bounds how many are counted, of one funnel.
	maxValues = 10_000
)

// Last is the number of visitors who reached the last step.
func (f Funnel) Last() int64 { return f.Steps[len(f.Steps)-1].Visitors }

// First is the number of those who reached the first.
func (f Funnel) First() int64 { return f.Steps[0].Visitors }

type funnelSums struct {
	funnel Funnel
	days   map[int64]bool
	values map[string][]int64
}

func collectFunnels(ctx context.Context, src Source, d *Data) error {
	all := map[string]*funnelSums{}
	names := []string{"funnel", "day", "breakdown", "step", "step_name", "visitors", "previous", "excluded", "total_ms", "median_ms"}
	err := scan(ctx, src, "funnel_steps", names, func(b columns.Batch) error {
		for i := range b.Rows() {
			name := string(columns.Text(b[0][i]))
			f := all[name]
			if f == nil {
				f = &funnelSums{funnel: Funnel{Name: name}, days: map[int64]bool{}, values: map[string][]int64{}}
				all[name] = f
			}
			step := int(columns.Number(b[3][i])) - 1
			if step < 0 || step > maxSteps {
				continue // no step of ours
			}
			f.days[columns.Number(b[1][i])] = true
			for len(f.funnel.Steps) <= step {
				f.funnel.Steps = append(f.funnel.Steps, FunnelStep{})
			}
			s := &f.funnel.Steps[step]
			s.Name = string(columns.Text(b[4][i]))
			s.Visitors += columns.Number(b[5][i])
			s.Previous += columns.Number(b[6][i])
			if step == 0 {
				f.funnel.Excluded += columns.Number(b[7][i])
			}
			if !b[8][i].IsNull() {
				s.TotalMs += columns.Number(b[8][i])
			}
			if !b[9][i].IsNull() {
				s.median(int64(math.Round(b[9][i].Double())))
			}
			f.value(string(columns.Text(b[2][i])), step, columns.Number(b[5][i]))
		}
		return nil
	})
	for _, name := range slices.Sorted(maps.Keys(all)) {
		if f := all[name]; len(f.funnel.Steps) > 0 {
			d.Funnels = append(d.Funnels, f.sum())
		}
	}
	return err
}

// maxSteps is the greatest number of steps.
const maxSteps = 32

func (s *FunnelStep) median(ms int64) {
	if s.Medians == 0 || ms < s.LeastMedian {
		s.LeastMedian = ms
	}
	s.MostMedian = max(s.MostMedian, ms)
	s.Medians++
}

func (f *funnelSums) value(value string, step int, visitors int64) {
	counts, known := f.values[value]
	if !known && len(f.values) == maxValues {
		return
	}
	for len(counts) <= step {
		counts = append(counts, 0)
	}
	counts[step] += visitors
	f.values[value] = counts
}

func (f *funnelSums) sum() Funnel {
	out := f.funnel
	out.Days = int64(len(f.days))
	if _, none := f.values[""]; len(f.values) == 1 && none {
		return out
	}
	values := slices.SortedFunc(maps.Keys(f.values), func(a, b string) int {
		return cmp.Or(cmp.Compare(f.values[b][0], f.values[a][0]), cmp.Compare(a, b))
	})
	out.More = int64(max(len(values)-mostValues, 0))
	for _, v := range values[:min(len(values), mostValues)] {
		counts := f.values[v]
		for len(counts) < len(out.Steps) {
			counts = append(counts, 0)
		}
		out.Values = append(out.Values, FunnelValue{v, counts})
	}
	return out
}
