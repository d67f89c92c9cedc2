package clickstream_test

import (
	"fmt"
	"math/rand/v2"
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

	job "millrace/jobs/clickstream"
	"millrace/schemas/alert"
	"millrace/schemas/clickstream"
	"millrace/schemas/record"
	"millrace/schemas/table"
	"millrace/schemas/weblog"
	"millrace/transforms"
	"millrace/transforms/alerts"
	"millrace/transforms/funnels"
)

func TestMain(m *testing.M) {
	*jobopts.Experiments = "prism_disable_sdf_split" // as runners/prism does
	ptest.Main(m)
}

func init() {
	register.Function2x0(showRows)
	register.Function2x0(showCups)
	register.Function2x1(checkCups)
	register.Iter1[string]()
	register.Emitter1[string]()
}

// showRows turns rows into text: the columns that do not depend on ids.
func showRows(rows table.Rows, emit func(string)) {
	b := rows.Batch
	for row := range b.Len() {
		var cells []string
		for col, c := range b.Schema().Columns {
			switch {
			case b.Null(col, row) || c.Mask == table.MaskToken || c.Mask == table.MaskHash && b.Schema() != alert.Rows || c.Kind == table.UUID || b.Schema() != weblog.Sessions && c.Name == "source":
			case c.Kind == table.String:
				cells = append(cells, c.Name+"="+string(b.Text(col, row)))
			case c.Kind == table.Float64:
				cells = append(cells, fmt.Sprintf("%s=%.4f", c.Name, b.Float(col, row)))
			default:
				cells = append(cells, fmt.Sprintf("%s=%d", c.Name, b.Int(col, row)))
			}
		}
		emit(strings.Join(cells, " "))
	}
}

const (
	ms  = 1772359200000 // 2026-03-01 10:00 UTC
	day = 20513
)

func event(at int, name, members string) string {
	return fmt.Sprintf(`{"v":1,"name":%q,"time":%d,"event_id":"%s%d","platform":"web","consent":{"analytics":true,"ads":true},%s}`, name, ms+int64(at)*1000, name, at, members)
}

const (
	ann = `"client_id":"ann","page":{"location":"https://shop.example/p"}`
	bob = `"client_id":"bob","user_id":"bob@example.com","device":{"category":"mobile"}`
	cup = `{"item_id":"cup","price":9.95,"quantity":2}`
	pot = `{"item_id":"pot","price":20}`
)

// lines are two visits of a shop: Ann buys, and sends one event twice; Bob leaves his
// cart. Somebody without consent buys, too. Two lines are bad.
var lines = []string{
	event(0, "page_view", `"client_id":"ann","page":{"location":"https://shop.example/?utm_source=News&utm_medium=email"}`),
	event(10, "view_item", ann+`,"currency":"EUR","items":[`+cup+`]`),
	event(20, "view_item", ann+`,"currency":"EUR","items":[`+pot+`]`),
	event(30, "add_to_cart", ann+`,"currency":"EUR","items":[`+cup+`]`),
	event(30, "add_to_cart", ann+`,"currency":"EUR","items":[`+cup+`]`),
	`{"v":7}`,
	event(40, "begin_checkout", ann),
	event(65, "purchase", ann+`,"campaign":{"source":"News","medium":"email"},"currency":"EUR","value":"24.90","transaction_id":"T1","items":[`+cup+`]`),
	event(5, "view_item", bob+`,"currency":"EUR","items":[`+cup+`,`+pot+`]`),
	event(15, "add_to_cart", bob+`,"currency":"EUR","items":[`+cup+`,`+pot+`]`),
	event(25, "remove_from_cart", bob+`,"currency":"EUR","items":[{"item_id":"cup","quantity":1}]`),
	event(35, "page_view", bob) + `x`,
	`{"v":2,"name":"purchase","time":1772359262000,"currency":"JPY","value":500,"items":[{"item_id":"fan","price":500}],"client_id":"carl","consent":{"analytics":false}}`,
	`{"v":2,"name":"refund","time":1772359263000,"currency":"EUR","value":995,"platform":"server","items":[{"item_id":"cup","price":995,"quantity":1}]}`,
}

// blocks cuts the lines into blocks of two.
func blocks() []record.Block {
	var out []record.Block
	base := int64(0)
	for pair := range slices.Chunk(lines, 2) {
		data := []byte(strings.Join(pair, "\n") + "\n")
		out = append(out, record.Block{Source: strings.Repeat("0", 32), Name: "test.json", Format: "clickstream", Base: base, Data: data})
		base += int64(len(data))
	}
	return out
}

