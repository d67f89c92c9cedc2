package e2e

import (
	"encoding/json"
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"millrace/internal/testenv"
	"millrace/transforms/alerts"
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

// watchedSinks are where a live run sends alerts as they change, and scores: a stream,
// which has each row, and indexes, which keep the last one.
type watchedSinks struct {
	stream *testenv.KinesisServer
	search *allSinks
	urls   []string
}

// sentAlerts and sentScores are what is compared of them.
var (
	sentAlerts = sent{"alerts", searchSink, "alert_id state reason value peak breaches version"}
	sentScores = sent{"anomalies", searchSink, "series series_key value score status version"}
)

const alertStream = "watched-alerts"

func newWatchedSinks(t *testing.T, server *testenv.KinesisServer) *watchedSinks {
	t.Helper()
	node := testenv.OpenSearch(t)
	server.CreateStream(t, alertStream, 2)
	index := "=opensearch://" + node.Addr + "/watched-"
	return &watchedSinks{server, &allSinks{search: node, prefix: "watched"}, []string{
		"alerts=kinesis://" + alertStream, "alerts" + index + "alerts-{day}", "anomalies" + index + "anomalies-{day}",
	}}
}

// outputs are the arguments of a run.
func (w *watchedSinks) outputs() (args []string) {
	for _, url := range w.urls {
		args = append(args, "--output", url)
	}
	return args
}

// haveThoseOf fails where sinks do not end up with a lake's scores and alerts, or where
// an alert is not first said to fire and then to be resolved. Where the stream ended,
// sinks alone heard of an absence, and that it was given up.
func (w *watchedSinks) haveThoseOf(t *testing.T, lake string) {
	t.Helper()
	w.search.equals(t, sentScores, lake, "live")

	type change struct {
		ID      string    `json:"alert_id"`
		Op      string    `json:"_op"`
		Version int64     `json:"version"`
		Sealed  bool      `json:"_sealed"`
		State   string    `json:"state"`
		Reason  string    `json:"reason"`
		Rule    string    `json:"rule"`
		Key     string    `json:"alert_key"`
		Since   time.Time `json:"firing_since"`
	}
	heard := map[string][]change{}
	for _, records := range w.stream.Records(t, alertStream) {
		for _, record := range records {
			var c change
			if err := json.Unmarshal(record.Data, &c); err != nil {
				t.Fatalf("%s: %v", record.Data, err)
			}
			heard[c.ID] = append(heard[c.ID], c)
		}
	}
	states := map[string]string{} // that the lake has of each alert last
	for _, row := range sql(t, lake, "SELECT alert_id, state || ' ' || reason || ' ' || version FROM alerts") {
		states[row[0]] = row[1]
	}
	resolved, givenUp := 0, 0
	for id, changes := range heard {
		for i, c := range changes {
			state, sealed := "firing", false
			if i > 0 {
				state, sealed = "resolved", c.Reason != "given_up"
			}
			if c.State != state || c.Version != int64(i+1) || c.Sealed != sealed || c.Op != "upsert" || id != alerts.ID(c.Rule, c.Key, c.Since.UnixMilli()) {
				t.Errorf("change %d of an alert is %+v", i+1, c)
			}
		}
		last := changes[len(changes)-1]
		if last.Reason == "given_up" {
			givenUp++
			if last.Rule != "silence" || states[id] != "" {
				t.Errorf("given up: %+v, the lake has %q", last, states[id])
			}
			continue
		}
		if len(changes) == 2 {
			resolved++
		}
		if said := fmt.Sprintf("%s %s %d", last.State, last.Reason, last.Version); said != states[id] {
			t.Errorf("alert %s is %q at last, in the lake %q", id, said, states[id])
		}
	}
	if len(heard)-givenUp != len(states) || resolved < 100 || givenUp != 1 {
		t.Errorf("%d alerts came, %d of them resolved and %d given up; the lake has %d", len(heard), resolved, givenUp, len(states))
	}

	var kept []string
	for _, row := range w.search.rows(t, sentAlerts) {
		if !strings.Contains(row, " resolved given_up ") {
			kept = append(kept, row)
		}
	}
	if diff := gocmp.Diff(sentAlerts.inLake(t, lake), kept); diff != "" {
		t.Errorf("%s, %d rows (-lake +sink):\n%s", sentAlerts, len(kept), cut(diff))
	}
}
