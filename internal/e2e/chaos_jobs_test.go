package e2e

import (
	"bytes"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"millrace/internal/testenv"
)

// chaosJob is a job as the suite of faults takes it.
type chaosJob struct {
	name     string        // small letters
	calm     time.Duration // of a run without faults, from its start to its end, on a quiet machine
	pace     float64       // of what is put, of chaosRate
	run      func(source, lake string, more ...string) []string
	settings func(t *testing.T) []string // arguments of every run of it
	live     []string                    // arguments of the live run alone
	// lines makes so many lines at least, in the order in which they are put, and gives
	// their file.
	lines func(t *testing.T, w *chaosWorld, e env, lines int) string
	// canaries tells that beside the lines lies a list of what is planted in them.
	canaries bool
	rows     string            // the fewest that a run has to leave, by output, to say something
	keys     map[string]string // of outputs, in SQL
	sent     []sent
	// equals compares the lake with what batch runs make of its archive and of the lines
	// that were put.
	equals func(t *testing.T, w *chaosWorld, e env, put [][]byte, lake, objects string)
}

func noSettings(*testing.T) []string { return nil }

var weblogsJob = chaosJob{
	name: "weblogs", calm: 40 * time.Second, pace: 1, run: weblogs, settings: noSettings, live: []string{"--raw", "plain"},
	// 50 lines to a second of the log's time: windows close twenty times as fast as the clock goes.
	lines: func(t *testing.T, w *chaosWorld, e env, lines int) string {
		t.Helper()
		mustRun(t, e, "generate", "weblog", "--out", e.in("put"), "--start", farmStart.Format(time.DateOnly),
			"--lines", strconv.Itoa(lines), "--rate", strconv.Itoa(int(50*w.pace)), "--disorder", "30s")
		return e.in("put", "access-01.log")
	},
	rows: "events 10000, sessions 200, traffic 1000, top_pages 10, visitors 1, bots 2, bad_rows 10",
	keys: map[string]string{
		"events": "event_id", "sessions": "session_id", "traffic": "window_start, window_seconds, status_class", "top_pages": "window_start, rank",
		"visitors": "day", "bots": "day, bot_name", "clients": "day, dimension, value", "bad_rows": "bad_row_id", "late": "event_id", "raw": "source, sequence, position",
	},
	sent:   sentOfWeblogs,
	equals: weblogsEqual,
}

// clickstreamJob is a busy shop, of which three hours pass while it suffers: in more of
// them there would be more minutes, each of which is folded by itself.
var clickstreamJob = chaosJob{
	name: "clickstream", calm: 60 * time.Second, pace: 0.3, run: clicks,
	settings: func(t *testing.T) []string {
		return []string{"--funnels", filepath.Join(testenv.Root(t), "jobs", "clickstream", "funnels.yaml")}
	},
	live: []string{"--raw", "sealed", "--max-disorder", "13m"}, // what is sent again comes up to ten minutes later
	lines: func(t *testing.T, _ *chaosWorld, e env, lines int) string {
		t.Helper()
		mustRun(t, e, "generate", "clickstream", "--out", e.in("put"), "--events", strconv.Itoa(8*max(lines, 30_000)), "--days", "1", "--seed", "23", "--items", "48",
			"--duplicates", "0.02", "--malformed", "0.01", "--canaries")
		some := logLines(t, e.in("put", "events.ndjson"))
		writeFile(t, e.in("put", "some.ndjson"), append(bytes.Join(some[:min(len(some), lines)], []byte("\n")), '\n'))
		return e.in("put", "some.ndjson")
	},
	canaries: true,
	rows: "events 10000, sessions 1000, funnels 500, funnel_steps 4, products 200, revenue 100, visitors 1, identities 300, abandoned_carts 100, bad_rows 50, " +
		"late 0",
	keys: map[string]string{
		"events": "event_id", "sessions": "session_id", "funnels": "funnel, visitor_id, start_time", "funnel_steps": "day, funnel, coalesce(breakdown, ''), step",
		"products": "window_start, item_id, currency", "revenue": "window_start, window_seconds, currency, channel", "visitors": "day", "identities": "day, visitor_id, user_id",
		"abandoned_carts": "visitor_id, start_time", "bad_rows": "bad_row_id", "raw": "source, sequence, position",
	},
	sent: []sent{
		{"events", searchSink, "event_id name client_event_id"},
		{"sessions", houseSink, "session_id visitor_id events page_views bounce version"},
		{"revenue", houseSink, "window_seconds currency channel purchases gross net version"},
		{"products", influxSink, "window_start item_id currency rank views carts purchases revenue version"},
		{"products", timestreamSink, "window_start item_id currency rank views carts purchases revenue version"},
	},
	equals: recommendationsEqual,
}

