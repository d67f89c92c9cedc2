package transforms

import (
	"math"
	"strconv"
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
	if !math.IsNaN(cellNumber(table.NewBatch(weblog.TopPages), -1, 0)) {
		t.Error("no column is a number")
	}
}
