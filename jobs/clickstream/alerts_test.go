package clickstream_test

import (
	"fmt"
	"strings"

	"millrace/transforms/alerts"
)

const minute = 60_000

// rules watch a ratio of events, money, rows of an hour, carts, which are known an hour
// after their time, and scores.
func rules() []alerts.Rule {
	above := func(v float64) *float64 { return &v }
	is := func(column, value string) []alerts.Match { return []alerts.Match{{Column: column, Value: value}} }
	var out []alerts.Rule
	for _, r := range []alerts.Rule{
		{Name: "sold", Input: "events", Aggregate: alerts.Count, Where: is("name", "purchase"), Per: is("name", "begin_checkout"), Within: 5 * minute, WhileAtLeast: 1, Above: above(1)},
		{Name: "taken", Input: "revenue", Field: "gross", Where: is("window_seconds", "60"), By: []string{"currency"}, Above: above(100)},
		{Name: "seen", Input: "products", Field: "views", By: []string{"item_id"}, Every: 20 * minute, Above: above(1)},
		{Name: "left", Input: "abandoned_carts", Aggregate: alerts.Count, Above: above(0)},
		{Name: "busy", Input: "anomalies", Field: "value", Where: is("series", "purchases"), Above: above(1)},
		{Name: "crowd", Input: "visitors", Field: "visitors", Every: 24 * 60 * minute, Above: above(1)},
	} {
		out = append(out, r.WithDefaults())
	}
	return out
}

// wantAlerts is what the rules make of the lines.
func wantAlerts() (rows []string) {
	add := func(rule int, key string, since, changed int64, peak float64) {
		r := rules()[rule]
		for version, state := range []string{"firing", "resolved"} {
			at, numbers, reason := since, fmt.Sprintf("value=%.4f peak=%.4f", peak, peak), "breach"
			breaches := 1
			if state == "resolved" {
				at, numbers, reason = changed, fmt.Sprintf("peak=%.4f", peak), "silence"
				breaches = int((changed - since) / r.Every)
			}
			rows = append(rows, fmt.Sprintf("alert_id=%s firing_since=%d rule=%s alert_key=%s state=%s severity=warning changed_at=%d pending_since=%d %s condition=%s breaches=%d reason=%s input=%s field=%s window_seconds=%d rule_version=%s replay= version=%d",
				alerts.ID(r.Name, key, since), since, r.Name, key, state, at, since, numbers, r.Condition(), breaches, reason, r.Input, r.Field, r.Every/1000, r.Version(), version+1))
		}
	}
	// One begins to check out in minute 0, and two buy in minute 1, one of them without
	// consent: from minute 5 on there is no checkout within five minutes.
	add(0, "", ms+minute, ms+5*minute, 2)
	add(1, "currency=EUR", ms+minute, ms+2*minute, 2490)
	add(1, "currency=JPY", ms+minute, ms+2*minute, 500)
	add(2, "item_id=cup", ms, ms+20*minute, 2)
	add(2, "item_id=pot", ms, ms+20*minute, 2)
	add(3, "", ms, ms+minute, 1)
	add(4, "", ms+minute, ms+2*minute, 2)
	add(5, "", day*86_400_000, (day+1)*86_400_000, 2)
	return rows
}

// wantAnomalies is a score of each series in the only minute with money, which is too
// early to be judged.
func wantAnomalies() (rows []string) {
	for series, value := range map[string]float64{"purchases ": 2, "refunds ": 1, "revenue currency=EUR": 2490, "revenue currency=JPY": 500} {
		name, key, _ := strings.Cut(series, " ")
		rows = append(rows, fmt.Sprintf("window_start=%d series=%s series_key=%s window_seconds=60 value=%.4f empty=0 status=learning explanation= version=1", ms+minute, name, key, value))
	}
	return rows
}