// devicesJob is a ward of sixty patients and a hall of twenty machines, 560 readings a
// minute.
var devicesJob = chaosJob{
	name: "devices", calm: 50 * time.Second, pace: 0.3, run: devices,
	settings: func(t *testing.T) []string {
		return []string{"--alerts", filepath.Join(testenv.Root(t), "jobs", "devices", "alerts.yaml"), "--set", "anomalies=true", "--set", "grid.step=5m"}
	},
	live: []string{"--raw", "sealed"},
	lines: func(t *testing.T, _ *chaosWorld, e env, lines int) string {
		t.Helper()
		const anHour = 60 * 560
		mustRun(t, e, "generate", "device", "--out", e.in("put"), "--hours", strconv.Itoa(1+lines/anHour), "--patients", "60", "--machines", "20", "--seed", "23", "--canaries")
		return e.in("put", "readings.ndjson")
	},
	canaries: true,
	rows:     "readings 10000, flags 10, rollups 5000, health 80, grid 1000, news2 1000, anomalies 100, alerts 1, bad_rows 1, late 0",
	keys: map[string]string{
		"readings": "reading_id", "flags": "event_time, flag, device_id, code, reading_id", "rollups": "window_start, device_id, subject, code", "health": "window_start, device_id, subject",
		"grid": "grid_time, device_id, subject, code", "news2": "window_start, subject", "alerts": "alert_id", "bad_rows": "bad_row_id", "raw": "source, sequence, position",
	},
	sent: []sent{
		{"rollups", influxSink, "window_start device_id subject code count flagged mean last version"},
		{"rollups", timestreamSink, "window_start device_id subject code count flagged mean last version"},
		{"news2", searchSink, "subject score risk version"},
		{"readings", houseSink, "reading_id device_id code value out_of_range"},
		{"alerts", searchSink, "alert_id rule state breaches reason version"},
	},
	equals: func(t *testing.T, w *chaosWorld, e env, put [][]byte, lake, objects string) {
		t.Helper()
		archiveEquals(t, w, e, put, lake, objects)
	},
}

// recommendationsEqual is archiveEquals, and where there are sinks it sends what a batch
// run alone makes to one of upserts.
func recommendationsEqual(t *testing.T, w *chaosWorld, e env, put [][]byte, lake, objects string) {
	t.Helper()
	if w.sinks == nil {
		archiveEquals(t, w, e, put, lake, objects)
		return
	}
	recommended := sent{"recommendations", searchSink, "kind item_id rank recommended_id score visits version"}
	archiveEquals(t, w, e, put, lake, objects, "--output", "recommendations=opensearch://"+w.sinks.search.Addr+"/"+w.sinks.prefix+"-recommendations-{day}")
	w.sinks.equals(t, recommended, e.in("batch"), "of the batch run")
}

// archiveEquals compares a lake without late rows with a batch run over its archive, and
// its accounts with those of one over the lines that were put.
func archiveEquals(t *testing.T, w *chaosWorld, e env, put [][]byte, lake, objects string, more ...string) {
	t.Helper()
	settings := w.job.settings(t)
	mustRun(t, e, w.job.run(lake+"/raw", e.in("batch"), slices.Concat(settings, more)...)...)
	outputs := fewest(t, w.job.rows)
	if alerts, has := outputs["alerts"]; has {
		outputs["alerts"] = counted{alerts.least, "* EXCLUDE (replay)"} // which names the key as it was named
	}
	same(t, objects, e.in("batch"), outputs)

	writeFile(t, e.in("put.log"), append(bytes.Join(put, []byte("\n")), '\n'))
	mustRun(t, e, w.job.run(e.in("put.log"), e.in("lines"), slices.Concat(settings, []string{"--no-report"})...)...)
	want := readManifest(t, e.in("lines")).Ledger.Ledger
	want.In, want.Bad = want.In+int64(w.besides), want.Bad+int64(w.bad)
	got := accounts(t, lake)
	for _, l := range []*int64{&got.Late, &want.Late} {
		if *l != 0 {
			t.Errorf("%d events are late, and none was put late", *l)
		}
	}
	if diff := gocmp.Diff([]int64{want.In, want.Events, want.Bad, want.Duplicate, want.Skipped}, []int64{got.In, got.Events, got.Bad, got.Duplicate, got.Skipped}); diff != "" {
		t.Errorf("in, events, bad, duplicate, skipped of the lines that were put and of the lake (-put +lake):\n%s", diff)
	}
}

// noCanaries looks for what was planted where the run left something: the lake and what
// sinks were given by way of S3, sinks, the logs of Flink and its workers, what the
// program said.
func (w *chaosWorld) noCanaries(t *testing.T, e env, objects string, said result) {
	t.Helper()
	find := newFinder(t, e.in("put", "truth_canaries.txt"))
	lines := readFile(t, e.in("put.log"))
	find.in(t, "the lines", lines)
	if n := len(find.found["the lines"]); n < len(find.types)/3 {
		t.Errorf("%d of %d planted values were put", n, len(find.types))
	}
	clear(find.found)
	find.in(t, "what the run says", []byte(said.stdout+said.stderr))
	find.inFolder(t, w.s3.Dir)
	find.inFolder(t, filepath.Join(w.flink.Dir(), "logs"))
	find.inFolder(t, e.home)
	texts := find.inRows(t, objects)
	for output := range w.job.keys {
		if texts[output] == 0 && output != "visitors" { // which has no texts
			t.Errorf("no text of %s was searched", output)
		}
	}
	if w.sinks != nil {
		for sink, text := range w.sinks.texts(t) {
			find.in(t, sink, text)
		}
	}
	find.report(t)
}
