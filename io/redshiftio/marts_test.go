package redshiftio

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"millrace/internal/testenv"
	"millrace/internal/testenv/redshift"
	"millrace/io/driver"
	"millrace/schemas/table"
	"millrace/schemas/weblog"
)

const noon = 1_741_003_200_000 // 2025-03-03T12:00:00Z

func TestMartsCountWhatWasLoaded(t *testing.T) {
	w := newWorld(t, redshift.Options{})
	w.exec(t, "CREATE SCHEMA web")
	sink := func(name string, schema *table.Schema) *Sink {
		return open(t, w.url("web."+name, viaData, ""), schema, driver.SinkOptions{})
	}
	sink("traffic", weblog.TrafficRows).mustWrite(
		t, table.Sealed,
		weblog.Traffic{WindowStart: noon, WindowSeconds: 60, StatusClass: "2xx", Views: 3, Bytes: 30, Version: 3},
		weblog.Traffic{WindowStart: noon, WindowSeconds: 1, StatusClass: "2xx", Views: 3, Bytes: 30, Version: 3},
		weblog.Traffic{WindowStart: noon + 60_000, WindowSeconds: 60, StatusClass: "2xx", Views: 2, Bytes: 20, Version: 2},
		weblog.Traffic{WindowStart: noon + 12*3_600_000, WindowSeconds: 60, StatusClass: "4xx", Views: 1, Bytes: 5, Version: 1},
	)
	sessions := sink("sessions", weblog.Sessions)
	sessions.mustWrite(
		t, table.Sealed,
		weblog.Session{SessionID: "a", VisitorID: "v", StartTime: noon, PageViews: 4, DurationMs: 3000, Engaged: true, Version: 1},
		weblog.Session{SessionID: "b", VisitorID: "v", StartTime: noon + 1, PageViews: 1, Bounce: true, Version: 1},
		weblog.Session{SessionID: "c", VisitorID: "x", StartTime: noon, PageViews: 9, Bot: true, Version: 1},
		weblog.Session{SessionID: "d", VisitorID: "y", StartTime: noon, PageViews: 9, Version: 1},
	)
	sessions.mustWrite(t, table.Withdrawn, weblog.Session{SessionID: "d", VisitorID: "y", StartTime: noon, Version: 2})
	var events []any
	for i := range 25 {
		for n := range 30 - i {
			events = append(events, weblog.Event{EventID: table.ID{byte(i), byte(n)}, EventTime: noon, VisitorID: "v", Path: pointer(fmt.Sprintf("/page-%02d", i)), PageView: true})
		}
	}
	events = append(events, weblog.Event{EventID: id(1), EventTime: noon, VisitorID: "v", Path: pointer("/asset.css")}, weblog.Event{EventID: id(2), EventTime: noon, VisitorID: "v", Path: pointer("/page-24"), PageView: true, Bot: true})
	sink("events", weblog.Events).mustWrite(t, table.Sealed, events...)
	files, err := filepath.Glob(filepath.Join(testenv.Root(t), "deploy", "sql", "redshift", "*.sql"))
	if err != nil || len(files) != 3 {
		t.Fatalf("%q, %v", files, err)
	}
	for range 2 { // also over themselves
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			w.exec(t, string(text))
		}
	}
	for query, want := range map[string][][]string{
		"SELECT * FROM web.daily_traffic ORDER BY 1, 2":                                                                     {{"2025-03-03", "2xx", "5", "50"}, {"2025-03-04", "4xx", "1", "5"}},
		"SELECT day, sessions, visitors, page_views, bounces, engaged, seconds_on_average::float FROM web.sessions_per_day": {{"2025-03-03", "2", "1", "5", "1", "1", "1.5"}},
		"SELECT count(*), min(page_views), max(page_views), max(rank_of_day) FROM web.top_pages_per_day":                    {{"20", "11", "30", "20"}},
		"SELECT path, page_views FROM web.top_pages_per_day WHERE rank_of_day = 3":                                          {{"/page-02", "28"}},
	} {
		if d := cmp.Diff(want, w.all(t, query)); d != "" {
			t.Errorf("%s (-want +got):\n%s", query, d)
		}
	}
}
