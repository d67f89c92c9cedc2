package e2e

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
)

// worlds are server farms that differ in what makes logs hard to read.
var worlds = map[string][]string{
	"several servers over days":   {"--lines", "40000", "--days", "4", "--servers", "3", "--seed", "11"},
	"compressed, two logs twice":  {"--lines", "40000", "--days", "2", "--servers", "4", "--seed", "12", "--gzip", "--redeliver", "2"},
	"plain, a log twice":          {"--lines", "40000", "--days", "2", "--servers", "2", "--seed", "13", "--redeliver", "1"},
	"virtual hosts east of UTC":   {"--lines", "40000", "--days", "3", "--servers", "2", "--seed", "14", "--format", "vhost_combined", "--zone", "+05:30"},
	"west of UTC without agents":  {"--lines", "30000", "--days", "3", "--seed", "15", "--format", "common", "--zone", "-09:30"},
	"broken, disordered, doubled": {"--lines", "40000", "--days", "2", "--servers", "2", "--seed", "16", "--malformed", "0.05", "--disorder", "2m", "--duplicates", "0.03"},
	"one busy hour":               {"--lines", "60000", "--rate", "40", "--seed", "17", "--start", "2024-02-28T23:40:00Z"},
}

func TestLakeHoldsTheTruthAboutGeneratedLogs(t *testing.T) {
	t.Parallel()
	for name, flags := range worlds {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := newEnv(t)
			logs := generate(t, e, flags...)
			mustRun(t, e, weblogs(logs, e.in("lake"))...)
			w := world{lake: e.in("lake")}
			w.truth, w.sessions = readTruth(t, e)
			t.Run("ledger", w.ledger)
			t.Run("totals", w.totals)
			t.Run("days", w.days)
			t.Run("incidents", w.incidents)
			t.Run("bots", w.bots)
			t.Run("sessions", w.visits)
			t.Run("rollups are those of the events", func(t *testing.T) { checkRollups(t, w.lake) })
			t.Run("sessions are those of the events", func(t *testing.T) { checkSessions(t, w.lake) })
		})
	}
}

// world is a generated log and what the program made of it.
type world struct {
	lake     string
	truth    truth
	sessions []truthSession
}

func (w world) ledger(t *testing.T) {
	l := readManifest(t, w.lake).Ledger
	got := []int64{l.In, l.Events, l.Bad, l.Duplicate, l.Skipped, l.Late}
	want := []int64{w.truth.Lines + w.truth.copied(), w.truth.Events, w.truth.Bad, w.truth.copied(), 0, 0}
	if diff := gocmp.Diff(want, got); diff != "" || !l.Balanced {
		t.Errorf("in, events, bad, duplicate, skipped, late; -truth +ledger:\n%s", diff)
	}
	rows := counts(t, sql(t, w.lake, "SELECT reason, count(*) FROM bad_rows GROUP BY reason"))
	if diff := gocmp.Diff(w.truth.Reasons, rows); diff != "" {
		t.Errorf("bad rows by reason, -truth +lake:\n%s", diff)
	}
}

func (w world) totals(t *testing.T) {
	got := counts(t, sql(t, w.lake, `
		SELECT 'events', count(*) FROM events UNION ALL SELECT 'distinct event_id', count(DISTINCT event_id) FROM events
		UNION ALL SELECT 'page views', count(*) FROM events WHERE page_view
		UNION ALL SELECT 'bytes', sum(bytes)::BIGINT FROM events
		UNION ALL SELECT 'visitors', count(DISTINCT visitor_id) FROM events
		UNION ALL SELECT 'sessions', count(*) FROM sessions UNION ALL SELECT 'distinct session_id', count(DISTINCT session_id) FROM sessions
		UNION ALL SELECT 'distinct bad_row_id', count(DISTINCT bad_row_id) FROM bad_rows
		UNION ALL SELECT 'ids in common', count(*) FROM events JOIN bad_rows ON event_id = bad_row_id
		UNION ALL SELECT status_class, sum(views)::BIGINT FROM traffic WHERE window_seconds = 60 GROUP BY status_class`))
	tr := w.truth
	want := map[string]int64{
		"events": tr.Events, "distinct event_id": tr.Events, "page views": tr.PageViews, "bytes": tr.Bytes, "visitors": tr.Visitors,
		"sessions": tr.Sessions, "distinct session_id": tr.Sessions, "distinct bad_row_id": tr.Bad, "ids in common": 0,
	}
	for class, n := range tr.Classes {
		want[class] = n
	}
	if diff := gocmp.Diff(want, got); diff != "" {
		t.Errorf("-truth +lake:\n%s", diff)
	}
}

