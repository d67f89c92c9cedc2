package report

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"millrace/internal/testenv"
)

// TestFiguresEqualQueriesOnTheLake counts the rows of a lake in the plainest way
// and compares with the numbers that the page shows in a browser.
func TestFiguresEqualQueriesOnTheLake(t *testing.T) {
	l := farm(5, 20_000, 4)
	root := t.TempDir()
	d := collectedIn(t, l, root)
	b := open(t, written(t, d), looks["desktop-light"])
	shown := ask(t, b, chromedp.Evaluate[map[string]string](`Object.fromEntries([...document.querySelectorAll("[data-figure]")].map((e) => [e.dataset.figure, e.dataset.value]))`))

	want := figures{}
	want.ofEvents(l.events)
	want.ofSessions(l.sessions)
	want.ofRollups(l)
	want.add("badrows.total", 0)
	for _, r := range l.badRows {
		want.add("badrows.total", 1)
		want.add("tile.bad_rows", 1)
		want.add("badrows."+r.Stage+"."+r.Reason, 1)
	}
	for _, r := range l.late {
		want.add("late.rows", 1)
		want["late.max"] = max(want["late.max"], r.DelayMs)
	}
	n := int64(len(l.events))
	want["ledger.events"], want["ledger.bad"], want["ledger.late"] = n, int64(len(l.badRows)), int64(len(l.late))
	want["ledger.duplicate"], want["ledger.skipped"] = d.Ledger.Duplicate, d.Ledger.Skipped
	want["ledger.in"] = n + int64(len(l.badRows)) + d.Ledger.Duplicate + d.Ledger.Skipped

	if len(want) < 120 {
		t.Fatalf("only %d figures to compare", len(want))
	}
	for name, value := range want {
		got, ok := shown[name]
		if !ok {
			t.Errorf("figure %s is not on the page, want %d", name, value)
		} else if got != strconv.FormatInt(value, 10) {
			t.Errorf("figure %s shows %s, want %d", name, got, value)
		}
	}
	for name, value := range want.ofSQL(t, root) {
		if shown[name] != value {
			t.Errorf("figure %s shows %s, SQL says %s", name, shown[name], value)
		}
	}
	near(t, shown, "sizes.median", quantileOf(sizesOf(l.events), 0.5))
	near(t, shown, "sizes.p95", quantileOf(sizesOf(l.events), 0.95))
	near(t, shown, "sessions.median", quantileOf(lengthsOf(l.sessions), 0.5))
	near(t, shown, "sessions.p95", quantileOf(lengthsOf(l.sessions), 0.95))
}

