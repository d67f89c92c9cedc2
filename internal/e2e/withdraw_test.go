package e2e

import (
	"encoding/json"
	"path/filepath"
	"slices"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"millrace/internal/testenv"
)

// TestACorrectedBackfillWinsInSinks: sessions that another gap makes are elsewhere; the
// index then has the new ones, and of the old ones none that readers see.
func TestACorrectedBackfillWinsInSinks(t *testing.T) {
	node, e := testenv.OpenSearch(t), newEnv(t)
	source, lake := filepath.Join(accessLogs(t), "semicomplete_2015-05-17_18.log.gz"), e.in("lake")
	seen := func() (ids []string) {
		for _, hit := range node.Search(t, "corrected", nil) {
			var s struct {
				ID      string `json:"session_id"`
				Version int64
			}
			if err := json.Unmarshal(hit.Source, &s); err != nil {
				t.Fatal(err)
			}
			ids = append(ids, s.ID)
		}
		slices.Sort(ids)
		return ids
	}
	inLake := func() (ids []string) {
		for _, r := range sql(t, lake, "SELECT session_id FROM sessions ORDER BY 1") {
			ids = append(ids, r[0])
		}
		return ids
	}
	run := func(more ...string) {
		t.Helper()
		mustRun(t, e, weblogs(source, lake, append(more, "--from", "2015-05-17", "--to", "2015-05-18", "--no-report",
			"--output", "sessions=opensearch://"+node.Addr+"/corrected-{day}")...)...)
		if d := gocmp.Diff(inLake(), seen()); d != "" {
			t.Errorf("%q (-lake +index):\n%s", more, cut(d))
		}
	}
	run()
	short := seen()
	run("--set", "sessions.gap=3h")
	if long := seen(); len(long) == 0 || len(long) >= len(short) {
		t.Errorf("%d sessions with a gap of three hours, %d with one of 30 minutes", len(long), len(short))
	}
	run() // and back: what had been withdrawn is seen again
	if d := gocmp.Diff(short, seen()); d != "" {
		t.Errorf("with the first gap again (-before +now):\n%s", cut(d))
	}
}