// at is the byte offset of a line.
func at(n int) (offset int) {
	for _, l := range lines[:n] {
		offset += len(l) + 1
	}
	return offset
}

func product(item, currency string, rank, views, carts, purchases, revenue int) string {
	return fmt.Sprintf("window_start=%d window_seconds=3600 item_id=%s currency=%s rank=%d views=%d carts=%d purchases=%d revenue=%d version=8", ms, item, currency, rank, views, carts, purchases, revenue)
}

func revenue(start int64, seconds int, currency, channel string, purchases, refunds, gross, refunded int) string {
	return fmt.Sprintf("window_start=%d window_seconds=%d currency=%s channel=%s purchases=%d refunds=%d gross=%d refunded=%d net=%d version=%d",
		start, seconds, currency, channel, purchases, refunds, gross, refunded, gross-refunded, purchases+refunds)
}

// want is what the job makes of the lines, by output, whatever brings them.
var want = map[string][]string{
	"sessions": {
		fmt.Sprintf("start_time=%d end_time=%d events=6 page_views=1 entry_page=/ exit_page=/ bounce=1 version=6 duration_ms=65000 engaged=1 bot=0 truncated=0 ", ms, ms+65_000) +
			"source=news medium=email channel=Email first_source=news first_medium=email first_channel=Email last_source=news last_medium=email last_channel=Email",
		fmt.Sprintf("start_time=%d end_time=%d events=3 page_views=0 bounce=1 version=3 duration_ms=20000 engaged=1 bot=0 truncated=0", ms+5_000, ms+25_000),
	},
	"products": {
		product("cup", "EUR", 1, 2, 4, 1, 995), product("pot", "EUR", 2, 2, 1, 0, 0), product("fan", "JPY", 1, 0, 0, 1, 500),
	},
	"revenue": {
		revenue(ms+60_000, 60, "EUR", "Email", 1, 0, 2490, 0), revenue(ms+60_000, 60, "EUR", "", 0, 1, 0, 995), revenue(ms+60_000, 60, "JPY", "", 1, 0, 500, 0),
		revenue(day*86_400_000, 86_400, "EUR", "Email", 1, 0, 2490, 0), revenue(day*86_400_000, 86_400, "EUR", "", 0, 1, 0, 995), revenue(day*86_400_000, 86_400, "JPY", "", 1, 0, 500, 0),
	},
	"visitors":        {"day=20513 visitors=2 known_visitors=1 exact=1 version=9"},
	"identities":      {fmt.Sprintf("day=20513 first_time=%d last_time=%d events=3 version=3", ms+5_000, ms+25_000)},
	"abandoned_carts": {fmt.Sprintf("start_time=%d last_time=%d adds=1 items=2 currency=EUR value=2995 checkout=0 version=2", ms+15_000, ms+25_000)},
	"funnels": {
		fmt.Sprintf("funnel=purchase start_time=%d level=4 steps=4 converted=1 excluded=0 reached=4 step_times=[0,20000,30000,55000] last_time=%d truncated=0 duration_ms=55000 version=5", ms+10_000, ms+65_000),
		fmt.Sprintf("funnel=purchase start_time=%d level=2 steps=4 converted=0 excluded=0 reached=2 step_times=[0,10000] last_time=%d breakdown=mobile truncated=0 duration_ms=10000 version=2", ms+5_000, ms+15_000),
	},
	"bad_rows": {
		fmt.Sprintf("noted_time=%d stage=decode reason=version position=%d length=7 skeleton=x\"a\":x2", ms+30_000, at(5)),
		fmt.Sprintf("noted_time=%d stage=decode reason=format position=%d length=%d skeleton=", ms+25_000, at(11), len(lines[11])) +
			`x"a":9,"a4":"x9","a4":9999999999999,"x8":"x11","a8":"a3","a7":x"a9":a4,"a3":x5,"x9":"a3","x7":"x11.a3","a6":x"a8":"a6"x3`,
	},
	"anomalies": wantAnomalies(),
	"alerts":    wantAlerts(),
	"late":      {},
	"raw":       {},
}

func common(t *testing.T) transforms.Common {
	t.Helper()
	key := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(key, []byte("k1:"+strings.Repeat("ab", 32)), 0o600); err != nil {
		t.Fatal(err)
	}
	return transforms.Common{Run: "test", KeyRef: "file://" + key, Raw: "off"}
}