// ofSQL asks another reader of Parquet for the headline figures.
func (figures) ofSQL(t *testing.T, root string) map[string]string {
	t.Helper()
	got := map[string]string{}
	for _, row := range testenv.DuckDB(t, strings.ReplaceAll(`
		select 'traffic.requests', sum(views)::bigint from 'LAKE/traffic/*/*/*/*.parquet' where window_seconds = 60
		union all select 'status.class.' || status_class, sum(views)::bigint from 'LAKE/traffic/*/*/*/*.parquet' where window_seconds = 60 group by status_class
		union all select 'sizes.bytes', sum(bytes)::bigint from 'LAKE/events/*/*/*/*.parquet'
		union all select 'status.code.' || status, count(*) from 'LAKE/events/*/*/*/*.parquet' group by status
		union all select 'pages.views.0', max(n) from (select count(*) n from 'LAKE/events/*/*/*/*.parquet' where page_view group by path)
		union all select 'sessions.people', count(*) from 'LAKE/sessions/*/*/*/*.parquet' where not bot
		union all select 'sessions.bounces', count(*) from 'LAKE/sessions/*/*/*/*.parquet' where bounce and not bot
		union all select 'channels.row.0', max(n) from (select count(*) n from 'LAKE/sessions/*/*/*/*.parquet' where not bot and channel is not null group by channel)
		union all select 'channels.unknown', count(*) from 'LAKE/sessions/*/*/*/*.parquet' where not bot and channel is null
		union all select 'visitors.people.' || day, visitors_without_bots from read_parquet('LAKE/visitors/*/*/*/*.parquet', hive_partitioning = false)
		union all select 'bots.hits', sum(hits)::bigint from 'LAKE/bots/*/*/*/*.parquet'
		union all select 'badrows.' || stage || '.' || reason, count(*) from 'LAKE/bad_rows/*/*/*/*.parquet' group by stage, reason
		union all select 'security.wordpress.requests', count(*) from 'LAKE/events/*/*/*/*.parquet' where path in ('/wp-login.php', '/xmlrpc.php')
		union all select 'security.wordpress.visitors', count(distinct visitor_id) from 'LAKE/events/*/*/*/*.parquet' where path in ('/wp-login.php', '/xmlrpc.php')
		union all select 'security.sql.answered', count(*) from 'LAKE/events/*/*/*/*.parquet' where query like '%UNION%' and status between 200 and 299
		union all select 'security.secrets.requests', count(*) from 'LAKE/events/*/*/*/*.parquet' where path in ('/.env', '/.git/config')
		union all select 'late.rows', count(*) from 'LAKE/late/*/*/*/*.parquet'`, "LAKE", root)) {
		got[row[0]] = row[1]
	}
	if len(got) < 25 {
		t.Errorf("SQL gives only %d figures", len(got))
	}
	return got
}

type figures map[string]int64

func (f figures) add(name string, n int64) { f[name] += n }

func (f figures) ofEvents(events []eventRow) {
	paths, views, failing, missing, heavy, sites := map[string]int64{}, map[string]int64{}, map[string]int64{}, map[string]int64{}, map[string]int64{}, map[string]int64{}
	for _, e := range events {
		f.add("traffic.requests", 1)
		f.add("tile.requests", 1)
		f.add(fmt.Sprint("status.code.", e.Status), 1)
		f.add("status.class."+strconv.Itoa(int(e.Status)/100)+"xx", 1)
		f.add("traffic.day."+dayName(e.EventTime), 1)
		if e.Status >= 500 {
			f.add("status.errors", 1)
			f.add("tile.errors", 1)
		}
		if e.Referrer == nil {
			f.add("referrers.none", 1)
		} else {
			sites[map[string]string{
				"https://www.google.com/": "google.com", "https://duckduckgo.com/": "duckduckgo.com", "https://t.co/x": "t.co",
				"https://news.ycombinator.com/item?id=1": "news.ycombinator.com", "https://shop.example.org/": "shop.example.org",
			}[*e.Referrer]]++
		}
		if e.Bytes == nil {
			f.add("sizes.unknown", 1)
		} else {
			for _, name := range []string{"sizes.bytes", "traffic.bytes", "tile.bytes"} {
				f.add(name, *e.Bytes)
			}
			f.add("sizes.known", 1)
			f["sizes.max"] = max(f["sizes.max"], *e.Bytes)
			bucket := int64(0)
			for _, from := range []int64{1, 100, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8} {
				if *e.Bytes >= from {
					bucket = from
				}
			}
			f.add(fmt.Sprint("sizes.bucket.", bucket), 1)
		}
		if e.Path == nil {
			continue
		}
		paths[*e.Path]++
		views[*e.Path] += one(e.PageView)
		failing[*e.Path] += one(e.Status >= 500)
		missing[*e.Path] += one(e.Status == 404)
		if e.Bytes != nil {
			heavy[*e.Path] += *e.Bytes
		}
	}
	f.list("pages.requests", paths, topPaths)
	f.list("pages.views", views, topPaths)
	f.list("status.failing", failing, topPaths)
	f.list("status.missing", missing, topPaths)
	f.list("sizes.heaviest", heavy, topPaths)
	f.list("referrers.site", sites, topSites)
}

