package weblogs_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/options/jobopts"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/register"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/testing/passert"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/testing/ptest"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/testing/teststream"

	"millrace/jobs/weblogs"
	"millrace/schemas/record"
	"millrace/schemas/table"
	"millrace/schemas/weblog"
	"millrace/transforms"
	"millrace/transforms/funnels"
)

func TestMain(m *testing.M) {
	*jobopts.Experiments = "prism_disable_sdf_split" // as runners/prism does
	ptest.Main(m)
}

func init() {
	register.Function2x0(showRows)
	register.Emitter1[string]()
}

// showRows turns rows into text: the columns that do not depend on ids.
func showRows(rows table.Rows, emit func(string)) {
	b := rows.Batch
	for row := range b.Len() {
		var cells []string
		for col, c := range b.Schema().Columns {
			switch {
			case b.Null(col, row):
			case c.Name == "visitor_id" || c.Name == "session_id" || c.Name == "source" && b.Schema() != weblog.Sessions || c.Kind == table.UUID:
			case c.Kind == table.String:
				cells = append(cells, c.Name+"="+string(b.Text(col, row)))
			case c.Kind == table.Bytes:
				cells = append(cells, fmt.Sprintf("%s=%d bytes", c.Name, len(b.Text(col, row))))
			case c.Kind == table.Float64:
				cells = append(cells, fmt.Sprintf("%s=%g", c.Name, b.Float(col, row)))
			default:
				cells = append(cells, fmt.Sprintf("%s=%d", c.Name, b.Int(col, row)))
			}
		}
		emit(strings.Join(cells, " "))
	}
}

const (
	human = `"Mozilla/5.0 (X11; Linux x86_64; rv:115.0) Gecko/20100101 Firefox/115.0"`
	robot = `"Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"`
)

// lines are two visits of a person half an hour apart, a bot, and a broken line.
var lines = []string{
	`203.0.113.9 - - [01/Mar/2026:10:00:00 +0000] "GET /?email=ann%40example.com HTTP/1.1" 200 100 "-" ` + human,
	`203.0.113.9 - - [01/Mar/2026:10:00:30 +0000] "GET /style.css HTTP/1.1" 200 50 "https://shop.example/" ` + human,
	`203.0.113.9 - - [01/Mar/2026:10:00:20 +0000] "GET /product?utm_source=News&utm_medium=email&utm_campaign=ann%40example.com HTTP/1.1" 200 70 "-" ` + human,
	`broken "line`,
	`198.51.100.1 - - [01/Mar/2026:10:00:30 +0000] "GET /product HTTP/1.1" 503 - "-" ` + robot,
	`203.0.113.9 - ann [01/Mar/2026:10:30:30 +0000] "GET /cart HTTP/1.1" 302 0 "https://www.google.com/" ` + human,
}

// blocks cuts the lines into blocks of two.
func blocks() []record.Block {
	var out []record.Block
	base := int64(0)
	for pair := range slices.Chunk(lines, 2) {
		data := []byte(strings.Join(pair, "\n") + "\n")
		out = append(out, record.Block{Source: strings.Repeat("0", 32), Name: "test.log", Format: "combined", Base: base, Data: data})
		base += int64(len(data))
	}
	return out
}

const ms = 1772359200000 // 2026-03-01 10:00 UTC

// firstSession is the id of the person's first session.
const firstSession = "a69f4314f57b1a95e0c3fbe91019d901"

// touched are the columns of a session that came from one place.
func touched(source, medium, channel string) string {
	var of []string
	for _, which := range []string{"", "first_", "last_"} {
		of = append(of, fmt.Sprintf("%ssource=%s %[1]smedium=%[3]s %[1]schannel=%[4]s", which, source, medium, channel))
	}
	return strings.Join(of, " ")
}

