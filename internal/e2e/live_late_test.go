package e2e

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"millrace/internal/testenv"
)

// stray is a log with lines behind the bound of disorder. Paths are unique.
type stray struct {
	lines [][]byte
	kept  [][]byte         // those that are events and not late
	late  map[string]int64 // paths of those that are, and by how many milliseconds
	odd   int              // lines that are no events
}

// strays makes a log over 30 hours and says which lines are late when they are
// read in order: those that lie more than disorder and lateness before the latest
// line before them. Two lines far ahead of the others do not count as that.
func strays(lines int, disorder, lateness time.Duration) stray {
	r := rand.New(rand.NewPCG(7, 1))
	s := stray{late: map[string]int64{}}
	clock := time.Date(2026, 2, 10, 9, 0, 0, 0, time.UTC)
	var latest time.Time
	for i := range lines {
		clock = clock.Add(time.Duration(r.IntN(61)) * time.Second)
		at := clock
		if r.IntN(10) == 0 {
			at = at.Add(-time.Duration(r.IntN(20*60)) * time.Second)
		}
		ahead, odd := false, false
		switch i {
		case lines / 3:
			at, ahead, odd = at.AddDate(20, 0, 0), true, true // later than it arrives
			s.odd++
		case lines / 2:
			at, ahead = at.Add(5*time.Hour), true
		}
		path := fmt.Sprintf("/page/%d", i)
		line := fmt.Appendf(nil, "192.0.2.%d - - [%s] \"GET %s HTTP/1.1\" 200 %d \"-\" \"Mozilla/5.0 (X11; Linux x86_64; rv:115.0) Gecko/20100101 Firefox/115.0\"",
			r.IntN(60), at.Format("02/Jan/2006:15:04:05 -0700"), path, r.IntN(5000))
		s.lines = append(s.lines, line)
		switch bound := latest.Add(-disorder - lateness); {
		case odd:
		case !latest.IsZero() && at.Before(bound):
			s.late[path] = bound.Sub(at).Milliseconds()
		default:
			s.kept = append(s.kept, line)
		}
		if !ahead && at.After(latest) {
			latest = at
		}
	}
	return s
}

func TestLateEventsAreListedAndABackfillRepairsTheirWindows(t *testing.T) {
	server := testenv.Kinesis(t)
	e := newEnv(t)
	s := strays(3600, 5*time.Minute, time.Minute)
	if len(s.late) < 100 || len(s.late) > 400 {
		t.Fatalf("%d of %d lines are late", len(s.late), len(s.lines))
	}
	server.CreateStream(t, "web", 1)
	server.Put(t, "web", together(s.lines, 10)...)
	lake, funnels := e.in("lake"), e.in("funnels.yaml")
	writeFile(t, funnels, []byte(`
- name: pages
  steps:
    - {name: ones, where: path.startsWith("/page/1")}
    - {name: twos, where: path.startsWith("/page/2")}
    - {name: threes, where: path.startsWith("/page/3")}
  within: 8h
`))
	mustRun(t, e, live("web", everything, lake, "--raw", "plain", "--max-disorder", "5m", "--allowed-lateness", "1m", "--funnels", funnels)...)

	l := accounts(t, lake)
	if l.In != int64(len(s.lines)) || l.Late != int64(len(s.late)) || l.Bad != int64(s.odd) {
		t.Errorf("%d lines were put, of which %d are late and %d bad; ledger %s", len(s.lines), len(s.late), s.odd, l)
	}
	if diff := gocmp.Diff(s.late, counts(t, sql(t, lake, "SELECT path, delay_ms FROM late JOIN events USING (event_id, event_time, source, position)"))); diff != "" {
		t.Errorf("late events and milliseconds, -put +lake:\n%s", cut(diff))
	}
	if r := sql(t, lake, "SELECT count(*), count(DISTINCT event_id), count(*) FILTER (late <> (event_id IN (SELECT event_id FROM late))) FROM events")[0]; r[0] != fmt.Sprint(len(s.lines)-s.odd) || r[1] != r[0] || r[2] != "0" {
		t.Errorf("%s events, %s of them distinct, %s with a mark that late does not bear out", r[0], r[1], r[2])
	}

	t.Run("windows are without them", func(t *testing.T) {
		var log []byte
		for _, line := range s.kept {
			log = append(append(log, line...), '\n')
		}
		writeFile(t, e.in("kept.log"), log)
		mustRun(t, e, weblogs(e.in("kept.log"), e.in("kept"), "--funnels", funnels)...)
		windows := least(t, "sessions 200, traffic 1000, top_pages 200, visitors 2, funnels 60, funnel_steps 3")
		for _, perRecord := range []string{"events", "bad_rows", "late"} {
			delete(windows, perRecord)
		}
		same(t, lake, e.in("kept"), windows)
	})

	t.Run("a backfill puts them in", func(t *testing.T) {
		mustRun(t, e, weblogs(e.in("lake", "raw"), e.in("whole"), "--funnels", funnels)...)
		outputs := least(t, "events 3500, sessions 200, traffic 1000, top_pages 200, visitors 2, bad_rows 1, funnels 60, funnel_steps 3")
		delete(outputs, "late")
		outputs["events"] = counted{least: 3500, columns: "* EXCLUDE (late)"}
		for _, output := range []string{"sessions", "traffic", "top_pages", "visitors", "clients", "funnels", "funnel_steps"} {
			outputs[output] = counted{least: outputs[output].least, columns: "* REPLACE (version % 4294967296 AS version)"}
		}
		if before := strings.Join(differences(t, lake, e.in("whole"), outputs), "\n"); !strings.Contains(before, "traffic") || !strings.Contains(before, "sessions") || strings.Contains(before, "events: ") {
			t.Errorf("before it, the lake lacks late events in: %s", before)
		}
		mustRun(t, e, weblogs(e.in("lake", "raw"), lake, "--from", "2026-02-10", "--to", "2026-02-12", "--funnels", funnels)...)
		same(t, lake, e.in("whole"), outputs)
		if r := sql(t, lake, "SELECT min(version) >= 4294967296 FROM traffic WHERE window_start >= '2026-02-10' AND window_start < '2026-02-12'")[0]; r[0] != "true" {
			t.Error("the windows are of no new revision")
		}
	})
}
