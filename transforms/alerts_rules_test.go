package transforms

import (
	"math"
	"strconv"
	"strings"
	"testing"
	"time"

	"millrace/schemas/table"
	"millrace/schemas/weblog"
	"millrace/transforms/alerts"
)

// TestKeysOfRowsAreThoseOfTheRule compares the fast reading of rows with the rule's
// own, which has the text of every value.
func TestKeysOfRowsAreThoseOfTheRule(t *testing.T) {
	b := table.NewBatch(weblog.TopPages)
	paths := []string{"/", "/a", "", "/a,rank=1"}
	for i := range 200 {
		row := weblog.TopPage{WindowStart: table.Millis(i), Rank: int32(i % 3), Path: paths[i%len(paths)], Views: int64(i) - 100}
		if i%5 > 0 {
			visitors := int64(i % 4)
			row.Visitors = &visitors
		}
		b.Append(&row)
	}
	text := func(row int) func(string) string {
		return func(name string) string {
			col, _ := weblog.TopPages.Index(name)
			switch {
			case b.Null(col, row):
				return ""
			case weblog.TopPages.Columns[col].Kind == table.String:
				return string(b.Text(col, row))
			}
			return strconv.FormatInt(b.Int(col, row), 10)
		}
	}
	watched := 0
	for _, where := range [][]alerts.Match{nil, {{Column: "path", Value: "/a"}}, {{Column: "path", Value: ""}}, {{Column: "rank", Value: "1"}, {Column: "path", Value: "/"}}, {{Column: "rank", Value: "01"}}, {{Column: "visitors", Value: ""}}, {{Column: "visitors", Value: "2"}}} {
		for _, by := range [][]string{nil, {"path"}, {"rank", "visitors", "path"}} {
			rule := alerts.Rule{Name: "r", Input: "top_pages", Field: "views", Where: where, By: by}
			r, err := newRuleReader(&rule, weblog.TopPages)
			if err != nil {
				t.Fatal(err)
			}
			for row := range b.Len() {
				want, is := rule.KeyOf(text(row))
				got, got2 := r.key(b, row)
				if string(got) != want || got2 != is {
					t.Fatalf("where %v by %v, row %d: %q %v, want %q %v", where, by, row, got, got2, want, is)
				}
				if is {
					watched++
				}
			}
		}
	}
	if watched < 500 {
		t.Errorf("%d rows are too few to compare", watched)
	}
}

// TestARowOfARatioCountsOnTheSideItIsOf, on both if it is of both.
func TestARowOfARatioCountsOnTheSideItIsOf(t *testing.T) {
	b := table.NewBatch(weblog.TrafficRows)
	for i, class := range []string{"5xx", "2xx", "3xx"} {
		for _, seconds := range []int32{1, 60} {
			b.Append(&weblog.Traffic{WindowStart: table.Millis(i), WindowSeconds: seconds, StatusClass: class, Views: int64(10 * (i + 1))})
		}
	}
	minutes := alerts.Match{Column: "window_seconds", Value: "60"}
	rule := alerts.Rule{Name: "r", Input: "traffic", Field: "views", Aggregate: alerts.Sum, Where: []alerts.Match{{Column: "status_class", Value: "5xx"}, minutes}, Per: []alerts.Match{minutes}}
	for aggregate, want := range map[alerts.Aggregate][3]float64{alerts.Sum: {10, 20, 30}, alerts.Count: {1, 1, 1}} {
		rule.Aggregate = aggregate
		r, err := newRuleReader(&rule, weblog.TrafficRows)
		if err != nil {
			t.Fatal(err)
		}
		got := *r.read(b)[""]
		if len(got) != 3 || got[0].Value != 10 || !math.IsNaN(got[1].Value) || !math.IsNaN(got[2].Value) {
			t.Errorf("%s: above the line are %v", aggregate, got)
		}
		for i := range got {
			if got[i].While != want[i] {
				t.Errorf("%s: below the line is %v, want %v", aggregate, got, want)
			}
		}
	}
	rule.Per = []alerts.Match{{Column: "status", Value: "5xx"}}
	if _, err := newRuleReader(&rule, weblog.TrafficRows); err == nil || !strings.Contains(err.Error(), "per: traffic has no column status") {
		t.Errorf("a column that does not exist: %v", err)
	}
}

// TestWindowsWaitForTheRowsOfTheirInput: how long after its end a rule's window is
// complete.
func TestWindowsWaitForTheRowsOfTheirInput(t *testing.T) {
	const second, minute, hour = 1000, 60_000, 3_600_000
	for _, c := range []struct {
		every, window, want int64
		seconds             string
	}{
		{minute, minute, 0, ""},
		{10 * second, minute, 50 * second, ""},
		{5 * minute, minute, 0, ""},
		{90 * second, minute, minute, ""},
		{minute, hour, hour - minute, ""},
		{minute, hour, 0, "60"},
		{minute, hour, 0, "1"},
		{minute, hour, hour - minute, "7200"},
		{hour, 0, 0, ""},
	} {
		r := alerts.Rule{Every: c.every}
		if c.seconds != "" {
			r.Where = []alerts.Match{{Column: "window_seconds", Value: c.seconds}}
		}
		if got := alertLag(&r, AlertInput{Window: time.Duration(c.window) * time.Millisecond}); got != c.want {
			t.Errorf("windows of %d over rows of %d (%s): %d, want %d", c.every, c.window, c.seconds, got, c.want)
		}
	}
	per := alerts.Rule{Every: minute, Where: []alerts.Match{{Column: "window_seconds", Value: "60"}}, Per: []alerts.Match{{Column: "window_seconds", Value: "3600"}}}
	if got := alertLag(&per, AlertInput{Window: 24 * time.Hour}); got != hour-minute {
		t.Errorf("a ratio waits for %d, and not for the longer of its windows", got)
	}
	if got := alertLag(&alerts.Rule{Every: hour}, AlertInput{After: time.Hour}); got != hour {
		t.Errorf("rows that are sealed an hour after any time are waited for for %d", got)
	}
	if !math.IsNaN(cellNumber(table.NewBatch(weblog.TopPages), -1, 0)) {
		t.Error("no column is a number")
	}
}
