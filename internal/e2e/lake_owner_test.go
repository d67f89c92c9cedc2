package e2e

import (
	"path/filepath"
	"strings"
	"testing"

	"millrace/internal/testenv"
)

// TestALakeIsOfOneJob: outputs of another have the same names and would take the place of its own.
func TestALakeIsOfOneJob(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	lake, readings := e.in("lake"), filepath.Join(testenv.Root(t), "testdata", "devices", "observations.ndjson")
	devices := func(lake string) []string {
		return []string{"run", "devices", "--source", readings, "--lake", lake, "--mask-key", "env://MASK_KEY", "--no-report"}
	}
	mustRun(t, e, devices(lake)...)
	for _, more := range [][]string{nil, {"--from", "2015-05-17", "--to", "2015-05-17"}} {
		refused(t, lake, func() result { return run(t, e, weblogs(accessLogs(t), lake, more...)...) }, 2, lake, "job devices", "weblogs", "a lake of its own")
	}
	mustRun(t, e, devices(lake)...)

	begun := e.in("begun")
	writeFile(t, filepath.Join(begun, "_live", "weblogs-live-bb18c45afa96", "begun.json"), []byte("{}"))
	refused(t, begun, func() result { return run(t, e, devices(begun)...) }, 2, "job weblogs", "a lake of its own")
}

// TestRecordsWithoutATimeAreReplacedOnRequest: they are filed under 1970, and another input of such
// records is refused until the day is named or both are read.
func TestRecordsWithoutATimeAreReplacedOnRequest(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	lake, first, second := e.in("lake"), e.in("first.log"), e.in("second.log")
	writeFile(t, first, []byte("no log at all\nneither\n"))
	writeFile(t, second, []byte("another one\n"))
	if r := mustRun(t, e, weblogs(first, lake, "--no-report")...); !strings.Contains(r.stdout, "more than half of it are bad rows") {
		t.Errorf("nothing is said of an input that is none:\n%s", r.stdout)
	}
	refused(t, lake, func() result { return run(t, e, weblogs(second, lake, "--no-report")...) }, 1, "1970-01-01 of bad_rows", "without a time", "--source all inputs")
	refused(t, lake, func() result {
		return run(t, e, weblogs(second, lake, "--no-report", "--from", "1970-01-01", "--to", "1970-01-01")...)
	}, 2, "--to 1970-01-01", "after 1970-01-01")
	mustRun(t, e, weblogs(second, lake, "--no-report", "--from", "1970-01-01", "--to", "1970-01-02")...)
	if m := readManifest(t, lake); m.Ledger.Bad != 1 || m.Ledger.Skipped != 0 {
		t.Errorf("ledger %s", m.Ledger)
	}
	mustRun(t, e, weblogs(e.in("*.log"), lake, "--no-report")...)
	if m := readManifest(t, lake); m.Ledger.Bad != 3 {
		t.Errorf("ledger %s", m.Ledger)
	}
	if r := mustRun(t, e, weblogs(accessLogs(t), e.in("other"), "--no-report", "--from", "1999-01-01", "--to", "1999-01-02")...); !strings.Contains(r.stdout, "nothing of it lies in the days") {
		t.Errorf("nothing is said of days without records:\n%s", r.stdout)
	}
}
