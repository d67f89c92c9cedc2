package main

import (
	"bytes"
	"io"
	"strings"
	"testing"
	"time"

	"millrace/internal/generate"
	"millrace/schemas/alert"
	"millrace/schemas/table"
)

// What the rules find in real logs was looked at by hand; docs/quality.md says what
// it is.
func TestFindingsInRealLogs(t *testing.T) {
	var out bytes.Buffer
	if err := evaluate(t.Context(), "../../testdata", &out, []string{"findings"}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"auth-log/auth_a.log.gz: 3560 lines, 0 bad.",
		"| brute-force | 6 | 1 | 2017-03-30 15:54 | 2017-03-30 15:54 | 147 |\n| login-after-brute-force | 6 | 1 | 2017-03-30 16:01 |",
		"| brute-force | 2 | 1 | 2017-03-29 14:15 | 2017-03-29 14:15 | 14 |",
		"hackers_a.log.gz: 1728 lines, 0 bad.", "| form-spam | 1 | 1 | 2015-10-26 08:54 |",
		"semicomplete_2015-05-17_18.log.gz: 4525 lines, 0 bad.", "| scanner | 4 | 1 | 2015-05-18 18:05 |",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is not in\n%s", want, &out)
		}
	}
	if n := strings.Count(out.String(), "\n| ") - 3; n != 14 {
		t.Errorf("%d findings, 14 were looked at:\n%s", n, &out)
	}
}

// Another seed than those of the report, one for each kind of log.
func TestRulesFindWhatTheGeneratorHides(t *testing.T) {
	l, truth, err := weblog(11)
	if err != nil {
		t.Fatal(err)
	}
	rows, err := l.watch()
	if err != nil {
		t.Fatal(err)
	}
	web := tallies{}
	web.compare(rows, truth.Attacks)
	made, attacks, err := generate.AuthLog(generate.AuthConfig{Seed: 11})
	if err != nil {
		t.Fatal(err)
	}
	var a logs
	for _, line := range made {
		a.auth([]byte(line.Text), made[len(made)-1].At.UnixMilli())
	}
	if rows, err = a.watch(); err != nil {
		t.Fatal(err)
	}
	auth := tallies{}
	auth.compare(rows, attacks)
	for kind, tally := range map[string]tallies{"web": web, "auth": auth} {
		for rule, n := range tally {
			if kind == "auth" && rule != "brute-force" && rule != "login-after-brute-force" {
				continue
			}
			if n.attacks == 0 || n.found != n.attacks {
				t.Errorf("%s, %s: %d of %d attacks found", kind, rule, n.found, n.attacks)
			}
			if n.attacker != n.alerts {
				t.Errorf("%s, %s: %d of %d alerts are of no attacker", kind, rule, n.alerts-n.attacker, n.alerts)
			}
		}
	}
	if l.bad == 0 || a.bad != 0 {
		t.Errorf("%d and %d bad lines", l.bad, a.bad)
	}
}

func TestAnAlertIsRightIfItsSourceAttackedSoAtThatTime(t *testing.T) {
	start := time.Date(2025, 3, 3, 12, 0, 0, 0, time.UTC)
	attacks := []generate.Attack{
		{Source: "45.0.0.1", Kind: "scanner", Start: start, End: start.Add(time.Minute)},
		{Source: "45.0.0.2", Kind: "scanner", Start: start, End: start.Add(time.Minute)},
	}
	fires := func(key string, minutes int) alert.Row {
		return alert.Row{Rule: "scanner", Input: "sources", Key: "source=" + key, State: alert.Firing, FiringSince: table.Millis(start.UnixMilli() + int64(minutes)*60_000)}
	}
	tally := tallies{}
	tally.compare([]alert.Row{fires("45.0.0.1", 2), fires("45.0.0.1", 90), fires("9.9.9.9", 0)}, attacks)
	n := tally["scanner"]
	if n.alerts != 3 || n.right != 1 || n.attacker != 1 || n.attacks != 2 || n.found != 1 || n.delays[0] != 180_000 {
		t.Errorf("%+v", n)
	}
}

func TestAnUnknownSectionIsRefusedWithTheNearestName(t *testing.T) {
	err := evaluate(t.Context(), "x", io.Discard, []string{"securty"})
	if err == nil || !strings.Contains(err.Error(), "did you mean security") {
		t.Errorf("error %v", err)
	}
}
