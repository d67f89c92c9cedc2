package report

import (
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/google/go-cmp/cmp"
)

type (
	readingRow struct {
		EventTime int64 `parquet:"event_time,timestamp(millisecond)"`
	}
	minuteRow struct {
		WindowStart int64    `parquet:"window_start,timestamp(millisecond)"`
		DeviceID    string   `parquet:"device_id,dict"`
		Code        string   `parquet:"code,dict"`
		Display     string   `parquet:"display,dict"`
		Unit        string   `parquet:"unit,dict"`
		Count       int64    `parquet:"count"`
		Flagged     int64    `parquet:"flagged"`
		Min         *float64 `parquet:"min,optional"`
		Max         *float64 `parquet:"max,optional"`
		Mean        *float64 `parquet:"mean,optional"`
	}
	flagRow struct {
		EventTime int64  `parquet:"event_time,timestamp(millisecond)"`
		Flag      string `parquet:"flag,dict"`
	}
	warningRow struct {
		WindowStart int64  `parquet:"window_start,timestamp(millisecond)"`
		Subject     string `parquet:"subject,dict"`
		Score       int32  `parquet:"score"`
		Risk        string `parquet:"risk,dict"`
		Parameters  string `parquet:"parameters,dict"`
	}
)

func wardLake(t testing.TB) string {
	t.Helper()
	root := t.TempDir()
	f := func(v float64) *float64 { return &v }
	writeDays(t, root, "readings", []readingRow{{shopDay + 5}}, func(r readingRow) int64 { return r.EventTime })
	writeDays(t, root, "rollups", []minuteRow{
		{shopDay, "tok-a", "8867-4", "Heart rate", "/min", 2, 0, f(60), f(80), f(70)},
		{shopDay + hourMs, "tok-a", "8867-4", "Heart rate", "/min", 1, 1, f(190), f(190), f(190)},
		{shopDay + dayMs + hourMs, "tok-b", "8867-4", "Heart rate", "/min", 1, 0, f(100), f(100), f(100)},
		{shopDay, "tok-c", "energy", hostile[0], "J/s", 3, 0, nil, nil, nil}, // a counter without a rate
	}, func(r minuteRow) int64 { return r.WindowStart })
	writeDays(t, root, "flags", []flagRow{{shopDay, "gap"}, {shopDay + hourMs, "range"}, {shopDay + dayMs, "gap"}}, func(r flagRow) int64 { return r.EventTime })
	writeDays(t, root, "news2", []warningRow{
		{shopDay, "tok_pat_k1_aaaaaaaaaa", 2, "low", "pulse 2"},
		{shopDay + hourMs, "tok_pat_k1_aaaaaaaaaa", 9, "high", "pulse 3"},
		{shopDay + 2*hourMs, "tok_pat_k1_aaaaaaaaaa", 9, "high", "later"},
		{shopDay, "tok_pat_k1_bbbbbbbbbb", 0, "low", "pulse 0"},
	}, func(r warningRow) int64 { return r.WindowStart })
	return root
}

// TestReadingsHaveAPageOfTheirOwn, which says nothing of requests.
func TestReadingsHaveAPageOfTheirOwn(t *testing.T) {
	d, err := Collect(t.Context(), Dir(wardLake(t)))
	if err != nil {
		t.Fatal(err)
	}
	want := &Devices{
		First: shopDay, End: shopDay + 2*dayMs, Readings: 7, Devices: 3, Flagged: 1,
		Codes: []Measured{
			{Code: "8867-4", Display: "Heart rate", Unit: "/min", Readings: 4, Flagged: 1, Devices: 2, Min: 60, Max: 190, Mean: 107.5, Trend: []int64{0, 1000, 250}},
			{Code: "energy", Display: hostile[0], Unit: "J/s", Readings: 3, Devices: 1},
		},
		Flags: []FlagCount{{"gap", 2}, {"range", 1}},
		Warnings: []EarlyWarning{
			{Subject: "tok_pat_k1_aaaaaaaaaa", Risk: "high", Parameters: "pulse 3", Score: 9, At: shopDay + hourMs},
			{Subject: "tok_pat_k1_bbbbbbbbbb", Risk: "low", Parameters: "pulse 0", At: shopDay},
		},
	}
	if diff := cmp.Diff(want, d.Devices); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	d.Ledger = exampleLedger(d)
	page := written(t, d)
	for name, l := range looks {
		b := open(t, page, l)
		text := ask(t, b, chromedp.Evaluate[string](`document.body.innerText`))
		for _, shown := range []string{"2026", "Heart rate", "108", "gap 2", "high", "pulse 3"} {
			if !strings.Contains(text, shown) {
				t.Errorf("%s: %q is not shown:\n%s", name, shown, text)
			}
		}
		if strings.Contains(text, "Server errors") || strings.Contains(text, "requests") {
			t.Errorf("%s: the page speaks of requests:\n%s", name, text)
		}
		if wide := ask(t, b, chromedp.Evaluate[int](`document.documentElement.scrollWidth - document.documentElement.clientWidth`)); wide > 0 {
			t.Errorf("%s: the page is %d pixels too wide", name, wide)
		}
		if said := b.complaints(); len(said) > 0 {
			t.Errorf("%s: %v", name, said)
		}
	}
}
