package e2e

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	farms "millrace/internal/generate"
	"millrace/internal/testenv"
)

func authlogs(source, lake, until string, more ...string) []string {
	return append([]string{"run", "authlogs", "--source", source, "--lake", lake, "--format", "syslog until=" + until, "--mask-key", "env://MASK_KEY"}, more...)
}

// TestALogOfSSHDIsCountedAsByHand runs a real log of a host that was attacked. The
// counts of lines were taken with grep, the alerts are those that were looked at one by
// one (docs/quality.md).
func TestALogOfSSHDIsCountedAsByHand(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	source := filepath.Join(testenv.Root(t), "testdata", "auth-log", "auth_a.log.gz")
	if r := run(t, e, "run", "authlogs", "--source", source, "--lake", e.in("none"), "--mask-key", "env://MASK_KEY"); r.code != 2 || !strings.Contains(r.stderr, "until=") {
		t.Errorf("without a year it ends with %d: %s", r.code, r.stderr)
	}
	lake := e.in("lake")
	mustRun(t, e, authlogs(source, lake, "2017-12-31", "--raw", "sealed")...)
	m := readManifest(t, lake)
	if !m.Ledger.Balanced || m.Ledger.Events != 3560 || m.Ledger.Bad != 0 {
		t.Errorf("the ledger %+v", m.Ledger)
	}
	counts := [][]string{{"accepted", "success", "166"}, {"failed", "failure", "200"}, {"invalid_user", "failure", "90"}, {"no_ident", "unknown", "11"}, {"too_many", "failure", "65"}}
	if diff := cmp.Diff(counts, sql(t, lake, "SELECT action, outcome, count(*) FROM events WHERE action NOT IN ('other', 'closed') GROUP BY ALL ORDER BY 1;")); diff != "" {
		t.Errorf("events (-by grep +in the lake):\n%s", diff)
	}
	for query, want := range map[string]string{
		"SELECT count(*) FROM events WHERE year(event_time AT TIME ZONE 'UTC') <> 2017":                                                            "0",
		"SELECT count(*) FROM events WHERE action IN ('accepted', 'failed') AND (client_id IS NULL OR \"user\" IS NULL OR method IS NULL)":         "0",
		"SELECT (SELECT sum(auth_failed) FROM sources) = (SELECT sum(times) FROM events WHERE action IN ('failed', 'invalid_user'))":               "true",
		"SELECT (SELECT sum(logins) FROM sources) = (SELECT sum(times) FROM events WHERE action = 'accepted')":                                     "true",
		"SELECT count(*) FROM sources WHERE source NOT IN (SELECT client_id FROM events WHERE client_id IS NOT NULL)":                              "0",
		"SELECT count(*) FROM alerts WHERE rule = 'brute-force'":                                                                                   "9",
		"SELECT strftime(firing_since AT TIME ZONE 'UTC', '%Y-%m-%d %H:%M') FROM alerts WHERE rule = 'login-after-brute-force'":                    "2017-03-30 16:01",
		"SELECT max(peak) FROM alerts WHERE rule = 'brute-force'":                                                                                  "147.0",
		"SELECT count(DISTINCT client_ip) > 10 AND bool_and(client_ip LIKE '%.0' OR client_ip LIKE '%::') FROM events WHERE client_ip IS NOT NULL": "true",
	} {
		if rows := sql(t, lake, query+";"); len(rows) != 1 || rows[0][0] != want {
			t.Errorf("%s gives %v, not %s", query, rows, want)
		}
	}
	again := e.in("again")
	mustRun(t, e, "run", "authlogs", "--source", filepath.Join(lake, "raw"), "--lake", again, "--mask-key", "env://MASK_KEY")
	for _, query := range []string{
		"SELECT count(*), sum(hash(event_id)), sum(hash(client_id)), sum(hash(event_time)) FROM events;",
		"SELECT count(*), sum(hash(COLUMNS(* EXCLUDE (version)))) FROM sources;",
		"SELECT count(*), sum(hash(alert_id)) FROM alerts;",
	} {
		if diff := cmp.Diff(sql(t, lake, query), sql(t, again, query)); diff != "" {
			t.Errorf("%s of the archive (-first +again):\n%s", query, diff)
		}
	}
}

// TestGuessersOfAGeneratedLogAreFound: each, and nobody else.
func TestGuessersOfAGeneratedLogAreFound(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	mustRun(t, e, "generate", "authlog", "--out", e.in("host"), "--seed", "4", "--gzip")
	var truth farms.AuthTruth
	readJSON(t, e.in("host", "truth.json"), &truth)
	lake := e.in("lake")
	mustRun(t, e, authlogs(e.in("host", "auth.log.gz"), lake, truth.Until)...)
	if m := readManifest(t, lake); !m.Ledger.Balanced || m.Ledger.Events != truth.Lines {
		t.Errorf("the ledger %+v; the truth has %d lines", m.Ledger, truth.Lines)
	}
	succeeded := 0
	want := map[string]bool{} // first minute of an attack
	for _, a := range truth.Attacks {
		if a.Succeeded {
			succeeded++
		}
		want[a.Source[:strings.LastIndex(a.Source, ".")]+".0"] = true
	}
	var found []struct {
		Rule     string
		ClientIP string `json:"client_ip"`
	}
	sqlInto(t, lake, "SELECT DISTINCT rule, client_ip FROM alerts JOIN sources ON alert_key = 'source=' || source;", &found)
	got, logins := map[string]bool{}, 0
	for _, f := range found {
		if f.Rule == "brute-force" {
			got[f.ClientIP] = true
		} else {
			logins++
		}
	}
	if diff := cmp.Diff(want, got); diff != "" || logins != succeeded {
		t.Errorf("%d logins after guesses, the truth has %d; networks (-truth +found):\n%s", logins, succeeded, diff)
	}
	if last := sql(t, lake, "SELECT strftime(max(event_time) AT TIME ZONE 'UTC', '%Y-%m-%dT%H:%M:%SZ') FROM events;"); last[0][0] != truth.Last.Format(time.RFC3339) {
		t.Errorf("the last line is of %s, not %s", last[0][0], truth.Last)
	}
}
