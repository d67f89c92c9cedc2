package e2e

import (
	"fmt"
	"math"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"millrace/schemas/weblog"
)

func TestSettingsDecideTheRows(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	logs := generate(t, e, "--lines", "40000", "--days", "3", "--servers", "2", "--seed", "91")
	mustRun(t, e, weblogs(logs, e.in("default"))...)
	events := hashOf(t, e.in("default"), "events")
	with := func(t *testing.T, set ...string) (lake string) {
		t.Helper()
		lake = e.in(fmt.Sprint(set))
		args := weblogs(logs, lake)
		for _, s := range set {
			args = append(args, "--set", s)
		}
		mustRun(t, e, args...)
		return lake
	}
	t.Run("sessions.gap", func(t *testing.T) {
		lake := with(t, "sessions.gap=7m")
		sameRows(t, lake, "sessions", fmt.Sprintf(sessionsQuery, 7*60_000))
		if diff := gocmp.Diff(events, hashOf(t, lake, "events")); diff != "" {
			t.Errorf("events depend on sessions.gap:\n%s", cut(diff))
		}
	})
	t.Run("sessions.max_duration", func(t *testing.T) {
		lake := with(t, "sessions.max_duration=2h")
		r := sql(t, lake, "SELECT max(duration_ms), sum(events)::BIGINT, (SELECT count(*) FROM events) FROM sessions")[0]
		if longest := number(t, r[0]); longest >= 2*3600_000 || longest < 3600_000 || r[1] != r[2] {
			t.Errorf("longest session %d ms; %s of %s events in sessions", longest, r[1], r[2])
		}
	})
	t.Run("sessions.index", func(t *testing.T) {
		const next = "lead(session_id) OVER (PARTITION BY visitor_id ORDER BY start_time)" // as the columns' documentation has it
		if about := weblog.Sessions.Columns[weblog.SessionPreviousID].Doc; !strings.HasSuffix(about, next) {
			t.Errorf("previous_session_id: %s", about)
		}
		lake := with(t, "sessions.index=true")
		sameRows(t, lake, "sessions", `SELECT session_id, row_number() OVER day AS session_index, lag(session_id) OVER day AS previous_session_id
			FROM sessions WINDOW day AS (PARTITION BY visitor_id, epoch_ms(start_time) // 86400000 ORDER BY start_time)`)
		r := sql(t, lake, `WITH named AS (SELECT *, `+next+` AS next FROM sessions)
			SELECT count(*) FILTER (b.previous_session_id IS NOT NULL), count(*) FILTER (b.previous_session_id <> a.session_id),
				count(*) FILTER (b.session_index = 1), count(*) FILTER (b.start_time < a.end_time OR b.visitor_id <> a.visitor_id)
			FROM named a JOIN sessions b ON b.session_id = a.next`)[0]
		if r[0] == "0" || r[1] != "0" || r[2] == "0" || r[3] != "0" {
			t.Errorf("%s sessions follow one of their day, %s of them name another; %s follow one of a day before; %s begin too early", r[0], r[1], r[2], r[3])
		}
	})
	t.Run("sessions.day_zone", func(t *testing.T) {
		lake := with(t, "sessions.day_zone=Asia/Kolkata")
		const local = "(%s AT TIME ZONE 'Asia/Kolkata')::DATE"
		r := sql(t, lake, fmt.Sprintf("SELECT count(*), count(*) FILTER ("+local+" <> "+local+"), sum(events)::BIGINT, (SELECT count(*) FROM events) FROM sessions", "start_time", "end_time"))[0]
		if r[1] != "0" || r[2] != r[3] {
			t.Errorf("%s of %s sessions pass a midnight of the zone; %s of %s events in sessions", r[1], r[0], r[2], r[3])
		}
	})
	t.Run("sessions.campaign_cut", func(t *testing.T) {
		var log string
		for minute, query := range []string{"", "?utm_campaign=spring", "?utm_campaign=spring", "", "?a=b&utm_campaign=summer"} {
			log += fmt.Sprintf("203.0.113.9 - - [02/Mar/2026:10:%02d:00 +0000] \"GET /%s HTTP/1.1\" 200 10 \"-\" \"Firefox\"\n", minute, query)
		}
		writeFile(t, e.in("campaign.log"), []byte(log))
		for cut, want := range map[string]string{"false": "[[5]]", "true": "[[1] [3] [1]]"} {
			mustRun(t, e, weblogs(e.in("campaign.log"), e.in("campaign-"+cut), "--set", "sessions.campaign_cut="+cut)...)
			if r := sql(t, e.in("campaign-"+cut), "SELECT events FROM sessions ORDER BY start_time"); fmt.Sprint(r) != want {
				t.Errorf("campaign_cut=%s: sessions of %v events, want %s", cut, r, want)
			}
		}
	})
	t.Run("visitors.exact_limit", func(t *testing.T) {
		exact := sql(t, e.in("default"), "SELECT day, visitors, visitors_without_bots FROM visitors ORDER BY day")
		about := sql(t, with(t, "visitors.exact_limit=100"), "SELECT day, visitors, visitors_without_bots, exact FROM visitors ORDER BY day")
		for i, r := range exact {
			for c := 1; c <= 2; c++ {
				want, got := float64(number(t, r[c])), float64(number(t, about[i][c]))
				if math.Abs(got-want) > 0.04*want || about[i][3] != "false" {
					t.Errorf("%s: %v visitors, estimated %v, exact: %s", r[0], want, got, about[i][3])
				}
			}
		}
	})
	t.Run("top_pages.exact_limit", func(t *testing.T) {
		lake := with(t, "top_pages.exact_limit=100")
		r := sql(t, lake, `SELECT count(*), count(*) FILTER (NOT exact), count(*) FILTER (NOT true_views BETWEEN views - views_error AND views), max(views_error / version * 100) <= 1
			FROM top_pages JOIN (SELECT date_trunc('hour', event_time) AS window_start, path, count(*) AS true_views FROM events GROUP BY ALL) USING (window_start, path)`)[0]
		if r[0] != sql(t, lake, "SELECT count(*) FROM top_pages")[0][0] || r[1] == "0" || r[2] != "0" || r[3] != "true" {
			t.Errorf("of %s rows %s are not exact, %s are wrong; errors within a hundredth: %s", r[0], r[1], r[2], r[3])
		}
	})
	t.Run("lake.shards", func(t *testing.T) {
		lake := with(t, "lake.shards=4")
		if n := len(hashOf(t, lake, "events")); n != 4*len(events) {
			t.Errorf("%d files of events, want 4 a day", n)
		}
		for _, output := range []string{"events", "sessions", "traffic", "top_pages", "visitors", "bots", "clients", "bad_rows"} {
			sameRows(t, lake, output, fmt.Sprintf("SELECT * FROM read_parquet('%s/%s/*/*/*/*.parquet', hive_partitioning = false)", e.in("default"), output))
		}
		mustRun(t, e, weblogs(logs, e.in("again"), "--set", "lake.shards=4")...)
		if diff := gocmp.Diff(hashLake(t, lake), hashLake(t, e.in("again"))); diff != "" {
			t.Errorf("-once +again:\n%s", cut(diff))
		}
	})
	t.Run("bots.file", func(t *testing.T) {
		writeFile(t, e.in("bots.txt"), []byte("firefox\tFirefox is a robot\n"))
		r := sql(t, with(t, "bots.file="+e.in("bots.txt")), "SELECT DISTINCT bot_name, user_agent ILIKE '%firefox%' FROM events WHERE bot")
		if diff := gocmp.Diff([][]string{{"Firefox is a robot", "true"}}, r); diff != "" {
			t.Errorf("bots, -want +got:\n%s", diff)
		}
	})
}

// hashOf is hashLake of one output.
func hashOf(t testing.TB, lake, output string) map[string]string {
	t.Helper()
	hashes := hashLake(t, lake)
	for name := range hashes {
		if len(name) < len(output) || name[:len(output)] != output {
			delete(hashes, name)
		}
	}
	return hashes
}
