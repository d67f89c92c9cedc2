package report

import (
	"cmp"
	"context"
	"math"
	"slices"
	"strconv"
	"strings"

	"millrace/internal/columns"
)

// anomaliesSection is for lakes without traffic, whose section has the table otherwise.
var anomaliesSection = section{
	ID: "anomalies", Title: "Anomalies",
	shown: func(d *Data) bool { return len(d.Anomalies.Rows) > 0 && d.Traffic.Requests == 0 },
	data:  func(d *Data) any { return d.Anomalies },
}

// Anomalies are what a detector found strange, and what it expected of the traffic.
// It is empty for a lake without scores.
type Anomalies struct {
	Windows int64     `json:"windows"` // that have a score
	Found   int64     `json:"found"`   // with a score from the threshold on
	Rows    []Anomaly `json:"rows"`    // the strangest, in order of time
	// Expected is the range of requests at each point of the time axis, as far as it
	// is known: sums over its minutes.
	Expected []Range `json:"expected,omitempty"`
}

// Anomaly is a strange value of a series.
type Anomaly struct {
	Start  int64   `json:"start"`
	End    int64   `json:"end"`
	Series string  `json:"series"`
	Key    string  `json:"key,omitempty"`
	Value  float64 `json:"value"`
	Low    float64 `json:"low"`
	High   float64 `json:"high"`
	Known  bool    `json:"known"` // low and high are
	Score  float64 `json:"score"`
	Why    string  `json:"why,omitempty"`
}

// Name is the series, with its key.
func (a Anomaly) Name() string {
	if a.Key == "" {
		return a.Series
	}
	return a.Series + " " + shortKey(a.Key)
}

// Expected is the range in words. Counts, shares and amounts are not below zero.
func (a Anomaly) Expected() string {
	if !a.Known {
		return "–"
	}
	return a.words(max(a.Low, 0)) + " to " + a.words(a.High)
}

// Shown is the value in words.
func (a Anomaly) Shown() string { return a.words(a.Value) }

// words are those for a value of the series: revenue is money.
func (a Anomaly) words(value float64) string {
	if code, of := strings.CutPrefix(a.Key, "currency="); of && a.Series == revenueSeries {
		return money(int64(math.Round(min(max(value, -1<<53), 1<<53))), code)
	}
	return amount(value)
}

// Digits is the score in words.
func (a Anomaly) Digits() string { return strconv.FormatFloat(a.Score, 'f', 2, 64) }

// plot is where its values are shown.
func (a Anomaly) plot() string {
	switch {
	case a.Series == requestSeries && a.Key == "":
		return "all"
	case a.Series == errorSeries || a.Key == "status_class=5xx":
		return "5xx"
	}
	return ""
}

// Strangest are the rows to list, in order of their score.
func (a Anomalies) Strangest() []Anomaly {
	rows := slices.Clone(a.Rows)
	slices.SortFunc(rows, stranger)
	return rows[:min(len(rows), shownAnomalies)]
}

func stranger(a, b Anomaly) int {
	return cmp.Or(cmp.Compare(b.Score, a.Score), cmp.Compare(a.Start, b.Start), strings.Compare(a.Series, b.Series), strings.Compare(a.Key, b.Key))
}

// Range is what was expected; Known is of how many minutes.
type Range struct {
	Low   float64 `json:"low"`
	High  float64 `json:"high"`
	Known int64   `json:"known"`
}

const (
	anomalyFrom    = 0.46 // as the column score says
	mostAnomalies  = 100
	shownAnomalies = 15

	requestSeries = "views"       // whose values are those of the traffic chart
	revenueSeries = "revenue"     // of currencies
	errorSeries   = "error_ratio" // and of the chart of 5xx, with status_class=5xx
)

// collectAnomalies follows traffic, whose time axis it uses.
func collectAnomalies(ctx context.Context, src Source, d *Data) error {
	a, t := &d.Anomalies, &d.Traffic
	names := []string{"window_start", "window_seconds", "series", "series_key", "value", "score", "expected_low", "expected_high", "explanation"}
	err := scan(ctx, src, "anomalies", names, func(b columns.Batch) error {
		for i := range b.Rows() {
			start := columns.Number(b[0][i])
			row := Anomaly{Start: start, End: start + 1000*columns.Number(b[1][i]), Value: b[4][i].Double()}
			if row.Known = !b[6][i].IsNull() && !b[7][i].IsNull(); row.Known {
				row.Low, row.High = b[6][i].Double(), b[7][i].Double()
			}
			total := string(columns.Text(b[2][i])) == requestSeries && len(columns.Text(b[3][i])) == 0
			if total && row.Known && row.End-start == 60_000 {
				a.expect(t, &row)
			}
			if b[5][i].IsNull() {
				continue
			}
			a.Windows++
			if row.Score = b[5][i].Double(); row.Score < anomalyFrom {
				continue
			}
			a.Found++
			row.Series, row.Key, row.Why = shortText(b[2][i]), shortText(b[3][i]), shortText(b[8][i])
			if a.Rows = append(a.Rows, row); len(a.Rows) >= 2*mostAnomalies {
				a.trim()
			}
		}
		return nil
	})
	a.trim()
	slices.SortFunc(a.Rows, func(a, b Anomaly) int {
		return cmp.Or(cmp.Compare(a.Start, b.Start), strings.Compare(a.Series, b.Series), strings.Compare(a.Key, b.Key))
	})
	return err
}

// expect adds what was expected of a minute to its point of the time axis.
func (a *Anomalies) expect(t *Traffic, row *Anomaly) {
	if t.StepSeconds == 0 {
		return
	}
	i := floorDiv(row.Start-t.Start, t.StepSeconds*1000)
	if i < 0 || i >= int64(len(t.Points)) {
		return
	}
	if a.Expected == nil {
		a.Expected = make([]Range, len(t.Points))
	}
	r := &a.Expected[i]
	r.Low, r.High, r.Known = r.Low+max(row.Low, 0), r.High+max(row.High, 0), r.Known+1
}

// trim keeps the strangest.
func (a *Anomalies) trim() {
	slices.SortFunc(a.Rows, stranger)
	a.Rows = a.Rows[:min(len(a.Rows), mostAnomalies)]
}
