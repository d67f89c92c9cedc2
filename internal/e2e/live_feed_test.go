package e2e

import (
	"path/filepath"
	"testing"

	"millrace/internal/testenv"
)

// realLogs are the real logs in the order of their times.
func realLogs(t testing.TB) []string {
	t.Helper()
	return []string{filepath.Join(accessLogs(t), "semicomplete_2015-05-17_18.log.gz"), filepath.Join(accessLogs(t), "hackers_a.log.gz")}
}

// feed puts the real logs into a stream, a part with each call.
type feed struct {
	server *testenv.KinesisServer
	stream string
	lines  int // put so far, or to be put
	rest   []testenv.KinesisRecord
}

func newFeed(t *testing.T, server *testenv.KinesisServer, stream string) *feed {
	t.Helper()
	lines := logLines(t, realLogs(t)...)
	server.CreateStream(t, stream, 4)
	return &feed{server, stream, len(lines), together(lines, 10)}
}

// some puts the next records, of ten lines each.
func (f *feed) some(t *testing.T, records int) {
	t.Helper()
	n := min(records, len(f.rest))
	f.server.Put(t, f.stream, f.rest[:n]...)
	f.rest = f.rest[n:]
}

// placed leaves out what sessions have of one of several requests in one second, which
// goes by where they lay.
const placed = `* EXCLUDE (entry_page, exit_page, source, medium, campaign, channel, first_source, first_medium, first_campaign, first_channel,
	last_source, last_medium, last_campaign, last_channel)`

// sameAsLogs compares a live lake with a run over its archive, in full, and with
// one over the logs that were put, but for what comes from where a line lay.
func sameAsLogs(t *testing.T, e env, lake string, f *feed) {
	t.Helper()
	sameAsArchive(t, e, lake, least(t, demoRows))
	mustRun(t, e, weblogs(filepath.Join(accessLogs(t), "*.gz"), lake+"-logs")...)
	outputs := least(t, demoRows)
	outputs["events"] = counted{outputs["events"].least, "* EXCLUDE (event_id, source, position, sequence)"}
	outputs["sessions"] = counted{outputs["sessions"].least, placed}
	same(t, lake, lake+"-logs", outputs)
	if l := accounts(t, lake); l.In != int64(f.lines) || l.Late != 0 {
		t.Errorf("%d lines were put, ledger %s", f.lines, l)
	}
}

// sameAsArchive compares outputs of a live lake with those of a run over its archive.
func sameAsArchive(t *testing.T, e env, lake string, outputs map[string]counted, settings ...string) {
	t.Helper()
	mustRun(t, e, weblogs(filepath.Join(lake, "raw"), lake+"-batch", settings...)...)
	same(t, lake, lake+"-batch", outputs)
}
