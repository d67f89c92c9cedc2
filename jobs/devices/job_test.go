package devices_test

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/options/jobopts"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/testing/ptest"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/testing/teststream"
	"github.com/google/go-cmp/cmp"

	simulated "millrace/internal/generate/devices"
	"millrace/jobs/devices"
	"millrace/schemas/record"
	"millrace/schemas/table"
	"millrace/transforms"
	"millrace/transforms/alerts"
)

func TestMain(m *testing.M) {
	*jobopts.Experiments = "prism_disable_sdf_split" // as runners/prism does
	ptest.Main(m)
}

func init() { beam.RegisterType(reflect.TypeFor[collectFn]()) }

// collectFn keeps rows as text. Workers run in this process.
type collectFn struct{ Run, Output string }

var collected = struct {
	sync.Mutex
	rows map[string]map[string][]string // by run and output
}{rows: map[string]map[string][]string{}}

func (fn *collectFn) ProcessElement(rows table.Rows) {
	collected.Lock()
	defer collected.Unlock()
	if collected.rows[fn.Run] == nil {
		collected.rows[fn.Run] = map[string][]string{}
	}
	for row := range rows.Batch.Len() {
		collected.rows[fn.Run][fn.Output] = append(collected.rows[fn.Run][fn.Output], show(rows.Batch, row))
	}
}

func show(b *table.Batch, row int) string {
	var cells []string
	for col, c := range b.Schema().Columns {
		switch {
		case b.Null(col, row):
		case c.Kind == table.UUID:
			cells = append(cells, fmt.Sprintf("%s=%x", c.Name, b.UUID(col, row)))
		case c.Kind == table.String:
			cells = append(cells, c.Name+"="+string(b.Text(col, row)))
		case c.Kind == table.Float64:
			cells = append(cells, fmt.Sprintf("%s=%g", c.Name, b.Float(col, row)))
		default:
			cells = append(cells, fmt.Sprintf("%s=%d", c.Name, b.Int(col, row)))
		}
	}
	return strings.Join(cells, " ")
}

var start = time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)

// blocks are the readings of a ward and a hall over some hours, cut into small blocks.
func blocks() (out []record.Block) {
	var data []byte
	base := int64(0)
	flush := func() {
		out = append(out, record.Block{Source: strings.Repeat("0", 32), Name: "test", Format: "json", Base: base, Data: data})
		base += int64(len(data))
		data = nil
	}
	_, err := simulated.Simulate(simulated.Config{Seed: 3, Start: start, Length: 2 * time.Hour}, func(line []byte) error {
		if data = append(append(data, line...), '\n'); len(data) > 64<<10 {
			flush()
		}
		return nil
	})
	must(err)
	flush()
	return out
}

func batch(s beam.Scope) beam.PCollection {
	var all []any
	for _, b := range blocks() {
		all = append(all, b)
	}
	slices.Reverse(all)
	return beam.Create(s, all...)
}