// want is what the job makes of the lines, by output, whatever brings them.
var want = map[string][]string{
	"sessions": {
		fmt.Sprintf("start_time=%d end_time=%d events=3 page_views=2 entry_page=/ exit_page=/product bounce=0 version=3 duration_ms=30000 engaged=1 bot=0 truncated=0 "+
			"source=news medium=email campaign=tok_email_k1_x54z35h7ugcnnmvkzezetoe2pku555xb channel=Email "+
			"first_source=(direct) first_medium=(none) first_channel=Direct last_source=news last_medium=email last_campaign=tok_email_k1_x54z35h7ugcnnmvkzezetoe2pku555xb last_channel=Email session_index=1", ms, ms+30_000),
		fmt.Sprintf("start_time=%d end_time=%d events=1 page_views=0 bounce=1 version=1 duration_ms=0 engaged=0 bot=0 truncated=0 "+touched("google", "organic", "Organic Search")+" session_index=2 previous_session_id="+firstSession, ms+1_830_000, ms+1_830_000),
		fmt.Sprintf("start_time=%d end_time=%d events=1 page_views=0 bounce=1 version=1 duration_ms=0 engaged=0 bot=1 truncated=0 "+touched("(direct)", "(none)", "Direct")+" session_index=1", ms+30_000, ms+30_000),
	},
	"traffic": {
		fmt.Sprintf("window_start=%d window_seconds=1 status_class=2xx views=1 bytes=100 version=1", ms),
		fmt.Sprintf("window_start=%d window_seconds=1 status_class=2xx views=1 bytes=70 version=1", ms+20_000),
		fmt.Sprintf("window_start=%d window_seconds=1 status_class=2xx views=1 bytes=50 version=1", ms+30_000),
		fmt.Sprintf("window_start=%d window_seconds=1 status_class=5xx views=1 bytes=0 version=1", ms+30_000),
		fmt.Sprintf("window_start=%d window_seconds=1 status_class=3xx views=1 bytes=0 version=1", ms+1_830_000),
		fmt.Sprintf("window_start=%d window_seconds=60 status_class=2xx views=3 bytes=220 version=3", ms),
		fmt.Sprintf("window_start=%d window_seconds=60 status_class=5xx views=1 bytes=0 version=1", ms),
		fmt.Sprintf("window_start=%d window_seconds=60 status_class=3xx views=1 bytes=0 version=1", ms+1_800_000),
	},
	"top_pages": {
		fmt.Sprintf("window_start=%d rank=1 path=/product views=2 window_seconds=3600 version=5 visitors=2 bytes_p50=0 bytes_p95=0 bytes_p99=0 exact=1 views_error=0", ms),
		fmt.Sprintf("window_start=%d rank=2 path=/ views=1 window_seconds=3600 version=5 visitors=1 bytes_p50=100 bytes_p95=100 bytes_p99=100 exact=1 views_error=0", ms),
		fmt.Sprintf("window_start=%d rank=3 path=/cart views=1 window_seconds=3600 version=5 visitors=1 bytes_p50=0 bytes_p95=0 bytes_p99=0 exact=1 views_error=0", ms),
	},
	"visitors": {"day=20513 visitors=2 visitors_without_bots=1 exact=1 version=5"},
	"bots":     {"day=20513 bot_name=Googlebot hits=1 visitors=1 version=1"},
	"clients": {
		"day=20513 dimension=browser value=Firefox hits=4 hits_without_bots=4 visitors=1 visitors_without_bots=1 exact=1 version=4",
		"day=20513 dimension=browser value=Googlebot hits=1 hits_without_bots=0 visitors=1 visitors_without_bots=0 exact=1 version=1",
		"day=20513 dimension=os value=Linux hits=4 hits_without_bots=4 visitors=1 visitors_without_bots=1 exact=1 version=4",
		"day=20513 dimension=os value=(unknown) hits=1 hits_without_bots=0 visitors=1 visitors_without_bots=0 exact=1 version=1",
		"day=20513 dimension=device value=desktop hits=4 hits_without_bots=4 visitors=1 visitors_without_bots=1 exact=1 version=4",
		"day=20513 dimension=device value=bot hits=1 hits_without_bots=0 visitors=1 visitors_without_bots=0 exact=1 version=1",
		`day=20513 dimension=bot_reason value=user agent has "googlebot" hits=1 hits_without_bots=0 visitors=1 visitors_without_bots=0 exact=1 version=1`,
	},
	"funnels": {
		fmt.Sprintf("funnel=buy start_time=%d level=3 steps=3 converted=1 excluded=0 reached=3 step_times=[0,20000,1830000] last_time=%d breakdown=GET truncated=0 duration_ms=1830000 version=3", ms, ms+1_830_000),
		fmt.Sprintf("funnel=look start_time=%d level=1 steps=2 converted=0 excluded=0 reached=1 step_times=[0] last_time=%d truncated=0 duration_ms=0 version=3", ms+20_000, ms+20_000),
		fmt.Sprintf("funnel=look start_time=%d level=1 steps=2 converted=0 excluded=0 reached=1 step_times=[0] last_time=%d truncated=0 duration_ms=0 version=1", ms+30_000, ms+30_000),
	},
	"funnel_steps": {
		"day=20513 funnel=buy breakdown=GET step=1 step_name=home visitors=1 previous=1 excluded=0 version=1",
		"day=20513 funnel=buy breakdown=GET step=2 step_name=product visitors=1 previous=1 excluded=0 total_ms=20000 average_ms=20000 median_ms=20000 version=1",
		"day=20513 funnel=buy breakdown=GET step=3 step_name=cart visitors=1 previous=1 excluded=0 total_ms=1810000 average_ms=1.81e+06 median_ms=1.81e+06 version=1",
		"day=20513 funnel=look step=1 step_name=product visitors=2 previous=2 excluded=0 version=2",
		"day=20513 funnel=look step=2 step_name=cart visitors=0 previous=2 excluded=0 total_ms=0 version=2",
	},
	"bad_rows":  {fmt.Sprintf("noted_time=%d stage=decode reason=truncated position=%d length=12 skeleton=%s", ms+20_000, len(lines[0])+len(lines[1])+len(lines[2])+3, `a6 "a4`)},
	"raw":       {},
	"anomalies": wantAnomalies(),
	"alerts":    wantAlerts(),
}