func settings() job.Settings {
	s := job.Defaults()
	s.RecommendShrink = 0
	s.Anomalies, s.Alerts = true, rules()
	s.Funnels = []funnels.Definition{{Name: "purchase", Within: time.Hour, Breakdown: &funnels.Breakdown{Field: "device"}, Steps: []funnels.Step{
		{Name: "product", Where: `name == "view_item"`},
		{Name: "cart", Where: `name == "add_to_cart"`},
		{Name: "checkout", Where: `name == "begin_checkout"`},
		{Name: "purchase", Where: `name == "purchase"`},
	}}}
	return s
}

// sources bring the blocks as a bounded collection, and as a stream out of order to a
// live run.
var sources = map[string]func(s beam.Scope) beam.PCollection{
	"batch": func(s beam.Scope) beam.PCollection {
		var all []any
		for _, b := range blocks() {
			all = append(all, b)
		}
		return beam.Create(s, all...)
	},
	"live": func(s beam.Scope) beam.PCollection {
		all := blocks()
		rand.New(rand.NewPCG(3, 3)).Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
		c := teststream.NewConfig()
		for i, b := range all {
			must(c.AddElements(ms, b))
			must(c.AdvanceWatermark(ms + int64(i) - 10))
		}
		must(c.AdvanceWatermarkToInfinity())
		return teststream.Create(s, c)
	},
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

func TestOutputsAreTheSameWhateverBringsTheLines(t *testing.T) {
	for name, source := range map[string]string{"batch": "batch", "batch on one machine": "batch", "live": "live", "live with sinks": "live"} {
		source := sources[source]
		t.Run(name, func(t *testing.T) {
			c := common(t)
			switch name {
			case "live":
				c.Live = &transforms.Live{Bucket: 10 * time.Minute}
			case "live with sinks":
				c.Live = &transforms.Live{Bucket: 10 * time.Minute, Provisional: map[string]bool{}}
				for output := range want {
					c.Live.Provisional[output] = true
				}
			case "batch on one machine":
				c.Spill = t.TempDir()
			}
			ptest.BuildAndRun(t, func(s beam.Scope) {
				out := job.Build(s, settings(), c, source(s))
				for output, rows := range want {
					passert.EqualsList(s.Scope(output), beam.ParDo(s, showRows, out.Rows[output]), rows)
				}
				passert.Count(s, out.Rows["funnel_steps"], "batches of steps", 1)
			})
		})
	}
}

// showCups gives what counters of products say of cups, each time that they say it.
func showCups(rows table.Rows, emit func(int, string)) {
	b := rows.Batch
	if b.Schema() != clickstream.Products {
		return
	}
	for row := range b.Len() {
		if string(b.Text(clickstream.ProductItemID, row)) == "cup" {
			emit(0, fmt.Sprintf("kind=%d version=%d views=%d", rows.Kind, b.Int(clickstream.ProductVersion, row), b.Int(clickstream.ProductViews, row)))
		}
	}
}

// checkCups checks that views were told of before all of them had come, that no version told of two
// numbers, and that none is beyond the sealed one.
func checkCups(_ int, next func(*string) bool) error {
	views, sealed := map[int64]int64{}, int64(0)
	for said := ""; next(&said); {
		var kind, version, n int64
		if _, err := fmt.Sscanf(said, "kind=%d version=%d views=%d", &kind, &version, &n); err != nil {
			return err
		}
		if other, ok := views[version]; ok && other != n {
			return fmt.Errorf("version %d has %d views and %d", version, other, n)
		}
		if views[version] = n; table.RowKind(kind) == table.Sealed {
			sealed = version
		}
	}
	early := false
	for version, n := range views {
		if version > sealed {
			return fmt.Errorf("version %d is beyond the sealed %d", version, sealed)
		}
		early = early || version < sealed && n > 0
	}
	if sealed != 8 || views[sealed] != 2 || !early {
		return fmt.Errorf("views by version %v, sealed with %d", views, sealed)
	}
	return nil
}

// TestViewsAreCountedWhenTheyCome, and not when the watermark has passed them.
func TestViewsAreCountedWhenTheyCome(t *testing.T) {
	for name, passes := range map[string]bool{"the watermark stands": false, "it passes a minute": true} {
		t.Run(name, func(t *testing.T) {
			cfg := teststream.NewConfig()
			for i, b := range blocks() {
				must(cfg.AddElements(ms, b))
				must(cfg.AdvanceWatermark(ms - 60_000 + int64(i)))
			}
			if passes {
				must(cfg.AdvanceWatermark(ms + 61_000)) // the views settle, and what was early of them is no more
			}
			must(cfg.AdvanceWatermarkToInfinity())
			c := common(t)
			c.Live = &transforms.Live{Bucket: 10 * time.Minute, Provisional: map[string]bool{"products": true}}
			ptest.BuildAndRun(t, func(s beam.Scope) {
				out := job.Build(s, settings(), c, teststream.Create(s, cfg))
				beam.ParDo0(s, checkCups, beam.GroupByKey(s, beam.ParDo(s, showCups, beam.Flatten(s, out.Provisional...))))
				passert.EqualsList(s, beam.ParDo(s, showRows, out.Rows["products"]), want["products"])
			})
		})
	}
}

// TestAnOutputIsTheSameAlone asks for each output by itself: what is left out for it is
// nothing that it needs.
func TestAnOutputIsTheSameAlone(t *testing.T) {
	for output, rows := range want {
		for _, spill := range []string{"", t.TempDir()} {
			c := common(t)
			c.Spill, c.Only = spill, []string{output}
			ptest.BuildAndRun(t, func(s beam.Scope) {
				out := job.Build(s, settings(), c, sources["batch"](s))
				passert.EqualsList(s.Scope(output), beam.ParDo(s, showRows, out.Rows[output]), rows)
			})
		}
	}
}

func TestDefaultsAreValidAndFaultsAreReportedTogether(t *testing.T) {
	if err := job.Defaults().Validate(); err != nil {
		t.Errorf("defaults: %v", err)
	}
	s := job.Settings{SessionGap: -1, Shards: 1000, OwnDomains: "example.org, a b"}
	s.Alerts = []alerts.Rule{
		alerts.Rule{Name: "a", Input: "revenues", Field: "gross"}.WithDefaults(),
		alerts.Rule{Name: "b", Input: "revenue", Field: "gros"}.WithDefaults(),
		alerts.Rule{Name: "c", Input: "anomalies", Field: "score"}.WithDefaults(),
		alerts.Rule{Name: "d", Input: "events", Aggregate: alerts.Count, Per: []alerts.Match{{Column: "nam", Value: "purchase"}}}.WithDefaults(),
	}
	err := s.Validate()
	for _, name := range []string{
		"rule a, input: there is no revenues to watch, did you mean revenue?", "rule b, field: revenue has no column gros, did you mean gross?",
		"rule c, input: there is no anomalies to watch", "rule d, per: events has no column nam, did you mean name?", "anomalies.window",
		"sessions.gap", "dedup.horizon", "recommend.days", "lake.shards", `attribution.own_domains: own domain "a b"`,
	} {
		if err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%v does not name %s", err, name)
		}
	}
}

