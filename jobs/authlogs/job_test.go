package authlogs_test

import (
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

	"millrace/internal/alertrules"
	"millrace/internal/generate"
	"millrace/jobs/authlogs"
	"millrace/schemas/record"
	"millrace/schemas/table"
	"millrace/transforms"
	"millrace/transforms/alerts"
	"millrace/transforms/security"
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

// start is the day before the last one of a year: the log goes on into the next.
var start = time.Date(2025, 12, 31, 0, 0, 0, 0, time.UTC)

const perBlock = 100

// blocks are a generated log of two days, cut into small blocks as a stream brings
// them: each line arrives a second after it was written.
func blocks(t *testing.T) (out []record.Block, attacks []generate.Attack) {
	t.Helper()
	lines, attacks, err := generate.AuthLog(generate.AuthConfig{Seed: 2, Start: start, Users: 10, Attacks: 7})
	if err != nil {
		t.Fatal(err)
	}
	for some := range slices.Chunk(lines, perBlock) {
		b := record.Block{Source: strings.Repeat("0", 32), Name: "test", Format: "syslog"}
		for i, l := range some {
			b.Data = append(b.Data, l.Text...)
			b.Ends = append(b.Ends, len(b.Data))
			b.Positions = append(b.Positions, int64(perBlock*len(out)+i))
			b.Arrivals = append(b.Arrivals, l.At.UnixMilli()+1000)
		}
		out = append(out, b)
	}
	return out, attacks
}

func batch(all []record.Block) func(beam.Scope) beam.PCollection {
	return func(s beam.Scope) beam.PCollection {
		var elements []any
		for _, b := range all {
			elements = append(elements, b)
		}
		slices.Reverse(elements)
		return beam.Create(s, elements...)
	}
}

// stream brings the blocks with a watermark at their first line.
func stream(all []record.Block) func(beam.Scope) beam.PCollection {
	return func(s beam.Scope) beam.PCollection {
		c := teststream.NewConfig()
		for _, b := range all {
			at := b.Arrivals[0] - 1000
			must(c.AdvanceWatermark(at))
			must(c.AddElements(at, b))
		}
		for hour := range int64(6) {
			must(c.AdvanceWatermark(start.UnixMilli() + (48+hour)*3_600_000))
		}
		must(c.AdvanceWatermarkToInfinity())
		return teststream.Create(s, c)
	}
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

func builtIn(t *testing.T) []alerts.Rule {
	t.Helper()
	rules, err := alertrules.Decode(security.LoginRules, "logins.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return rules
}

// run gives the rows of a run by output, in order.
func run(t *testing.T, name string, live bool, source func(beam.Scope) beam.PCollection) map[string][]string {
	t.Helper()
	key := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(key, []byte("k1:"+strings.Repeat("ab", 32)), 0o600); err != nil {
		t.Fatal(err)
	}
	c := transforms.Common{Run: "test", KeyRef: "file://" + key, Raw: "off"}
	if live {
		c.Live = &transforms.Live{Bucket: 10 * time.Minute}
	}
	s := authlogs.Defaults()
	s.Alerts = builtIn(t)
	ptest.BuildAndRun(t, func(scope beam.Scope) {
		out := authlogs.Build(scope, s, c, source(scope))
		for _, output := range slices.Sorted(maps.Keys(out.Rows)) {
			beam.ParDo0(scope, &collectFn{name, output}, out.Rows[output])
		}
	})
	collected.Lock()
	defer collected.Unlock()
	for _, rows := range collected.rows[name] {
		slices.Sort(rows)
	}
	return collected.rows[name]
}

// TestStreamAndBatchAgreeOverTheEndOfAYear, although no line says its year.
func TestStreamAndBatchAgreeOverTheEndOfAYear(t *testing.T) {
	all, attacks := blocks(t)
	want := run(t, "batch", false, batch(all))
	lines := 0
	for _, b := range all {
		lines += b.Records()
	}
	years := map[int]int{}
	for _, row := range want["events"] {
		_, ms, _ := strings.Cut(row, "event_time=")
		var at int64
		_, err := fmt.Sscan(ms, &at)
		must(err)
		years[time.UnixMilli(at).UTC().Year()]++
	}
	if years[2025] == 0 || years[2026] == 0 || years[2025]+years[2026] != lines {
		t.Errorf("events of %v, of %d lines", years, lines)
	}
	rules := map[string]int{}
	for _, row := range want["alerts"] {
		for _, r := range []string{"brute-force", "login-after-brute-force"} {
			if strings.Contains(row, "rule="+r+" ") && strings.Contains(row, " state=resolved ") {
				rules[r]++
			}
		}
	}
	succeeded := 0
	for _, a := range attacks {
		if a.Succeeded {
			succeeded++
		}
	}
	if rules["brute-force"] < len(attacks) || succeeded == 0 || rules["login-after-brute-force"] != succeeded || len(want["sources"]) == 0 {
		t.Errorf("alerts %v, %d rows of sources", rules, len(want["sources"]))
	}
	got := run(t, "live", true, stream(all))
	for output, rows := range want {
		if diff := cmp.Diff(rows, got[output]); diff != "" {
			t.Errorf("%s: %d rows, batch gives %d (-batch +live):\n%.2000s", output, len(got[output]), len(rows), diff)
		}
	}
	address := regexp.MustCompile(`\b(45|81)\.\d+\.\d+\.[1-9]`) // their networks end in 0
	for output, rows := range want {
		for _, row := range rows {
			if address.MatchString(row) || strings.Contains(row, "root") || strings.Contains(row, "oracle") {
				t.Fatalf("%s has %s", output, row)
			}
		}
	}
}

func TestBuiltInRulesAreThoseOfAccessLogs(t *testing.T) {
	all, err := alertrules.Decode(security.AlertRules, "alerts.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range builtIn(t) {
		i := slices.IndexFunc(all, func(o alerts.Rule) bool { return o.Name == r.Name })
		if i < 0 {
			t.Fatalf("there is no rule %s", r.Name)
		}
		o := all[i]
		o.At, r.At = "", ""
		if diff := cmp.Diff(o, r); diff != "" {
			t.Errorf("%s (-alerts.yaml +logins.yaml):\n%s", r.Name, diff)
		}
	}
}

func TestDefaultsAreValidAndFaultsAreReportedTogether(t *testing.T) {
	s := authlogs.Defaults()
	example := strings.Replace(authlogs.AlertsExample, "\nalerts:", "\nrules:", 1) // as in a file of rules alone
	rules, err := alertrules.Decode([]byte(example), "alerts.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if s.Alerts = append(builtIn(t), rules...); s.Validate() != nil {
		t.Errorf("defaults with the example: %v", s.Validate())
	}
	s = authlogs.Settings{Alerts: []alerts.Rule{alerts.Rule{Name: "x", Input: "site", Field: "requests"}.WithDefaults()}}
	err = s.Validate()
	for _, name := range []string{"lake.shards", "no site to watch"} {
		if err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%v does not name %s", err, name)
		}
	}
}
