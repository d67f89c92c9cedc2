package report

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/cespare/xxhash/v2"
	"github.com/parquet-go/parquet-go"

	"millrace/internal/columns"
)

var alertsSection = section{
	ID: "alerts", Title: "Alerts",
	collect: collectAlerts,
	shown:   func(d *Data) bool { return d.Alerts.Total > 0 },
	data:    func(d *Data) any { return d.Alerts },
}

// Alerts is a digest of broken rules. It is empty for a lake without rules, or
// whose rules were kept.
type Alerts struct {
	Total int64        `json:"total"`
	Open  int64        `json:"open"`  // not in order again
	Rules []RuleAlerts `json:"rules"` // the most severe first
	// Points are how many were open at each point of the time axis, by severity.
	Points map[string][]int64 `json:"points,omitempty"`
	Rows   []Alert            `json:"rows"` // the most severe first, and of these the earliest; at most mostAlerts
}

// RuleAlerts sums up one rule.
type RuleAlerts struct {
	Rule     string `json:"rule"`
	Severity string `json:"severity"`
	Alerts   int64  `json:"alerts"`
	Open     int64  `json:"open"`
	First    int64  `json:"first"`
	Last     int64  `json:"last"` // when the last one began
}

// Alert is one broken rule.
type Alert struct {
	Rule     string   `json:"rule"`
	Key      string   `json:"key"`
	Severity string   `json:"severity"`
	State    string   `json:"state"`
	Since    int64    `json:"since"`
	Changed  int64    `json:"changed"` // when it was in order again, if it is
	Peak     *float64 `json:"peak"`    // furthest beyond the limit; null where there is no value
	Limit    string   `json:"limit"`   // what the rule says
	Replay   string   `json:"replay"`
}

const (
	mostAlerts = 60
	maxRules   = 1_000
)

// IsOpen tells that it is not in order again.
func (a Alert) IsOpen() bool { return a.State != "resolved" }

// More is how many alerts have no row.
func (a Alerts) More() int64 { return a.Total - int64(len(a.Rows)) }

// Of counts alerts of a severity.
func (a Alerts) Of(severity string) (n int64) {
	for _, r := range a.Rules {
		if r.Severity == severity {
			n += r.Alerts
		}
	}
	return n
}

// severities from the worst on.
var severities = []string{"critical", "warning", "info"}

func rank(severity string) int {
	if i := slices.Index(severities, severity); i >= 0 {
		return i
	}
	return len(severities)
}

func worse(a, b *Alert) int {
	return cmp.Or(cmp.Compare(rank(a.Severity), rank(b.Severity)), cmp.Compare(a.Since, b.Since), strings.Compare(a.Rule, b.Rule), strings.Compare(a.Key, b.Key))
}

func collectAlerts(ctx context.Context, src Source, d *Data) error {
	a := &d.Alerts
	rules, points := map[string]*RuleAlerts{}, openAlerts{}
	over, err := resolvedAlerts(ctx, src)
	if err != nil {
		return err
	}
	names := []string{"rule", "alert_key", "severity", "state", "firing_since", "changed_at", "peak", "condition", "replay", "alert_id"}
	err = scan(ctx, src, "alerts", names, func(b columns.Batch) error {
		for i := range b.Rows() {
			row := Alert{
				Rule: shortText(b[0][i]), Key: shortText(b[1][i]), Severity: shortText(b[2][i]), State: shortText(b[3][i]),
				Since: columns.Number(b[4][i]), Changed: columns.Number(b[5][i]), Limit: shortText(b[7][i]), Replay: shortText(b[8][i]),
			}
			if !b[6][i].IsNull() {
				peak := b[6][i].Double()
				row.Peak = &peak
			}
			if row.IsOpen() && over[xxhash.Sum64(columns.Text(b[9][i]))] {
				continue
			}
			a.add(rules, row)
			to := row.Changed
			if row.IsOpen() {
				to = 0
			}
			points.add(&d.Traffic, row.Severity, row.Since, to)
		}
		return nil
	})
	for _, r := range rules {
		a.Rules = append(a.Rules, *r)
	}
	slices.SortFunc(a.Rules, func(a, b RuleAlerts) int {
		return cmp.Or(cmp.Compare(rank(a.Severity), rank(b.Severity)), cmp.Compare(b.Alerts, a.Alerts), strings.Compare(a.Rule, b.Rule))
	})
	a.trim()
	if len(points) > 0 {
		a.Points = points
	}
	return err
}

// resolvedAlerts are the alerts that are in order again, by a hash of their id: there is
// a row, too, of when they began.
func resolvedAlerts(ctx context.Context, src Source) (map[uint64]bool, error) {
	over := map[uint64]bool{}
	err := scan(ctx, src, "alerts", []string{"alert_id", "state"}, func(b columns.Batch) error {
		for i := range b.Rows() {
			if string(columns.Text(b[1][i])) == "resolved" {
				over[xxhash.Sum64(columns.Text(b[0][i]))] = true
			}
		}
		return nil
	})
	return over, err
}

func (a *Alerts) add(rules map[string]*RuleAlerts, row Alert) {
	a.Total++
	r := rules[row.Rule]
	if r == nil && len(rules) < maxRules {
		r = &RuleAlerts{Rule: row.Rule, Severity: row.Severity, First: row.Since}
		rules[row.Rule] = r
	}
	if row.IsOpen() {
		a.Open++
	}
	if r != nil {
		r.Alerts++
		r.First, r.Last = min(r.First, row.Since), max(r.Last, row.Since)
		if row.IsOpen() {
			r.Open++
		}
	}
	if a.Rows = append(a.Rows, row); len(a.Rows) >= 2*mostAlerts {
		a.trim()
	}
}

func (a *Alerts) trim() {
	slices.SortStableFunc(a.Rows, func(a, b Alert) int { return worse(&a, &b) })
	a.Rows = a.Rows[:min(len(a.Rows), mostAlerts)]
}

// shortText is a text of at most 2 KiB, valid UTF-8.
func shortText(v parquet.Value) string {
	text := columns.Text(v)
	return strings.ToValidUTF8(string(text[:min(len(text), 2<<10)]), "\uFFFD")
}
