package report

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/parquet-go/parquet-go"
)

// Rows of a lake as the report expects them, written by the tests themselves.
type (
	eventRow struct {
		EventTime int64   `parquet:"event_time,timestamp(millisecond)"`
		VisitorID string  `parquet:"visitor_id,dict"`
		Host      *string `parquet:"host,optional,dict"`
		Path      *string `parquet:"path,optional,dict"`
		Query     *string `parquet:"query,optional"`
		Request   *string `parquet:"request,optional"`
		Referrer  *string `parquet:"referrer,optional,dict"`
		Status    int32   `parquet:"status"`
		Bytes     *int64  `parquet:"bytes,optional"`
		Bot       bool    `parquet:"bot"`
		BotName   *string `parquet:"bot_name,optional,dict"`
		PageView  bool    `parquet:"page_view"`
	}
	trafficRow struct {
		WindowStart   int64  `parquet:"window_start,timestamp(millisecond)"`
		WindowSeconds int32  `parquet:"window_seconds"`
		StatusClass   string `parquet:"status_class,dict"`
		Views         int64  `parquet:"views"`
		Bytes         int64  `parquet:"bytes"`
	}
	topPageRow struct {
		WindowStart int64  `parquet:"window_start,timestamp(millisecond)"`
		Rank        int32  `parquet:"rank"`
		Path        string `parquet:"path"`
		Views       int64  `parquet:"views"`
	}
	visitorRow struct {
		Day                 int32 `parquet:"day,date"`
		Visitors            int64 `parquet:"visitors"`
		VisitorsWithoutBots int64 `parquet:"visitors_without_bots"`
		Exact               bool  `parquet:"exact"`
	}
	botRow struct {
		Day      int32  `parquet:"day,date"`
		BotName  string `parquet:"bot_name"`
		Hits     int64  `parquet:"hits"`
		Visitors int64  `parquet:"visitors"`
	}
	sessionRow struct {
		VisitorID  string  `parquet:"visitor_id"`
		StartTime  int64   `parquet:"start_time,timestamp(millisecond)"`
		DurationMs int64   `parquet:"duration_ms"`
		Events     int64   `parquet:"events"`
		PageViews  int64   `parquet:"page_views"`
		EntryPage  *string `parquet:"entry_page,optional,dict"`
		ExitPage   *string `parquet:"exit_page,optional,dict"`
		Bounce     bool    `parquet:"bounce"`
		Engaged    bool    `parquet:"engaged"`
		Bot        bool    `parquet:"bot"`
		Truncated  bool    `parquet:"truncated"`
		Source     *string `parquet:"source,optional,dict"`
		Medium     *string `parquet:"medium,optional,dict"`
		Channel    *string `parquet:"channel,optional,dict"`
	}
	badRow struct {
		Stage    string `parquet:"stage"`
		Reason   string `parquet:"reason"`
		Source   string `parquet:"source"`
		Position int64  `parquet:"position"`
		Skeleton string `parquet:"skeleton"`
	}
	lateRow struct {
		DelayMs int64 `parquet:"delay_ms"`
	}
)

// A lake holds the rows that a test lake is made of, by output.
type lake struct {
	events   []eventRow
	traffic  []trafficRow
	topPages []topPageRow
	visitors []visitorRow
	bots     []botRow
	clients  []clientRow
	sessions []sessionRow
	badRows  []badRow
	late     []lateRow
	steps    []stepRow // funnel_steps
	alerts   []alertRow
	scores   []scoreRow // anomalies
	sources  []sourceRow
}

