package report

import (
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/google/go-cmp/cmp"

	"millrace/internal/testenv"
)

type alertRow struct {
	Rule        string   `parquet:"rule,dict"`
	Key         string   `parquet:"alert_key"`
	Severity    string   `parquet:"severity,dict"`
	State       string   `parquet:"state,dict"`
	FiringSince int64    `parquet:"firing_since,timestamp(millisecond)"`
	ChangedAt   int64    `parquet:"changed_at,timestamp(millisecond)"`
	AlertID     string   `parquet:"alert_id"`
	Peak        *float64 `parquet:"peak,optional"`
	Condition   string   `parquet:"condition"`
	Replay      string   `parquet:"replay"`
}

type scoreRow struct {
	WindowStart   int64    `parquet:"window_start,timestamp(millisecond)"`
	WindowSeconds int32    `parquet:"window_seconds"`
	Series        string   `parquet:"series,dict"`
	SeriesKey     string   `parquet:"series_key,dict"`
	Value         float64  `parquet:"value"`
	Score         *float64 `parquet:"score,optional"`
	ExpectedLow   *float64 `parquet:"expected_low,optional"`
	ExpectedHigh  *float64 `parquet:"expected_high,optional"`
	Explanation   string   `parquet:"explanation"`
}

type sourceRow struct {
	WindowStart int64   `parquet:"window_start,timestamp(millisecond)"`
	Source      string  `parquet:"source,dict"`
	ClientIP    *string `parquet:"client_ip,optional"`
	Sources     int64   `parquet:"sources"`
	Scanner     int64   `parquet:"scanner"`
	Leaks       int64   `parquet:"leaks"`
	Injection   int64   `parquet:"injection"`
	Traversal   int64   `parquet:"traversal"`
	BadAgent    int64   `parquet:"bad_agent"`
	AuthFailed  int64   `parquet:"auth_failed"`
	Logins      int64   `parquet:"logins"`
	FormPosts   int64   `parquet:"form_posts"`
	LargeBytes  int64   `parquet:"large_bytes"`
}

// watch gives a lake alerts, scores of its traffic and sources of attacks, hostile
// texts among them.
func (l *lake) watch() {
	minutes := map[int64]float64{}
	for _, t := range l.traffic {
		if t.WindowSeconds == 60 {
			minutes[t.WindowStart] += float64(t.Views)
		}
	}
	first, last := l.firstTime()/60_000*60_000, l.events[len(l.events)-1].EventTime
	i := 0
	for at := first; at <= last; at += 60_000 {
		i++
		zero, low, high := 0.0, 0.6*minutes[at], 1.5*minutes[at]+2
		r := scoreRow{WindowStart: at, WindowSeconds: 60, Series: requestSeries, Value: minutes[at]}
		if i > 150 {
			r.Score, r.ExpectedLow, r.ExpectedHigh = &zero, &low, &high
		}
		if i%700 == 699 {
			score := 0.46 + float64(i%5)/10
			r.Score, r.Explanation = &score, "level 0.90"
			page := r
			page.Series, page.SeriesKey, page.ExpectedLow = "top_pages", "path="+hostile[1], nil
			l.scores = append(l.scores, page)
		}
		l.scores = append(l.scores, r)
	}
	span := last - first
	for i := range 90 {
		peak := float64(i) * 1.25
		r := alertRow{
			Rule: []string{"scanner", "injection", "server-error-burst"}[i%3], Severity: []string{"info", "warning", "critical"}[i%3], State: "resolved",
			Key: fmt.Sprintf("source=tok_ip_k1_%032d", i%40), FiringSince: first + int64(i)*span/90, Peak: &peak, Condition: "sum of scanner within 1h above 1",
			Replay: "millrace run weblogs --source 'file:///var/log/nginx/access.log*' --lake replayed --from 2025-08-15 --to 2025-08-15",
		}
		r.ChangedAt = r.FiringSince + int64(i%7)*900_000
		if i%30 == 29 {
			r.State, r.Key, r.Peak = "firing", hostile[i%len(hostile)], nil
		}
		r.AlertID = fmt.Sprintf("%032d", i)
		if begun := r; r.State != "firing" && i%5 > 0 { // a row of when it began; older lakes have none
			begun.State, begun.ChangedAt = "firing", r.FiringSince
			l.alerts = append(l.alerts, begun)
		}
		l.alerts = append(l.alerts, r)
	}
	network := "203.0.113.0"
	for i := range 400 {
		r := sourceRow{WindowStart: first + int64(i)*span/400/60_000*60_000, Source: fmt.Sprintf("tok_ip_k1_%032d", i%40), ClientIP: &network, Sources: 1}
		*[]*int64{&r.Scanner, &r.Injection, &r.Logins, &r.LargeBytes, &r.AuthFailed, &r.Leaks}[i%6] = int64(1 + i%13)
		if i == 399 {
			r.Source, r.ClientIP, r.Sources = "(others 1 of 2)", nil, 4_711
		}
		l.sources = append(l.sources, r)
	}
}