func common(t *testing.T) transforms.Common {
	t.Helper()
	key := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(key, []byte("k1:"+strings.Repeat("ab", 32)), 0o600); err != nil {
		t.Fatal(err)
	}
	return transforms.Common{Run: "test", KeyRef: "file://" + key, Raw: "off"}
}

func settings() weblogs.Settings {
	s := weblogs.Defaults()
	s.TopPages, s.PageSketches, s.SessionIndex = 3, true, true
	s.Anomalies, s.Alerts = true, rules()
	s.Funnels = []funnels.Definition{
		{Name: "buy", Within: time.Hour, Breakdown: &funnels.Breakdown{Field: "method"}, Steps: []funnels.Step{
			{Name: "home", Where: `path == "/"`}, {Name: "product", Where: `path == "/product"`}, {Name: "cart", Where: `path == "/cart"`},
		}},
		{Name: "look", Within: 90 * time.Minute, Order: funnels.Strict, Steps: []funnels.Step{
			{Name: "product", Where: `path == "/product"`}, {Name: "cart", Where: `path == "/cart"`},
		}},
	}
	return s
}

// sources bring the blocks as a bounded collection and as a stream, and the
// stream to a live run.
var sources = map[string]func(s beam.Scope) beam.PCollection{
	"live":   stream,
	"batch":  func(s beam.Scope) beam.PCollection { return blocksOf(s, blocks()) },
	"stream": stream,
}

// blocksOf brings blocks as a bounded collection.
func blocksOf(s beam.Scope, blocks []record.Block) beam.PCollection {
	var all []any
	for _, b := range blocks {
		all = append(all, b)
	}
	return beam.Create(s, all...)
}

func stream(s beam.Scope) beam.PCollection { return streamOf(s, blocks()) }

// streamOf brings blocks one after another, with a watermark between.
func streamOf(s beam.Scope, blocks []record.Block) beam.PCollection {
	c := teststream.NewConfig()
	for i, b := range blocks {
		must(c.AddElements(ms, b))
		must(c.AdvanceWatermark(ms + int64(i)))
	}
	must(c.AdvanceWatermarkToInfinity())
	return teststream.Create(s, c)
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

func TestOutputsAreTheSameWhateverBringsTheLines(t *testing.T) {
	for name, source := range sources {
		t.Run(name, func(t *testing.T) {
			c := common(t)
			if name == "live" {
				c.Live = &transforms.Live{Bucket: 10 * time.Minute}
			}
			ptest.BuildAndRun(t, func(s beam.Scope) { expect(s, weblogs.Build(s, settings(), c, source(s))) })
		})
	}
}

// expect holds what the job made of the lines.
func expect(s beam.Scope, out transforms.Outputs) {
	for output, rows := range want {
		passert.EqualsList(s.Scope(output), beam.ParDo(s, showRows, out.Rows[output]), rows)
	}
}

func TestDefaultsAreValidAndFaultsAreReportedTogether(t *testing.T) {
	if err := weblogs.Defaults().Validate(); err != nil {
		t.Errorf("defaults: %v", err)
	}
	err := weblogs.Settings{SessionGap: -1, TopPages: 0, ExactPages: 15, Shards: 1000, OwnDomains: "example.org, a b"}.Validate()
	for _, name := range []string{"sessions.gap", "top_pages", "top_pages.exact_limit", "lake.shards", `attribution.own_domains: own domain "a b"`} {
		if err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%v does not name %s", err, name)
		}
	}
}