func (f figures) list(name string, counts map[string]int64, n int) {
	var all []int64
	for _, c := range counts {
		if c > 0 {
			all = append(all, c)
		}
	}
	slices.Sort(all)
	slices.Reverse(all)
	for i, c := range all[:min(n, len(all))] {
		f[fmt.Sprint(name, ".", i)] = c
	}
}

func (f figures) ofSessions(sessions []sessionRow) {
	var length, people int64
	for _, s := range sessions {
		who := "bots"
		if !s.Bot {
			who = "people"
			people++
			length += s.DurationMs
			f.add("tile.sessions", 1)
			f.add("sessions.bounces", one(s.PageViews <= 1))
			f.add("tile.bounces", one(s.PageViews <= 1))
			f.add("sessions.engaged", one(s.PageViews > 1 || s.DurationMs >= 10_000))
			f.add("sessions.page_views", s.PageViews)
			f.add("sessions.day."+dayName(s.StartTime)+".people", 1)
		}
		f.add("sessions."+who, 1)
		at, depth := int64(0), int64(0)
		for _, from := range []int64{1, 10_000, 30_000, 60_000, 180_000, 600_000, 1_800_000, 3_600_000, 10_800_000} {
			if s.DurationMs >= from {
				at = from
			}
		}
		for _, from := range []int64{1, 2, 3, 6, 11, 21, 51} {
			if s.PageViews >= from {
				depth = from
			}
		}
		f.add(fmt.Sprint("sessions.length.", at, ".", who), 1)
		f.add(fmt.Sprint("sessions.depth.", depth, ".", who), 1)
	}
	f["sessions.mean"] = length / people
	channels, sources := map[string]int64{}, map[string]int64{}
	for _, s := range sessions {
		switch {
		case s.Bot:
		case s.Channel == nil:
			f.add("channels.unknown", 1)
		default:
			f.add("channels.sessions", 1)
			channels[*s.Channel]++
			sources[*s.Source]++
		}
	}
	f.list("channels.row", channels, topOrigins)
	f.list("channels.source", sources, topOrigins)
}

func (f figures) ofRollups(l *lake) {
	var people, most int64
	for _, v := range l.visitors {
		day := dayName(int64(v.Day) * dayMs)
		f["visitors.all."+day], f["visitors.people."+day] = v.Visitors, v.VisitorsWithoutBots
		people += v.VisitorsWithoutBots
		most = max(most, v.VisitorsWithoutBots)
	}
	days := int64(len(l.visitors))
	f["visitors.mean"] = (2*people + days) / (2 * days)
	f["tile.visitors"], f["visitors.peak"] = f["visitors.mean"], most
	hits := map[string]int64{}
	for _, b := range l.bots {
		hits[b.BotName] += b.Hits
		f.add("bots.hits", b.Hits)
	}
	f["bots.names"] = int64(len(hits))
	f.list("bots.row", hits, topBots)
}

func sizesOf(events []eventRow) (all []int64) {
	for _, e := range events {
		if e.Bytes != nil {
			all = append(all, *e.Bytes)
		}
	}
	return all
}

func lengthsOf(sessions []sessionRow) (all []int64) {
	for _, s := range sessions {
		if !s.Bot {
			all = append(all, s.DurationMs)
		}
	}
	return all
}

func quantileOf(all []int64, q float64) int64 {
	slices.Sort(all)
	return all[max(int(q*float64(len(all))+0.999999)-1, 0)]
}

func near(t *testing.T, shown map[string]string, name string, want int64) {
	t.Helper()
	got, err := strconv.ParseInt(shown[name], 10, 64)
	if err != nil || float64(max(got-want, want-got)) > 0.011*float64(want)+1 {
		t.Errorf("figure %s shows %q, want %d within 1%%", name, shown[name], want)
	}
}