// TestAlertsAndSourcesShowWhatTheLakeCounts in a browser, on a screen and on a phone.
func TestAlertsAndSourcesShowWhatTheLakeCounts(t *testing.T) {
	l := farm(5, 2_000, 3)
	l.watch()
	root := t.TempDir()
	d := collectedIn(t, l, root)
	want := map[string]string{}
	for _, row := range testenv.DuckDB(t, strings.ReplaceAll(`
		create table alerts as select * from read_parquet('LAKE/alerts/*/*/*/*.parquet') qualify row_number() over (partition by alert_id order by state desc) = 1;
		create table sources as select source, sum(scanner + leaks + injection + traversal + bad_agent + auth_failed) as signs from read_parquet('LAKE/sources/*/*/*/*.parquet') group by source;
		select 'alerts.total', count(*) from alerts
		union all select 'alerts.open', count(*) from alerts where state <> 'resolved'
		union all select 'alerts.' || severity, count(*) from alerts group by severity
		union all select 'alerts.rule.' || rule, count(*) from alerts group by rule
		union all select 'sources.sources', count(*) from sources where signs > 0`, "LAKE", root)) {
		want[row[0]] = row[1]
	}
	if len(want) != 9 {
		t.Fatalf("SQL gives %d figures", len(want))
	}
	page := written(t, d)
	for name, l := range looks {
		b := open(t, page, l)
		shown := ask(t, b, chromedp.Evaluate[map[string]string](`Object.fromEntries([...document.querySelectorAll("#alerts [data-figure], #sources [data-figure]")].map((e) => [e.dataset.figure, e.dataset.value]))`))
		if diff := cmp.Diff(want, shown); diff != "" {
			t.Errorf("%s (-SQL +page):\n%s", name, diff)
		}
		rows := ask(t, b, chromedp.Evaluate[[]int](`[document.querySelectorAll("#alerts tbody tr").length, document.querySelectorAll("#sources tbody tr").length]`))
		if diff := cmp.Diff([]int{mostAlerts, topSources}, rows); diff != "" {
			t.Errorf("%s: rows (-want +got):\n%s", name, diff)
		}
		if wide := ask(t, b, chromedp.Evaluate[int](`document.documentElement.scrollWidth - document.documentElement.clientWidth`)); wide > 0 {
			t.Errorf("%s: the page is %d pixels too wide", name, wide)
		}
		quiet(t, b)
	}
	if strings.Contains(string(page), "<img src=x") {
		t.Error("the key of an alert became markup")
	}
}

// TestTheTrafficChartMarksWhatIsUnusual: lanes of alerts, diamonds and a range, and
// none of it without.
func TestTheTrafficChartMarksWhatIsUnusual(t *testing.T) {
	series := `Object.fromEntries(live.traffic.getOption().series.map((s) => [s.id, s.data.filter((p) => p[1] !== null).length]))`
	l := farm(5, 20_000, 2)
	b := open(t, written(t, collected(t, l)), looks["desktop-light"])
	for id := range ask(t, b, chromedp.Evaluate[map[string]int](series)) {
		if strings.HasPrefix(id, "alerts") || id == "low" || strings.HasPrefix(id, "anomalies") {
			t.Errorf("a lake without alerts and scores has %s on its chart", id)
		}
	}
	l.watch()
	d := collected(t, l)
	b = open(t, written(t, d), looks["desktop-light"])
	shown := ask(t, b, chromedp.Evaluate[map[string]int](series))
	if shown["alerts-critical"] == 0 || shown["alerts-warning"] == 0 || shown["alerts-info"] == 0 {
		t.Errorf("points: %v", shown)
	}
	if shown["anomalies-all"] == 0 || shown["low"] < 50 || shown["low"] != shown["high"] {
		t.Errorf("points: %v", shown)
	}
	// A range belongs around what was counted, as these rows say.
	inside := ask(t, b, chromedp.Evaluate[bool](`(() => {
		const s = Object.fromEntries(live.traffic.getOption().series.map((s) => [s.id, s.data]));
		const classes = ["1xx", "2xx", "3xx", "4xx", "5xx", "other"].filter((name) => s[name]);
		return s.low.every(([x, low], i) => low === null || (low <= classes.reduce((n, name) => n + s[name][i][1], 0) && classes.reduce((n, name) => n + s[name][i][1], 0) <= low + s.high[i][1]));
	})()`))
	if !inside {
		t.Error("what was counted lies outside of a range that was made around it")
	}
	quiet(t, b)
}

func TestAlertsAreOnThePageOnlyWhenThereAreSome(t *testing.T) {
	l := farm(5, 500, 1)
	if page := string(written(t, collected(t, l))); strings.Contains(page, `id="alerts"`) || strings.Contains(page, `id="sources"`) || strings.Contains(page, "critical alert") {
		t.Error("a lake without alerts has a section of them")
	}
}

// TestTheDigestKeepsTheWorst, the earliest of these first, whatever the order of rows.
func TestTheDigestKeepsTheWorst(t *testing.T) {
	l := farm(5, 500, 1)
	for i := range 500 {
		l.alerts = append(l.alerts, alertRow{AlertID: fmt.Sprint("a", i), Rule: "r", Key: fmt.Sprint(i), Severity: severities[2-i%7%2], State: "firing", FiringSince: l.firstTime() + int64((i*7919)%500)})
	}
	l.alerts = append(l.alerts, alertRow{AlertID: "w", Rule: "worst", Severity: "critical", State: "resolved", FiringSince: l.firstTime() + 1000})
	d := collected(t, l)
	if d.Alerts.Rows[0].Rule != "worst" || len(d.Alerts.Rows) != mostAlerts || d.Alerts.More() != 501-mostAlerts || d.Alerts.Rules[0].Rule != "worst" {
		t.Errorf("%+v", d.Alerts.Rows[0])
	}
	for i, a := range d.Alerts.Rows[1:] {
		if a.Severity != "warning" || i > 0 && a.Since < d.Alerts.Rows[i].Since {
			t.Errorf("row %d: %+v", i+1, a)
		}
	}
}
