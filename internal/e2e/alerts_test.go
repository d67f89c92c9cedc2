package e2e

import (
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// farmAlerts are the arguments that score the farm and watch it by rules over every
// kind of input: minutes, hours, days, scores, funnels and single requests, and by
// those of security over sources and the site.
// farmAlertRows is what they have to give at least.
func farmAlerts(t testing.TB, e env) []string {
	t.Helper()
	path := e.in("alerts.yaml")
	writeFile(t, path, []byte(`
- {name: errors, input: traffic, where: {status_class: 5xx, window_seconds: 60}, field: views, above: 3, cooldown: 10m}
- {name: seconds, input: traffic, where: {window_seconds: 1}, by: [status_class], every: 10s, field: views, aggregate: sum, within: 60s, above: 30, clear_above: 20}
- {name: slump, input: traffic, where: {window_seconds: 60}, field: views, aggregate: sum, change_over: 10m, change_relative: true, below: -0.5, at_least: 2, of: 3}
- {name: silence, input: traffic, where: {status_class: 5xx}, absent_for: 20m}
- {name: page, input: top_pages, by: [path], every: 10m, field: views, above: 40, clear_above: 30}
- {name: visitors, input: visitors, every: 24h, field: visitors, above: 1}
- {name: unusual, input: anomalies, by: [series, series_key], field: score, above: 0.46}
- {name: ratio, input: anomalies, where: {series: error_ratio}, field: value, above: 0.05, missing: keep}
- {name: posts, input: events, where: {method: POST}, by: [status], aggregate: count, within: 5m, above: 5}
`))
	return []string{"--set", "anomalies=true", "--set", "security=true", "--alerts", path}
}

const farmAlertRows = ", anomalies 3000, alerts 100, sources 20"

// TestAlertsEqualSQL asks another program when there were too many errors, in the
// plainest way.
func TestAlertsEqualSQL(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	mustRun(t, e, "generate", "weblog", "--days", "3", "--rate", "40/min", "--servers", "2", "--seed", "5", "--out", e.in("farm"))
	lake := e.in("lake")
	rules := e.in("rules.yaml")
	writeFile(t, rules, []byte("alerts: [{name: errors, input: traffic, where: {status_class: 4xx, window_seconds: 60}, field: views, above: 3}]"))
	mustRun(t, e, weblogs(filepath.Join(e.in("farm"), "*.log"), lake, "--alerts", rules)...)
	got := sql(t, lake, `SELECT firing_since, changed_at, breaches, peak, state FROM alerts ORDER BY 1`)
	want := sql(t, lake, `
		WITH m AS (SELECT date_trunc('minute', event_time) w, count(*) n FROM events WHERE status BETWEEN 400 AND 499 AND NOT late GROUP BY 1),
		over AS (SELECT w, n, w - INTERVAL 1 MINUTE * row_number() OVER (ORDER BY w) run FROM m WHERE n > 3)
		SELECT min(w), max(w) + INTERVAL 1 MINUTE, count(*), max(n)::double, 'resolved' FROM over GROUP BY run ORDER BY 1`)
	if len(want) < 20 {
		t.Fatalf("%d alerts are too few to compare", len(want))
	}
	for i, row := range want {
		if i >= len(got) || strings.Join(got[i], "|") != strings.Join(row, "|") {
			t.Fatalf("alert %d: the lake has %v, SQL says %v", i, got[min(i, len(got)-1)], row)
		}
	}
	if len(got) != len(want) {
		t.Errorf("the lake has %d alerts, SQL says %d", len(got), len(want))
	}
}

// TestTheCommandOfAnAlertComputesItAgain, word for word, in another lake.
func TestTheCommandOfAnAlertComputesItAgain(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	mustRun(t, e, "generate", "weblog", "--days", "3", "--rate", "40/min", "--seed", "6", "--out", e.in("farm"))
	lake := e.in("lake")
	mustRun(t, e, weblogs(filepath.Join(e.in("farm"), "*.log"), lake, farmAlerts(t, e)...)...)
	columns := "alert_id, firing_since, changed_at, state, value, peak, breaches, reason, replay"
	for _, rule := range []string{"posts", "unusual"} {
		one := sql(t, lake, `SELECT `+columns+` FROM alerts WHERE rule = '`+rule+`' AND day(firing_since) = 4 ORDER BY firing_since LIMIT 1`)
		if len(one) != 1 {
			t.Fatalf("there is no alert of %s", rule)
		}
		command := one[0][len(one[0])-1]
		words, err := exec.CommandContext(t.Context(), "sh", "-c", `printf '%s\n' `+strings.TrimPrefix(command, "millrace ")).Output()
		if err != nil {
			t.Fatalf("%s: %v", command, err)
		}
		args := strings.Split(strings.TrimSpace(string(words)), "\n")
		args[slices.Index(args, "replayed")] = e.in("replayed-" + rule)
		mustRun(t, e, args...)
		again := sql(t, e.in("replayed-"+rule), `SELECT `+columns+` FROM alerts WHERE alert_id = '`+one[0][0]+`'`)
		if len(again) != 1 || strings.Join(again[0], "|") != strings.Join(one[0], "|") {
			t.Errorf("%s gives %v, want %v", command, again, one[0])
		}
	}
}
