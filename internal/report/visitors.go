package report

import (
	"cmp"
	"context"
	"slices"

	"millrace/internal/columns"
)

var visitorsSection = section{
	ID: "visitors", Title: "Visitors", Half: true,
	collect: collectVisitors,
	data:    func(d *Data) any { return d.Visitors },
	chart:   func(d *Data) any { return map[string]any{"days": d.Visitors.Days} },
}

// Visitors counts distinct visitors per day. Days do not add up: who comes on
// two days is one visitor on each.
type Visitors struct {
	Days  []VisitorDay `json:"days"`
	Exact bool         `json:"exact"` // every day was counted one by one
	Peak  int          `json:"peak"`  // day with the most visitors without bots
}

// VisitorDay is one UTC day.
type VisitorDay struct {
	Day     string `json:"day"`
	All     int64  `json:"all"`
	People  int64  `json:"people"` // without bots
	Exact   bool   `json:"exact"`
	dayTime int64
}

// Bots is the number of visitors that are known bots.
func (v VisitorDay) Bots() int64 { return v.All - v.People }

// Mean is the mean number of visitors a day, without bots.
func (v Visitors) Mean() int64 {
	if len(v.Days) == 0 {
		return 0
	}
	var sum int64
	for _, d := range v.Days {
		sum += d.People
	}
	return (sum + int64(len(v.Days))/2) / int64(len(v.Days))
}

func collectVisitors(ctx context.Context, src Source, d *Data) error {
	v := &d.Visitors
	v.Exact = true
	err := scanKnown(ctx, src, "visitors", []string{"day", "visitors", "visitors_without_bots", "exact"}, func(b columns.Batch) error {
		for i := range b.Rows() {
			at := columns.Number(b[0][i]) * dayMs
			v.Days = append(v.Days, VisitorDay{dayName(at), columns.Number(b[1][i]), columns.Number(b[2][i]), b[3][i].Boolean(), at})
			v.Exact = v.Exact && b[3][i].Boolean()
		}
		return nil
	})
	slices.SortStableFunc(v.Days, func(a, b VisitorDay) int { return cmp.Compare(a.dayTime, b.dayTime) })
	for i, day := range v.Days {
		v.Days[i].dayTime = 0
		if day.People > v.Days[v.Peak].People {
			v.Peak = i
		}
	}
	return err
}
