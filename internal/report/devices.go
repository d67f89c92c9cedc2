package report

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"

	"millrace/internal/columns"
)

var devicesSection = section{
	ID: "devices", Title: "What was measured", Nav: "Readings",
	collect: collectDevices,
	shown:   func(d *Data) bool { return d.Devices != nil },
	data:    func(d *Data) any { return d.Devices },
}

// deviceSections are the sections that mean something for readings of devices.
var deviceSections = []string{"devices", "alerts", "badrows", "ledger"}

// Devices is what they measured.
type Devices struct {
	First    int64          `json:"first"` // start of the first day with a reading, Unix ms
	End      int64          `json:"end"`   // end of the last
	Readings int64          `json:"readings"`
	Devices  int            `json:"devices"`
	Flagged  int64          `json:"flagged"`
	Codes    []Measured     `json:"codes"`    // by readings
	Flags    []FlagCount    `json:"flags"`    // by their number
	Warnings []EarlyWarning `json:"warnings"` // of each subject its worst score, the worst first
}

// Measured sums up what has one code.
type Measured struct {
	Code, Display, Unit string
	Readings, Flagged   int64
	Devices             int
	Min, Max            float64
	Mean                float64 // of all readings
	Trend               []int64 // means of hours, in thousandths from the least to the greatest
}

// FlagCount is how often one thing was odd.
type FlagCount struct {
	Flag string
	N    int64
}

// EarlyWarning is the worst score of a subject.
type EarlyWarning struct {
	Subject, Risk, Parameters string
	Score                     int64
	At                        int64
}

const (
	topQuantities = 40
	maxQuantities = 10_000
	maxDevices    = 100_000
	topWarnings   = 12
	maxSubjects   = 100_000
	hourMs        = 3_600_000
)

// collectDevices leaves Devices nil for a lake of another job.
func collectDevices(ctx context.Context, src Source, d *Data) error {
	files, err := src.Files(ctx, "readings")
	if err != nil {
		return fmt.Errorf("list files of output readings: %w", err)
	}
	if len(files) == 0 {
		return nil
	}
	d.Devices = &Devices{}
	if err := collectMinutes(ctx, src, d.Devices); err != nil {
		return err
	}
	if err := collectFlags(ctx, src, d.Devices); err != nil {
		return err
	}
	return collectWarnings(ctx, src, d.Devices)
}

// measuring is one code while its minutes are added up.
type measuring struct {
	display, unit string
	flagged, n    int64 // n of readings with a value
	devices       map[string]bool
	min, max, sum float64
	hours         map[int64]*hourMean
}

type hourMean struct {
	n   int64
	sum float64
}

func collectMinutes(ctx context.Context, src Source, all *Devices) error {
	codes, devices := newTally[measuring](maxQuantities), map[string]bool{}
	names := []string{"window_start", "device_id", "code", "display", "unit", "count", "flagged", "min", "max", "mean"}
	err := scan(ctx, src, "rollups", names, func(b columns.Batch) error {
		for i := range b.Rows() {
			at, count, device := columns.Number(b[0][i]), columns.Number(b[5][i]), string(columns.Text(b[1][i]))
			if day := at - at%dayMs; all.End == 0 || day < all.First {
				all.First = day
			}
			all.End = max(all.End, at-at%dayMs+dayMs)
			all.Readings += count
			all.Flagged += columns.Number(b[6][i])
			if len(devices) < maxDevices {
				devices[device] = true
			}
			m := &codes.add(columns.Text(b[2][i]), count).value
			if m.devices == nil {
				*m = measuring{
					display: string(columns.Text(b[3][i])), unit: string(columns.Text(b[4][i])),
					devices: map[string]bool{}, hours: map[int64]*hourMean{}, min: math.Inf(1), max: math.Inf(-1),
				}
			}
			m.flagged += columns.Number(b[6][i])
			if len(m.devices) < maxDevices {
				m.devices[device] = true
			}
			if b[9][i].IsNull() {
				continue
			}
			m.add(at, count, b[7][i].Double(), b[8][i].Double(), b[9][i].Double())
		}
		return nil
	})
	all.Devices = len(devices)
	for _, e := range codes.top(topQuantities, byCount) {
		all.Codes = append(all.Codes, e.value.measured(e.key, e.count))
	}
	return err
}

func (m *measuring) add(at, count int64, least, greatest, mean float64) {
	m.min, m.max = min(m.min, least), max(m.max, greatest)
	m.n, m.sum = m.n+count, m.sum+mean*float64(count)
	h := m.hours[at/hourMs]
	if h == nil {
		h = &hourMean{}
		m.hours[at/hourMs] = h
	}
	h.n, h.sum = h.n+count, h.sum+mean*float64(count)
}

