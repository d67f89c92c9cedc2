package e2e

import (
	"bytes"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"millrace/internal/testenv"
)

// kept is an output that goes to a sink, with the columns that tell its rows apart and
// some of the others.
type kept struct{ output, sink, key, values string }

func (k kept) sent() sent   { return sent{k.output, k.sink, k.key + " " + k.values + " version"} }
func (k kept) marked() sent { return sent{k.output, k.sink, k.key + " version"} }

const (
	aSession = "events page_views entry_page exit_page bounce duration_ms engaged bot truncated"
	aWindow  = "window_start window_seconds status_class"
)

// keptRows are sessions in each sink, and traffic, which several columns tell apart.
var keptRows = []kept{
	{"sessions", searchSink, "session_id", aSession},
	{"sessions", houseSink, "session_id", aSession},
	{"sessions", influxSink, "start_time session_id", aSession},
	{"sessions", timestreamSink, "start_time session_id", aSession},
	{"traffic", houseSink, aWindow, "views bytes"},
	{"traffic", influxSink, aWindow, "views bytes"},
	{"traffic", timestreamSink, aWindow, "views bytes"},
}

// TestACorrectedBackfillWinsInSinks: a log is mended, so that of its rows some are other
// ones, some are new and some are no more. Every sink has the rows of the lake then, and
// what is no more is there as withdrawn. A backfill that makes the same rows changes
// nothing but their revision.
func TestACorrectedBackfillWinsInSinks(t *testing.T) {
	kinesis, s3, e := testenv.Kinesis(t), testenv.S3(t), newEnv(t)
	log, lake := e.in("access.log"), e.in("lake")
	var all []sent
	for _, k := range keptRows {
		all = append(all, k.sent())
	}
	s := newSinks(t, "corrected", s3, straight, all)
	kinesis.CreateStream(t, "corrected", 1)
	s.urls["sessions"] = append(s.urls["sessions"], "kinesis://corrected")
	w := withdrawals{}
	backfill := func(when string, revision int64, content []byte, to string) allKept {
		t.Helper()
		writeFile(t, log, content)
		mustRun(t, e, weblogs(log, lake, append(s.outputs(), "--from", "2015-05-17", "--to", to, "--no-report")...)...)
		s.equal(t, lake, when)
		readersHaveSessions(t, kinesis, "corrected", lake)
		// InfluxDB's page: what is withdrawn counts nothing.
		sum := cell(s.influx.Query(t, "SELECT sum(views) FROM traffic")[0].Values[0][1])
		if d := gocmp.Diff(sql(t, lake, "SELECT sum(views) FROM traffic"), [][]string{{sum}}); d != "" {
			t.Errorf("%s: views of all points of InfluxDB (-lake +sink):\n%s", when, d)
		}
		return w.check(t, s, when, revision)
	}

	written := hours(gunzip(t, filepath.Join(accessLogs(t), "semicomplete_2015-05-17_18.log.gz")), "17/May/2015:15", "17/May/2015:16", "17/May/2015:17", "18/May/2015:08", "18/May/2015:09")
	mended := mend(written)
	first := backfill("first", 0, written, "2015-05-18")
	corrected := backfill("corrected", 1, mended, "2015-05-18")
	first.differ(t, corrected)
	corrected.again(t, "the same command", 1, backfill("the same command", 1, mended, "2015-05-18"))
	corrected.again(t, "another run", 2, backfill("another run", 2, mended, "2015-05-19"))
	first.again(t, "the first log", 3, backfill("the first log", 3, written, "2015-05-18"))
	views := kept{"traffic", influxSink, aWindow, "views bytes"}
	if late := backfill("a late line corrected", 4, mendLate(t, written), "2015-05-18"); maps.Equal(late[views], ofRevisions(t, first[views], 4)) {
		t.Error("a line corrected far from the beginning of a log of the same length made no difference")
	}
	if m := readManifest(t, lake); m.Outputs["refused"].Rows != 0 {
		t.Errorf("%d rows are refused", m.Outputs["refused"].Rows)
	}
}

// hours are what a log has of some hours.
func hours(log []byte, of ...string) (some []byte) {
	for line := range bytes.Lines(log) {
		if slices.ContainsFunc(of, func(hour string) bool { return bytes.Contains(line, []byte("["+hour+":")) }) {
			some = append(some, line...)
		}
	}
	return some
}

