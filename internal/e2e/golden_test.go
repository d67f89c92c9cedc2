package e2e

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"millrace/internal/testenv"
)

// goldenCounts are what an independent program counted in a real log.
type goldenCounts struct {
	Parsed     int64            `json:"lines_parsed"`
	Rejected   int64            `json:"lines_rejected"`
	Visitors   int64            `json:"keys_host_useragent"`
	Sessions   int64            `json:"sessions_gap_1800s"`
	Single     int64            `json:"single_event_sessions"`
	Seconds    int64            `json:"sum_duration_s"`
	MostEvents int64            `json:"max_events_in_session"`
	Bytes      int64            `json:"bytes"`
	Status     map[string]int64 `json:"status"`
}

func TestRealLogsGiveTheCountsOfAnIndependentProgram(t *testing.T) {
	t.Parallel()
	var golden struct {
		Logs map[string]goldenCounts `json:"access_logs"`
	}
	readJSON(t, filepath.Join(testenv.Root(t), "testdata", "vectors", "golden_real.json"), &golden)
	for name, want := range golden.Logs {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := newEnv(t)
			mustRun(t, e, weblogs(filepath.Join(accessLogs(t), name+".log.gz"), e.in("lake"))...)
			var got []struct {
				goldenCounts
				Codes string `json:"codes"`
			}
			sqlInto(t, e.in("lake"), `SELECT
				(SELECT count(*) FROM events) AS lines_parsed, (SELECT count(*) FROM bad_rows) AS lines_rejected,
				(SELECT count(DISTINCT visitor_id) FROM events) AS keys_host_useragent,
				(SELECT count(*) FROM sessions) AS sessions_gap_1800s, (SELECT count(*) FROM sessions WHERE events = 1) AS single_event_sessions,
				(SELECT sum(duration_ms)::BIGINT // 1000 FROM sessions) AS sum_duration_s, (SELECT max(events) FROM sessions) AS max_events_in_session,
				(SELECT sum(bytes)::BIGINT FROM events) AS bytes,
				(SELECT string_agg(status || '=' || n, ' ' ORDER BY status) FROM (SELECT status, count(*) AS n FROM events GROUP BY status)) AS codes`, &got)
			have := got[0].goldenCounts
			have.Status = map[string]int64{}
			for pair := range strings.FieldsSeq(got[0].Codes) {
				code, n, _ := strings.Cut(pair, "=")
				have.Status[code] = number(t, n)
			}
			if diff := cmp.Diff(want, have); diff != "" {
				t.Errorf("-independent program +lake:\n%s", diff)
			}
		})
	}
}

func TestLedgerOfRealLogsBalances(t *testing.T) {
	t.Parallel()
	folders := map[string]string{"in the repository": accessLogs(t)}
	t.Run("beside the checkout", func(t *testing.T) {
		folders["beside"] = filepath.Join(testenv.Shared(t), "data", "access-logs")
	})
	for name, folder := range folders {
		t.Run(name, func(t *testing.T) {
			e := newEnv(t)
			mustRun(t, e, weblogs(filepath.Join(folder, "*.gz"), e.in("lake"))...)
			m := readManifest(t, e.in("lake"))
			if !m.Ledger.Balanced || !m.Ledger.Ledger.Balanced() || m.Ledger.In == 0 || m.Ledger.Events != m.Outputs["events"].Rows {
				t.Errorf("ledger %s, %d event rows", m.Ledger, m.Outputs["events"].Rows)
			}
		})
	}
}
