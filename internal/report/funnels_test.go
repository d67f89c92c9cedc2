package report

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/google/go-cmp/cmp"

	"millrace/internal/testenv"
)

type stepRow struct {
	Day       int32    `parquet:"day,date"`
	Funnel    string   `parquet:"funnel,dict"`
	Breakdown *string  `parquet:"breakdown,optional,dict"`
	Step      int32    `parquet:"step"`
	StepName  string   `parquet:"step_name,dict"`
	Visitors  int64    `parquet:"visitors"`
	Previous  int64    `parquet:"previous"`
	Excluded  int64    `parquet:"excluded"`
	TotalMs   *int64   `parquet:"total_ms,optional"`
	MedianMs  *float64 `parquet:"median_ms,optional"`
}

// funnelSteps are two funnels over some days from that of farm on, one of them with
// a breakdown, hostile values among it.
func funnelSteps(days int) (rows []stepRow) {
	const first = 20315 // 2025-08-15
	put := func(day int, funnel string, value *string, names []string, visitors []int64) {
		for k, name := range names {
			r := stepRow{Day: int32(first + day), Funnel: funnel, Breakdown: value, Step: int32(k + 1), StepName: name, Visitors: visitors[k], Previous: visitors[max(k-1, 0)], Excluded: 3}
			if k > 0 {
				total, median := visitors[k]*int64(k)*90_000, float64(k*60_000+day*1000)+0.5
				r.TotalMs = &total
				if r.MedianMs = &median; visitors[k] == 0 {
					r.MedianMs = nil
				}
			}
			rows = append(rows, r)
		}
	}
	values := append([]string{"HTTP/1.1", "HTTP/2.0", "shop.example.org", "www.example.org", "m.example.org"}, hostile[:3]...)
	for day := range days {
		n := int64(day)
		put(day, "purchase", nil, []string{"home", "product", "cart", "checkout"}, []int64{1200 + n, 700 + n, 160 + n, 40 + n})
		for i := range values {
			put(day, "found at once", &values[i], []string{"search", hostile[0]}, []int64{int64(90 - i), int64(20 - i)})
		}
		put(day, "found at once", nil, []string{"search", hostile[0]}, []int64{5, 0})
	}
	return rows
}

// TestFunnelsShowWhatTheLakeCounts in a browser, on a screen and on a phone.
func TestFunnelsShowWhatTheLakeCounts(t *testing.T) {
	l := farm(5, 2_000, 3)
	l.steps = funnelSteps(3)
	root := t.TempDir()
	d := collectedIn(t, l, root)
	want := map[string]string{}
	for _, row := range testenv.DuckDB(t, strings.ReplaceAll(`
		create table steps as select *, case funnel when 'purchase' then 1 else 0 end as i from read_parquet('LAKE/funnel_steps/*/*/*/*.parquet', hive_partitioning = false);
		select 'funnels.' || i || '.step.' || (step - 1), sum(visitors)::bigint from steps group by i, step
		union all select 'funnels.' || i || '.lost.' || (step - 1), sum(previous - visitors)::bigint from steps where step > 1 group by i, step
		union all select 'funnels.' || i || '.mean.' || (step - 1), round(sum(total_ms) / sum(visitors))::bigint from steps where step > 1 group by i, step
		union all select 'funnels.' || i || '.median.' || (step - 1), min(floor(median_ms + 0.5))::bigint from steps where step > 1 group by i, step
		union all select 'funnels.' || i || '.most_median.' || (step - 1), max(floor(median_ms + 0.5))::bigint from steps where step > 1 group by i, step
		union all select 'funnels.' || i || '.excluded', sum(excluded)::bigint from steps where step = 1 group by i
		union all select 'funnels.0.value.0.' || (step - 1), sum(visitors)::bigint from steps where breakdown = 'HTTP/1.1' group by step`, "LAKE", root)) {
		want[row[0]] = row[1]
	}
	if len(want) < 20 {
		t.Fatalf("SQL gives only %d figures", len(want))
	}
	for name, l := range looks {
		b := open(t, written(t, d), l)
		shown := ask(t, b, chromedp.Evaluate[map[string]string](`Object.fromEntries([...document.querySelectorAll("#funnels [data-figure]")].map((e) => [e.dataset.figure, e.dataset.value]))`))
		for figure, value := range want {
			if shown[figure] != value {
				t.Errorf("%s: figure %s shows %q, SQL says %s", name, figure, shown[figure], value)
			}
		}
		if wide := ask(t, b, chromedp.Evaluate[int](`document.documentElement.scrollWidth - document.documentElement.clientWidth`)); wide > 0 {
			t.Errorf("%s: the page is %d pixels too wide", name, wide)
		}
		if said := b.complaints(); len(said) > 0 {
			t.Errorf("%s: %v", name, said)
		}
	}
}

func TestFunnelsAreOnThePageOnlyWhenThereAreSome(t *testing.T) {
	l := farm(5, 500, 1)
	if page := string(written(t, collected(t, l))); strings.Contains(page, `id="funnels"`) || strings.Contains(page, `#funnels"`) {
		t.Error("a lake without funnels has a section of them")
	}
	l.steps = funnelSteps(1)
	d := collected(t, l)
	page := string(written(t, d))
	if !strings.Contains(page, `<section id="funnels"`) || !strings.Contains(page, `href="#funnels"`) {
		t.Error("a lake with funnels has no section of them")
	}
	if strings.Contains(page, "<img src=x") {
		t.Error("the name of a step became markup")
	}
	values := d.Funnels[0].Values
	if len(values) != mostValues || d.Funnels[0].More != 3 || values[0].Value != "HTTP/1.1" {
		t.Errorf("%d values and %d more", len(values), d.Funnels[0].More)
	}
}

func TestStepsThatNobodyReachesHaveNoTime(t *testing.T) {
	l := farm(5, 500, 1)
	null := int64(0)
	l.steps = []stepRow{
		{Funnel: "f", Day: 20315, Step: 1, StepName: "a", Visitors: 2, Previous: 2},
		{Funnel: "f", Day: 20315, Step: 2, StepName: "b", Previous: 2, TotalMs: &null},
	}
	want := []Funnel{{Name: "f", Days: 1, Steps: []FunnelStep{{Name: "a", Visitors: 2, Previous: 2}, {Name: "b", Previous: 2}}}}
	d := collected(t, l)
	if diff := cmp.Diff(want, d.Funnels); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if page := string(written(t, d)); strings.Contains(page, "funnels.0.mean.1") || !strings.Contains(page, fmt.Sprintf(`data-figure="funnels.0.lost.1" data-value="%s"`, strconv.Itoa(2))) {
		t.Error("a step without visitors shows a time, or no loss")
	}
}
