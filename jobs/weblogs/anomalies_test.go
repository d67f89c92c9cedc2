package weblogs_test

import (
	"fmt"
	"strings"

	"millrace/transforms/alerts"
)

// rules watch traffic, rows of an hour, scores and single events.
func rules() []alerts.Rule {
	above := func(v float64) *float64 { return &v }
	var out []alerts.Rule
	for _, r := range []alerts.Rule{
		{Name: "errors", Input: "traffic", Field: "views", Where: []alerts.Match{{Column: "status_class", Value: "5xx"}, {Column: "window_seconds", Value: "60"}}, Above: above(0)},
		{Name: "page", Input: "top_pages", Field: "views", By: []string{"path"}, Every: 20 * minute, Above: above(1), Severity: "info"},
		{Name: "busy", Input: "anomalies", Field: "value", Where: []alerts.Match{{Column: "series", Value: "views"}}, Above: above(3)},
		{Name: "many", Input: "events", Aggregate: alerts.Count, By: []string{"method"}, Above: above(3)},
		{Name: "nothing", Input: "traffic", AbsentFor: 10 * minute, GiveUp: 40 * minute},
	} {
		out = append(out, r.WithDefaults())
	}
	return out
}

const minute = 60_000

// wantAlerts is what the rules make of the lines.
func wantAlerts() (rows []string) {
	row := func(r alerts.Rule, key, state string, since, changed, pending int64, numbers string, reason string, version int) {
		rows = append(rows, fmt.Sprintf("alert_id=%s firing_since=%d rule=%s alert_key=%s state=%s severity=%s changed_at=%d pending_since=%d %scondition=%s breaches=1 reason=%s input=%s field=%s window_seconds=%d rule_version=%s replay= version=%d",
			alerts.ID(r.Name, key, since), since, r.Name, key, state, r.Severity, changed, pending, numbers, r.Condition(), reason, r.Input, r.Field, r.Every/1000, r.Version(), version))
	}
	add := func(rule int, key string, since, changed, pending int64, value, peak, reason string) {
		r := rules()[rule]
		if r.AbsentFor == 0 { // each of them fires with its peak
			row(r, key, "firing", since, since, pending, strings.Replace(peak, "peak", "value", 1)+peak, "breach", 1)
		}
		row(r, key, "resolved", since, changed, pending, value+peak, reason, 2)
	}
	add(0, "", ms, ms+minute, ms, "", "peak=1 ", "silence")
	add(1, "path=/product", ms, ms+20*minute, ms, "", "peak=2 ", "silence")
	add(2, "", ms, ms+minute, ms, "value=0 ", "peak=4 ", "cleared")
	add(3, "method=GET", ms, ms+minute, ms, "", "peak=4 ", "silence")
	add(4, "", ms+11*minute, ms+30*minute, ms+minute, "", "", "data")
	return rows
}

// wantAnomalies is a score of each series and window, all too early to be judged.
func wantAnomalies() (rows []string) {
	add := func(start, seconds int64, series, key string, value float64, empty int) {
		rows = append(rows, fmt.Sprintf("window_start=%d series=%s series_key=%s window_seconds=%d value=%g empty=%d status=learning explanation= version=1", start, series, key, seconds, value, empty))
	}
	for i := range int64(31) {
		values := map[string]float64{}
		empty := 1
		switch i {
		case 0:
			values, empty = map[string]float64{"views": 4, "bytes": 220, "2xx": 3, "5xx": 1, "visitors": 2}, 0
			add(ms, 60, "error_ratio", "", 0.25, 0)
		case 30:
			values, empty = map[string]float64{"views": 1, "visitors": 1}, 0
			add(ms+30*minute, 60, "error_ratio", "", 0, 0)
			add(ms+30*minute, 60, "status_views", "status_class=3xx", 1, 0)
		}
		for _, name := range []string{"views", "bytes", "visitors"} {
			add(ms+i*minute, 60, name, "", values[name], empty)
		}
		for _, class := range []string{"2xx", "5xx"} {
			lacks := 0
			if values[class] == 0 {
				lacks = 1
			}
			add(ms+i*minute, 60, "status_views", "status_class="+class, values[class], lacks)
		}
	}
	for path, views := range map[string]float64{"/product": 2, "/": 1, "/cart": 1} {
		add(ms, 3600, "page_views", "path="+path, views, 0)
	}
	return rows
}