// stream brings the blocks with a watermark some way behind them.
func stream(s beam.Scope) beam.PCollection {
	c := teststream.NewConfig()
	all := blocks()
	begin := start.UnixMilli()
	must(c.AdvanceWatermark(begin - 1000))
	for i, b := range all {
		must(c.AddElements(begin+int64(i)*1000, b))
		if at := begin + int64(i)*7_200_000/int64(len(all)) - 10*60_000; at > begin {
			must(c.AdvanceWatermark(at))
		}
	}
	// Step by step, so that what follows from each hour is sealed before the next.
	for hour := range int64(6) {
		must(c.AdvanceWatermark(begin + (hour+2)*3_600_000))
	}
	must(c.AdvanceWatermarkToInfinity())
	return teststream.Create(s, c)
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

func common(t *testing.T) transforms.Common {
	t.Helper()
	key := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(key, []byte("k1:"+strings.Repeat("ab", 32)), 0o600); err != nil {
		t.Fatal(err)
	}
	return transforms.Common{Run: "test", KeyRef: "file://" + key, Raw: "off"}
}

func settings() devices.Settings {
	s := devices.Defaults()
	s.GridStep, s.Anomalies = time.Minute, true
	six := 6.0
	s.Alerts = []alerts.Rule{
		alerts.Rule{Name: "ill", Input: "news2", Field: "score", By: []string{"subject"}, Above: &six}.WithDefaults(),
		alerts.Rule{Name: "silent", Input: "rollups", By: []string{"device_id"}, AbsentFor: 15 * 60_000, GiveUp: 3_600_000}.WithDefaults(),
	}
	return s
}

// run gives the rows of a run by output, in order.
func run(t *testing.T, name string, live bool, source func(beam.Scope) beam.PCollection) map[string][]string {
	t.Helper()
	c := common(t)
	if live {
		c.Live = &transforms.Live{Bucket: 10 * time.Minute}
	}
	ptest.BuildAndRun(t, func(s beam.Scope) {
		out := devices.Build(s, settings(), c, source(s))
		for _, output := range slices.Sorted(maps.Keys(out.Rows)) {
			beam.ParDo0(s, &collectFn{name, output}, out.Rows[output])
		}
	})
	collected.Lock()
	defer collected.Unlock()
	for _, rows := range collected.rows[name] {
		slices.Sort(rows)
	}
	return collected.rows[name]
}

func TestOutputsAreTheSameWhateverBringsTheReadings(t *testing.T) {
	want := run(t, "batch", false, batch)
	for _, output := range []string{"readings", "flags", "rollups", "health", "grid", "news2", "anomalies", "alerts", "bad_rows"} {
		if len(want[output]) == 0 {
			t.Errorf("batch gives no rows of %s", output)
		}
	}
	for name, live := range map[string]bool{"stream": false, "live": true} {
		t.Run(name, func(t *testing.T) {
			got := run(t, name, live, stream)
			for output, rows := range want {
				if diff := cmp.Diff(rows, got[output]); diff != "" {
					t.Errorf("%s: %d rows, batch gives %d (-batch +%s):\n%.2000s", output, len(got[output]), len(rows), name, diff)
				}
			}
		})
	}
}

func TestWhatWasPlantedIsFound(t *testing.T) {
	rows := run(t, "planted", false, batch)
	count := func(output, text string) (n int) {
		for _, row := range rows[output] {
			if regexp.MustCompile(text).MatchString(row) {
				n++
			}
		}
		return n
	}
	for _, c := range []struct {
		output, text string
		least, most  int
	}{
		{"flags", " flag=range ", 1, 1},
		{"flags", " flag=reset ", 1, 1},
		{"flags", " flag=duplicate ", 1, 1},
		{"flags", " flag=gap ", 8, 8}, // one of each vital sign, and of each measure of a machine
		{"flags", " flag=spike .* code=8867-4 ", 1, 1},
		{"flags", " flag=stuck .* code=temperature ", 60, 200},
		{"alerts", " rule=ill .* state=resolved ", 1, 9},
		{"alerts", " rule=silent ", 1, 1},
		{"news2", " risk=high ", 10, 90},
	} {
		if n := count(c.output, c.text); n < c.least || n > c.most {
			t.Errorf("%s has %d rows with %q, and should have %d to %d", c.output, n, c.text, c.least, c.most)
		}
	}
	for output, all := range rows {
		if strings.Contains(strings.Join(all, "\n"), "Patient ") {
			t.Errorf("%s names a patient", output)
		}
	}
}

func TestDefaultsAreValidAndFaultsAreReportedTogether(t *testing.T) {
	if err := devices.Defaults().Validate(); err != nil {
		t.Errorf("defaults: %v", err)
	}
	s := devices.Settings{Gap: -1, StuckReadings: 1, GridStep: time.Millisecond, Shards: 0}
	s.Alerts = []alerts.Rule{alerts.Rule{Name: "x", Input: "anomalies", Field: "score"}.WithDefaults()}
	err := s.Validate()
	for _, name := range []string{"clean.gap", "clean.stuck_readings", "grid.step", "lake.shards", "anomalies"} {
		if err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%v does not name %s", err, name)
		}
	}
	if !bytes.Contains([]byte(devices.AlertsExample), []byte("news2-high")) {
		t.Error("the example of alerts is another")
	}
}