// mend takes the requests of an hour out of a log, has those of one browser fail, and puts
// those of an hour into the next one.
func mend(log []byte) (mended []byte) {
	for line := range bytes.Lines(log) {
		switch {
		case bytes.Contains(line, []byte("[17/May/2015:16:")):
			continue
		case bytes.Contains(line, []byte("Chrome/")):
			line = bytes.Replace(line, []byte(`" 200 `), []byte(`" 503 `), 1)
		}
		mended = append(mended, bytes.Replace(line, []byte("[18/May/2015:09:"), []byte("[18/May/2015:10:"), 1)...)
	}
	return mended
}

// mendLate has a request fail that is far from the beginning. The log is as long as before.
func mendLate(t *testing.T, log []byte) []byte {
	t.Helper()
	const ok, failed = `" 200 `, `" 503 `
	i := bytes.LastIndex(log, []byte(ok))
	if i < 128<<10 {
		t.Fatalf("the last request that is served is %d bytes from the beginning", i)
	}
	return slices.Concat(log[:i], []byte(failed), log[i+len(ok):])
}

// allKept are the rows that readers of sinks find, by their keys.
type allKept map[kept]map[string]string

// differ fails where a correction does not do all it can to rows.
func (a allKept) differ(t *testing.T, corrected allKept) {
	t.Helper()
	for k, rows := range a {
		gone, changed := 0, 0
		for key, row := range rows {
			now, there := corrected[k][key]
			if !there {
				gone++
			} else if now != ofRevision(t, row, 1) {
				changed++
			}
		}
		came := len(corrected[k]) - len(rows) + gone
		if gone == 0 || changed == 0 || came == 0 {
			t.Errorf("%s: of %d rows %d are no more and %d changed; %d are new", k.sent(), len(rows), gone, changed, came)
		}
	}
}

// again fails where rows are not the same but for their revision.
func (a allKept) again(t *testing.T, when string, revision int64, now allKept) {
	t.Helper()
	for k, rows := range a {
		if d := gocmp.Diff(ofRevisions(t, rows, revision), now[k]); d != "" {
			t.Errorf("%s: %s (-want +sink):\n%s", when, k.sent(), cut(d))
		}
	}
}

// withdrawals are what follows from the backfills so far.
type withdrawals struct {
	rows   allKept // that are there
	marked allKept // that are no more, as keys and versions
}

// check fails where a sink has other rows as withdrawn than those that were there once and
// are not now, of the revision that took them back. It gives the rows that are there.
func (w *withdrawals) check(t *testing.T, s *allSinks, when string, revision int64) allKept {
	t.Helper()
	now := allKept{}
	if w.marked == nil {
		w.marked = allKept{}
	}
	for _, k := range keptRows {
		now[k] = map[string]string{}
		if w.marked[k] == nil {
			w.marked[k] = map[string]string{}
		}
		for _, row := range s.rows(t, k.sent()) {
			key := strings.Join(strings.Fields(row)[:len(strings.Fields(k.key))], " ")
			now[k][key] = row
			delete(w.marked[k], key)
		}
		for key, row := range w.rows[k] {
			if _, there := now[k][key]; !there {
				row = ofRevision(t, row, revision)
				w.marked[k][key] = key + row[strings.LastIndexByte(row, ' '):]
			}
		}
		want := slices.Sorted(maps.Values(w.marked[k]))
		if d := gocmp.Diff(want, s.withdrawn(t, k.marked())); d != "" {
			t.Errorf("%s: %s, withdrawn (-want +sink):\n%s", when, k.sent(), cut(d))
		}
	}
	w.rows = now
	return now
}

// ofRevisions are rows by their keys, as of another revision.
func ofRevisions(t *testing.T, rows map[string]string, revision int64) map[string]string {
	t.Helper()
	as := map[string]string{}
	for key, row := range rows {
		as[key] = ofRevision(t, row, revision)
	}
	return as
}

// ofRevision is a row, which ends with its version, as of another revision.
func ofRevision(t *testing.T, row string, revision int64) string {
	t.Helper()
	i := strings.LastIndexByte(row, ' ') + 1
	return row[:i] + strconv.FormatInt(revision<<32|number(t, row[i:])&(1<<32-1), 10)
}