// rollUp derives the other outputs from events, in the plainest way.
func (l *lake) rollUp() {
	slices.SortStableFunc(l.events, func(a, b eventRow) int { return int(a.EventTime - b.EventTime) })
	type window struct {
		start   int64
		seconds int32
		class   string
	}
	traffic := map[window]*trafficRow{}
	pages := map[int64]map[string]int64{}
	visitors := map[int32][2]map[string]bool{}
	bots := map[string]*botRow{}
	botVisitors := map[string]map[string]bool{}
	open := map[string]*sessionRow{}
	last := map[string]int64{}
	for _, e := range l.events {
		for _, s := range []int32{1, 60} {
			w := window{e.EventTime / (int64(s) * 1000) * int64(s) * 1000, s, classes[codeClass(e.Status)]}
			if traffic[w] == nil {
				traffic[w] = &trafficRow{WindowStart: w.start, WindowSeconds: s, StatusClass: w.class}
			}
			traffic[w].Views++
			if e.Bytes != nil {
				traffic[w].Bytes += *e.Bytes
			}
		}
		if hour := e.EventTime / 3600_000 * 3600_000; e.Path != nil {
			if pages[hour] == nil {
				pages[hour] = map[string]int64{}
			}
			pages[hour][*e.Path]++
		}
		day := int32(e.EventTime / dayMs)
		if visitors[day][0] == nil {
			visitors[day] = [2]map[string]bool{{}, {}}
		}
		visitors[day][0][e.VisitorID] = true
		if e.Bot {
			key := fmt.Sprint(day, *e.BotName)
			if bots[key] == nil {
				bots[key], botVisitors[key] = &botRow{Day: day, BotName: *e.BotName}, map[string]bool{}
			}
			bots[key].Hits++
			botVisitors[key][e.VisitorID] = true
		} else {
			visitors[day][1][e.VisitorID] = true
		}
		s := open[e.VisitorID]
		if s == nil || e.EventTime-last[e.VisitorID] >= 1800_000 {
			if s != nil {
				l.sessions = append(l.sessions, *s)
			}
			s = &sessionRow{VisitorID: e.VisitorID, StartTime: e.EventTime, Bot: e.Bot}
			open[e.VisitorID] = s
		}
		last[e.VisitorID] = e.EventTime
		s.Events++
		s.DurationMs = e.EventTime - s.StartTime
		if e.PageView {
			s.PageViews++
			s.ExitPage = e.Path
			if s.EntryPage == nil {
				s.EntryPage = e.Path
			}
		}
		if s.Channel == nil && e.Path != nil {
			s.cameFrom(e.Referrer)
		}
		s.Bounce, s.Engaged = s.PageViews <= 1, s.PageViews > 1 || s.DurationMs >= 10_000
	}
	for _, s := range open {
		l.sessions = append(l.sessions, *s)
	}
	slices.SortFunc(l.sessions, func(a, b sessionRow) int {
		return int(a.StartTime-b.StartTime)*2 + strings.Compare(a.VisitorID, b.VisitorID)
	})
	for _, t := range traffic {
		l.traffic = append(l.traffic, *t)
	}
	slices.SortFunc(l.traffic, func(a, b trafficRow) int {
		return int(a.WindowStart-b.WindowStart)*200 + int(a.WindowSeconds-b.WindowSeconds) + 70*strings.Compare(a.StatusClass, b.StatusClass)
	})
	for hour, counts := range pages {
		var rows []topPageRow
		for path, n := range counts {
			rows = append(rows, topPageRow{WindowStart: hour, Path: path, Views: n})
		}
		slices.SortFunc(rows, func(a, b topPageRow) int { return int(b.Views-a.Views)*2 + strings.Compare(a.Path, b.Path) })
		l.topPages = append(l.topPages, rows[:min(len(rows), 10)]...)
	}
	slices.SortStableFunc(l.topPages, func(a, b topPageRow) int { return int(a.WindowStart - b.WindowStart) })
	for day, v := range visitors {
		l.visitors = append(l.visitors, visitorRow{day, int64(len(v[0])), int64(len(v[1])), true})
	}
	for key, b := range bots {
		b.Visitors = int64(len(botVisitors[key]))
		l.bots = append(l.bots, *b)
	}
}

// cameFrom says where a session came from, by the referrer of its first request.
func (s *sessionRow) cameFrom(referrer *string) {
	source, medium, channel := "(direct)", "(none)", "Direct"
	switch {
	case referrer == nil:
	case strings.Contains(*referrer, "google") || strings.Contains(*referrer, "duckduckgo"):
		source, medium, channel = strings.TrimSuffix(strings.TrimPrefix(*referrer, "https://"), "/"), "organic", "Organic Search"
	case strings.Contains(*referrer, "shop.example.org"):
		return
	default:
		source, medium, channel = `</script><b>"'`+*referrer, "referral", "Referral"
	}
	s.Source, s.Medium, s.Channel = &source, &medium, &channel
}

// write puts the outputs under root, a file per day.
func (l *lake) write(t testing.TB, root string) {
	t.Helper()
	writeDays(t, root, "events", l.events, func(r eventRow) int64 { return r.EventTime })
	writeDays(t, root, "traffic", l.traffic, func(r trafficRow) int64 { return r.WindowStart })
	writeDays(t, root, "top_pages", l.topPages, func(r topPageRow) int64 { return r.WindowStart })
	writeDays(t, root, "visitors", l.visitors, func(r visitorRow) int64 { return int64(r.Day) * dayMs })
	writeDays(t, root, "bots", l.bots, func(r botRow) int64 { return int64(r.Day) * dayMs })
	writeDays(t, root, "sessions", l.sessions, func(r sessionRow) int64 { return r.StartTime })
	writeDays(t, root, "bad_rows", l.badRows, func(badRow) int64 { return l.firstTime() })
	writeDays(t, root, "funnel_steps", l.steps, func(r stepRow) int64 { return int64(r.Day) * dayMs })
	writeDays(t, root, "alerts", l.alerts, func(r alertRow) int64 { return r.FiringSince })
	writeDays(t, root, "anomalies", l.scores, func(r scoreRow) int64 { return r.WindowStart })
	writeDays(t, root, "sources", l.sources, func(r sourceRow) int64 { return r.WindowStart })
	writeDays(t, root, "clients", l.clients, func(r clientRow) int64 { return int64(r.Day) * dayMs })
	writeDays(t, root, "late", l.late, func(lateRow) int64 { return l.firstTime() })
}

func (l *lake) firstTime() int64 {
	if len(l.events) == 0 {
		return 0
	}
	return l.events[0].EventTime
}

func writeDays[R any](t testing.TB, root, output string, rows []R, at func(R) int64) {
	t.Helper()
	days := map[int64][]R{}
	for _, r := range rows {
		day := floorDiv(at(r), dayMs)
		days[day] = append(days[day], r)
	}
	for day, rows := range days {
		folder := filepath.Join(root, output, time.UnixMilli(day*dayMs).UTC().Format("year=2006/month=01/day=02"))
		if err := os.MkdirAll(folder, 0o777); err != nil {
			t.Fatal(err)
		}
		f, err := os.Create(filepath.Join(folder, "0.parquet"))
		if err != nil {
			t.Fatal(err)
		}
		w := parquet.NewGenericWriter[R](f, parquet.Compression(&parquet.Zstd), parquet.DataPageVersion(1), parquet.DefaultEncoding(&parquet.Plain), parquet.MaxRowsPerRowGroup(100_000), parquet.PageBufferSize(32<<10))
		if _, err := w.Write(rows); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
	}
}
