package run

import (
	"strings"
	"testing"

	"millrace/internal/settings"
	"millrace/jobs/weblogs"
	"millrace/transforms/alerts"
)

const alertsYAML = `alerts:
  - name: errors
    input: traffic
    where: {status_class: 5xx, window_seconds: 60}
    field: views
    above: 50
  - name: unusual
    input: anomalies
    field: score
    by: [series, series_key]
    above: 0.46
`

func someAlerts(t *testing.T) []alerts.Rule {
	t.Helper()
	rules, err := ReadAlerts([]byte(alertsYAML), "a.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return rules
}

func TestRulesOfAlertsAreReadFromEitherFile(t *testing.T) {
	if rules := someAlerts(t); len(rules) != 2 || rules[1].At != "a.yaml:7" {
		t.Errorf("under their key: %+v", rules)
	}
	for _, text := range []string{strings.TrimPrefix(alertsYAML, "alerts:\n"), strings.Replace(alertsYAML, "alerts:", "rules:", 1), "job: weblogs\n" + alertsYAML} {
		if rules, err := ReadAlerts([]byte(text), "a.yaml"); err != nil || len(rules) != 2 {
			t.Errorf("%v, %d rules of %s", err, len(rules), text)
		}
	}
	o, err := Merge(liveOptions(), []byte("raw: plain\n"+alertsYAML), "jobs.yaml")
	if err != nil || len(o.Alerts) != 2 || o.Alerts[0].At != "jobs.yaml:3" || o.AlertsFile != "jobs.yaml" {
		t.Errorf("in a configuration: %v, %+v", err, o)
	}
	with := liveOptions()
	with.Alerts = []alerts.Rule{{Name: "of the flag"}}
	if o, err = Merge(with, []byte(alertsYAML), "jobs.yaml"); err != nil || o.Alerts[0].Name != "of the flag" {
		t.Errorf("the flag does not win: %v, %+v", err, o.Alerts)
	}
}

func TestFaultsOfAlertsNameTheirPlace(t *testing.T) {
	for text, want := range map[string]string{
		"":                            "a.yaml: the file is empty; write alerts as docs/alerts.md has them",
		"alert: []":                   "a.yaml:1: unknown key alert, did you mean alerts? (there are alerts, rules); a file of --alerts has nothing else, other keys go to that of --config",
		"job: weblogs":                "a.yaml: there is no key alerts",
		"alerts: yes":                 "a.yaml:1: rules of alerts are a list: each rule begins with a dash",
		"- {name: a, above: 1, b: 2}": "a.yaml:1: unknown key b",
	} {
		if _, err := ReadAlerts([]byte(text), "a.yaml"); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
	o := liveOptions()
	o.Outputs.Add("anomalies", "kinesis://anomalies")
	o.Alerts = someAlerts(t)
	o.Alerts[0].Field = "view"
	_, err := check(o)
	for _, want := range []string{
		"a.yaml:2: rule errors, field: traffic has no column view, did you mean views?",
		"a.yaml:7: rule unusual, input: there is no anomalies to watch",
		"--output: there are no scores; set anomalies: true, and so no output anomalies",
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q is missing in %v", want, err)
		}
	}
}

// TestTheExampleOfAlertsIsAccepted as the job's own text says it is given.
func TestTheExampleOfAlertsIsAccepted(t *testing.T) {
	rules, err := ReadAlerts([]byte(weblogs.AlertsExample), "alerts.yaml")
	if err != nil {
		t.Fatal(err)
	}
	o := liveOptions()
	o.Alerts, o.Values = rules, []settings.Value{{Name: "anomalies", Text: "true"}}
	if _, err := check(o); err != nil {
		t.Error(err)
	}
}

func TestACommandComputesAlertsAgain(t *testing.T) {
	o := liveOptions()
	o.AlertsFile = "my jobs.yaml"
	o.Alerts = someAlerts(t)
	o.Values = []settings.Value{{Name: "top_pages", Text: "3", Where: "my jobs.yaml:7"}, {Name: "anomalies", Text: "true"}}
	r, err := check(o)
	if err != nil {
		t.Fatal(err)
	}
	want := `millrace run weblogs --source lake/raw --lake replayed --mask-key file:///key --set top_pages=3 --set anomalies=true --alerts 'my jobs.yaml'`
	if got := r.replay("lake/raw"); got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
	if got := quoted("it's"); got != `'it'\''s'` {
		t.Errorf("quoted as %s", got)
	}
}

// TestRulesOfTheSettingSecurity hold beside those of the user, who replaces one by one
// of the same name.
func TestRulesOfTheSettingSecurity(t *testing.T) {
	o := liveOptions()
	o.Alerts = someAlerts(t)[:1]
	own := o.Alerts[0]
	own.Name, own.Input, own.Field, own.Where, own.By = "scanner", "sources", "scanner", nil, []string{"source"}
	o.Alerts = append(o.Alerts, own)
	o.Values = []settings.Value{{Name: "security", Text: "true"}}
	r, err := check(o)
	if err != nil {
		t.Fatal(err)
	}
	count := map[string]int{}
	rules := *r.job.Alerts(r.settings)
	for _, rule := range rules {
		count[rule.Name]++
		if rule.Name == "scanner" && *rule.Above != 50 {
			t.Errorf("the rule of the user gave way to %+v", rule)
		}
	}
	if count["scanner"] != 1 || count["errors"] != 1 || count["server-error-burst"] != 1 || count["brute-force"] != 1 {
		t.Errorf("rules %v", count)
	}
	o.Values = nil
	if _, err := check(o); err == nil || !strings.Contains(err.Error(), "there is no sources to watch") {
		t.Errorf("a rule over sources that are not counted: %v", err)
	}
}