func (m *measuring) measured(code string, readings int64) Measured {
	out := Measured{Code: code, Display: m.display, Unit: m.unit, Readings: readings, Flagged: m.flagged, Devices: len(m.devices)}
	if m.n == 0 {
		return out
	}
	out.Min, out.Max, out.Mean = m.min, m.max, m.sum/float64(m.n)
	var hours []int64
	for h := range m.hours {
		hours = append(hours, h)
	}
	slices.Sort(hours)
	least, greatest := math.Inf(1), math.Inf(-1)
	for _, h := range hours {
		mean := m.hours[h].sum / float64(m.hours[h].n)
		least, greatest = min(least, mean), max(greatest, mean)
	}
	for _, h := range hours {
		share := 0.5
		if greatest > least {
			share = (m.hours[h].sum/float64(m.hours[h].n) - least) / (greatest - least)
		}
		out.Trend = append(out.Trend, int64(1000*share))
	}
	return out
}

func collectFlags(ctx context.Context, src Source, all *Devices) error {
	flags := newTally[struct{}](maxQuantities)
	err := scan(ctx, src, "flags", []string{"flag"}, func(b columns.Batch) error {
		for i := range b.Rows() {
			flags.add(columns.Text(b[0][i]), 1)
		}
		return nil
	})
	for _, e := range flags.top(topQuantities, byCount) {
		all.Flags = append(all.Flags, FlagCount{e.key, e.count})
	}
	return err
}

func collectWarnings(ctx context.Context, src Source, all *Devices) error {
	worst := map[string]EarlyWarning{}
	err := scan(ctx, src, "news2", []string{"window_start", "subject", "score", "risk", "parameters"}, func(b columns.Batch) error {
		for i := range b.Rows() {
			w := EarlyWarning{
				At: columns.Number(b[0][i]), Subject: string(columns.Text(b[1][i])), Score: columns.Number(b[2][i]),
				Risk: string(columns.Text(b[3][i])), Parameters: string(columns.Text(b[4][i])),
			}
			known, ok := worst[w.Subject]
			if !ok && len(worst) >= maxSubjects {
				continue
			}
			if !ok || w.Score > known.Score || w.Score == known.Score && w.At < known.At {
				worst[w.Subject] = w
			}
		}
		return nil
	})
	for _, w := range worst {
		all.Warnings = append(all.Warnings, w)
	}
	slices.SortFunc(all.Warnings, func(a, b EarlyWarning) int {
		return cmp.Or(cmp.Compare(b.Score, a.Score), cmp.Compare(a.At, b.At), cmp.Compare(a.Subject, b.Subject))
	})
	all.Warnings = all.Warnings[:min(len(all.Warnings), topWarnings)]
	return err
}

// flag is how often one thing was odd.
func (d *Devices) flag(name string) int64 {
	for _, f := range d.Flags {
		if f.Flag == name {
			return f.N
		}
	}
	return 0
}

// deviceTiles are the headline figures of readings.
func deviceTiles(d *Data) []Tile {
	all := d.Devices
	worst := int64(0)
	note := "nobody scored"
	if len(all.Warnings) > 0 {
		worst, note = all.Warnings[0].Score, "worst of "+plural(int64(len(all.Warnings)), "patient", "patients")
		if len(all.Warnings) == topWarnings {
			note = "worst of all patients"
		}
	}
	return []Tile{
		{ID: "devices", Label: "Readings", Name: "tile.readings", Value: all.Readings, Shown: num(all.Readings), Note: plural(int64(len(all.Codes)), "quantity", "quantities")},
		{ID: "devices", Label: "Devices", Name: "tile.devices", Value: int64(all.Devices), Shown: num(int64(all.Devices))},
		{ID: "devices", Label: "Odd readings", Name: "tile.flagged", Value: all.Flagged, Shown: num(all.Flagged), Note: percent(all.Flagged, all.Readings) + " of readings"},
		{ID: "devices", Label: "Early warning", Name: "tile.news2", Value: worst, Shown: num(worst), Note: note, Bad: worst >= 7},
		{ID: "devices", Label: "Gaps", Name: "tile.gaps", Value: all.flag("gap"), Shown: num(all.flag("gap")), Note: "that ended"},
		{ID: "devices", Label: "Duplicates", Name: "tile.duplicates", Value: all.flag("duplicate"), Shown: num(all.flag("duplicate")), Note: "counted once"},
		{ID: "alerts", Label: "Alerts", Name: "tile.alerts", Value: d.Alerts.Total, Shown: num(d.Alerts.Total), Note: plural(d.Alerts.Open, "still holds", "still hold")},
		badTile(d),
	}
}