// TestNobodyPaysForWhatIsNotAskedFor: without rules and scores there are neither these
// outputs nor stages of them, and so savepoints go on.
func TestNobodyPaysForWhatIsNotAskedFor(t *testing.T) {
	asked := settings()
	plain := asked
	plain.Anomalies, plain.Alerts = false, nil
	for _, c := range []struct {
		cfg    job.Settings
		only   []string
		makes  bool
		output string
	}{
		{asked, nil, true, "alerts"},
		{asked, nil, true, "anomalies"},
		{asked, []string{"sessions", "revenue"}, false, "alerts"},
		{asked, []string{"sessions", "revenue"}, false, "anomalies"},
		{asked, []string{"anomalies"}, false, "alerts"},
		{plain, nil, false, "alerts"},
		{plain, nil, false, "anomalies"},
	} {
		p, s := beam.NewPipelineWithRoot()
		with := common(t)
		with.Only = c.only
		out := job.Build(s, c.cfg, with, sources["batch"](s))
		edges, _, err := p.Build()
		if err != nil {
			t.Fatal(err)
		}
		staged := false
		for _, e := range edges {
			staged = staged || strings.Contains(strings.ToLower(e.Scope().String()), c.output)
		}
		if _, made := out.Rows[c.output]; made != c.makes || staged != c.makes {
			t.Errorf("only %v: %s is an output: %t, and has stages: %t; want %t", c.only, c.output, made, staged, c.makes)
		}
	}
	for output, lacks := range map[string]bool{"alerts": true, "anomalies": true, "revenue": false} {
		if plain.Lacks(output) != "" != lacks || asked.Lacks(output) != "" {
			t.Errorf("%s lacks %q, and %q with rules and scores", output, plain.Lacks(output), asked.Lacks(output))
		}
	}
}