func (w world) days(t *testing.T) {
	var got []truthDay
	sqlInto(t, w.lake, `SELECT v.day, e.events, e.page_views, v.visitors, s.sessions
		FROM visitors v
		JOIN (SELECT event_time::DATE AS day, count(*) AS events, count(*) FILTER (page_view) AS page_views FROM events GROUP BY 1) e USING (day)
		JOIN (SELECT start_time::DATE AS day, count(*) AS sessions FROM sessions GROUP BY 1) s USING (day)
		ORDER BY day`, &got)
	if diff := gocmp.Diff(w.truth.Days, got); diff != "" {
		t.Errorf("-truth +lake:\n%s", diff)
	}
}

// incidents compares each minute of the bursts of errors.
func (w world) incidents(t *testing.T) {
	want, got := map[string][2]int64{}, map[string][2]int64{}
	for _, i := range w.truth.Incidents {
		for _, m := range i.Minutes {
			want[m.Minute.UTC().Format("2006-01-02T15:04:05.000Z")] = [2]int64{m.Views, m.Errors}
		}
	}
	for _, r := range sql(t, w.lake, `SELECT window_start, sum(views)::BIGINT, coalesce(sum(views) FILTER (status_class = '5xx'), 0)::BIGINT
		FROM traffic WHERE window_seconds = 60 GROUP BY window_start`) {
		if _, ok := want[r[0]]; ok {
			got[r[0]] = [2]int64{number(t, r[1]), number(t, r[2])}
		}
	}
	for minute, n := range want {
		if n == [2]int64{} {
			delete(want, minute) // a window without events has no row
		}
	}
	if diff := gocmp.Diff(want, got); diff != "" {
		t.Errorf("views and errors of a minute, -truth +lake:\n%s", diff)
	}
}

// bots compares the user agents that say they are programs, all of which are to
// be recognised, and the visitors of each day without any that are.
func (w world) bots(t *testing.T) {
	known := map[string]bool{}
	var got []truthBot
	for _, r := range sql(t, w.lake, `SELECT coalesce(user_agent, '-') AS user_agent, count(*), count(DISTINCT visitor_id), bool_and(bot) AND bool_and(bot_name IS NOT NULL)
		FROM events GROUP BY user_agent ORDER BY user_agent`) {
		known[r[0]] = r[3] == "true"
		if slices.ContainsFunc(w.truth.Bots, func(b truthBot) bool { return b.UserAgent == r[0] }) {
			got = append(got, truthBot{r[0], number(t, r[1]), number(t, r[2])})
			if !known[r[0]] {
				t.Errorf("not recognised as a bot: %s", r[0])
			}
		}
	}
	if diff := gocmp.Diff(w.truth.Bots, got); diff != "" && len(w.truth.Bots)+len(got) > 0 {
		t.Errorf("-truth +lake:\n%s", diff)
	}
	people := map[string]map[string]bool{}
	for _, s := range w.sessions {
		if known[s.UserAgent] {
			continue
		}
		// Pauses within a session are short: it has events on each day it touches.
		for day := s.Start.UTC().Truncate(24 * time.Hour); !day.After(s.End); day = day.AddDate(0, 0, 1) {
			text := day.Format(time.DateOnly)
			if people[text] == nil {
				people[text] = map[string]bool{}
			}
			people[text][s.Client+" "+s.UserAgent] = true
		}
	}
	want := map[string]int64{}
	for day, set := range people {
		want[day] = int64(len(set))
	}
	if diff := gocmp.Diff(want, counts(t, sql(t, w.lake, "SELECT day, visitors_without_bots FROM visitors"))); diff != "" {
		t.Errorf("visitors without bots, -truth +lake:\n%s", diff)
	}
}

// visits compares the sessions. The lake knows visitors by token only, so what is
// compared is all sessions of a visitor together, whoever it is.
func (w world) visits(t *testing.T) {
	const format = "2006-01-02T15:04:05.000Z"
	of := map[string][]string{}
	for _, s := range w.sessions {
		visitor := s.Client + " " + s.UserAgent
		of[visitor] = append(of[visitor], fmt.Sprintf("%s %s %d", s.Start.UTC().Format(format), s.End.UTC().Format(format), s.Events))
	}
	want := histories(of)
	clear(of)
	for _, r := range sql(t, w.lake, "SELECT visitor_id, start_time, end_time, events FROM sessions") {
		of[r[0]] = append(of[r[0]], strings.Join(r[1:], " "))
	}
	if diff := gocmp.Diff(want, histories(of)); diff != "" {
		t.Errorf("sessions by visitor: start, end, events; -truth +lake:\n%s", cut(diff))
	}
}

// histories gives the sessions of each visitor in one text, in order of the texts.
func histories(sessions map[string][]string) []string {
	all := make([]string, 0, len(sessions))
	for _, list := range sessions {
		slices.Sort(list)
		all = append(all, strings.Join(list, ", "))
	}
	slices.SortFunc(all, cmp.Compare[string])
	return all
}

// cut keeps a long difference readable.
func cut(s string) string {
	const most = 4000
	if len(s) > most {
		return s[:most] + "..."
	}
	return s
}
