package weblogs_test

import (
	"bytes"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/testing/ptest"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/testing/teststream"
	"github.com/google/go-cmp/cmp"

	"millrace/internal/alertrules"
	"millrace/internal/generate"
	"millrace/jobs/weblogs"
	"millrace/schemas/alert"
	"millrace/schemas/record"
	"millrace/schemas/table"
	"millrace/transforms"
	"millrace/transforms/alerts"
)

func init() {
	beam.RegisterType(reflect.TypeFor[hearFn]())
	beam.RegisterType(reflect.TypeFor[hearBlocksFn]())
}

// heard is what came, in its order, by test. Workers run in this process.
var heard = struct {
	sync.Mutex
	of map[string][]string
}{of: map[string][]string{}}

func hear(test, what string) {
	heard.Lock()
	defer heard.Unlock()
	heard.of[test] = append(heard.of[test], what)
}

func heardOf(test string) []string {
	heard.Lock()
	defer heard.Unlock()
	return slices.Clone(heard.of[test])
}

// hearFn hears of alerts: times in minutes since the first line.
type hearFn struct{ Test string }

func (fn *hearFn) ProcessElement(rows table.Rows) {
	for i := range rows.Batch.Len() {
		var a alert.Row
		rows.Batch.Row(i, &a)
		kind := map[table.RowKind]string{table.Provisional: "open", table.Sealed: "sealed"}[rows.Kind]
		hear(fn.Test, fmt.Sprintf("%s: %s since %d is %s at %d, %s, version %d", kind, a.Rule, (int64(a.FiringSince)-ms)/minute, a.State, (int64(a.ChangedAt)-ms)/minute, a.Reason, a.Version))
		if a.AlertID != alerts.ID(a.Rule, a.Key, int64(a.FiringSince)) {
			hear(fn.Test, "its id is "+a.AlertID)
		}
	}
}

// hearBlocksFn hears of lines.
type hearBlocksFn struct{ Test string }

func (fn *hearBlocksFn) ProcessElement(record.Block) { hear(fn.Test, "a line") }

// TestSinksHearOfAlertsAtOnce: of an absence while it lasts, and that it was given up; the
// lake has neither. Of an alert that goes by values they hear when it fires.
func TestSinksHearOfAlertsAtOnce(t *testing.T) {
	cfg := weblogs.Defaults()
	above := 0.0
	for _, r := range []alerts.Rule{
		{Name: "some", Input: "traffic", Field: "views", Where: []alerts.Match{{Column: "window_seconds", Value: "60"}}, Above: &above},
		{Name: "nothing", Input: "traffic", AbsentFor: 10 * minute, GiveUp: 40 * minute},
	} {
		cfg.Alerts = append(cfg.Alerts, r.WithDefaults())
	}
	if err := cfg.Validate(); err != nil {
		t.Fatal(err)
	}
	c := common(t)
	c.Live = &transforms.Live{Bucket: 10 * time.Minute, Provisional: map[string]bool{"alerts": true}}
	line := func(i int) record.Block {
		return record.Block{Source: strings.Repeat("0", 32), Name: "test.log", Format: "combined", Base: int64(i) * 1000, Data: []byte(lines[i] + "\n")}
	}
	ptest.BuildAndRun(t, func(s beam.Scope) {
		plan := teststream.NewConfig()
		must(plan.AddElements(ms, line(0)))
		must(plan.AdvanceWatermark(ms + 12*minute))
		must(plan.AddElements(ms+30*minute, line(5)))
		must(plan.AdvanceWatermark(ms + 35*minute))
		must(plan.AdvanceWatermark(ms + 45*minute))
		must(plan.AdvanceWatermarkToInfinity())
		blocks := teststream.Create(s, plan)
		out := weblogs.Build(s, cfg, c, blocks)
		beam.ParDo0(s, &hearBlocksFn{t.Name()}, blocks)
		beam.ParDo0(s, &hearFn{t.Name()}, beam.Flatten(s, out.Provisional...))
		beam.ParDo0(s, &hearFn{t.Name() + " in the lake"}, out.Rows["alerts"])
	})
	want := []string{
		"a line",
		"open: some since 0 is firing at 0, breach, version 1",
		"sealed: some since 0 is resolved at 1, silence, version 2",
		"open: nothing since 11 is firing at 11, absence, version 1",
		"a line",
		"open: some since 30 is firing at 30, breach, version 1",
		"sealed: some since 30 is resolved at 31, silence, version 2",
		"sealed: nothing since 11 is resolved at 30, data, version 2",
		"open: nothing since 41 is firing at 41, absence, version 1",
		"open: nothing since 41 is resolved at 71, given_up, version 2",
	}
	inLake := []string{
		"sealed: nothing since 11 is resolved at 30, data, version 2",
		"sealed: some since 0 is firing at 0, breach, version 1",
		"sealed: some since 0 is resolved at 1, silence, version 2",
		"sealed: some since 30 is firing at 30, breach, version 1",
		"sealed: some since 30 is resolved at 31, silence, version 2",
	}
	if diff := cmp.Diff(ordered(want), ordered(heardOf(t.Name()))); diff != "" {
		t.Errorf("sinks hear (-want +got):\n%s", diff)
	}
	got := heardOf(t.Name() + " in the lake")
	slices.Sort(got)
	if diff := cmp.Diff(inLake, got); diff != "" {
		t.Errorf("the lake has (-want +got):\n%s", diff)
	}
}

// ordered puts what is heard between two lines into an order: what two keys say at a
// time can come either way.
func ordered(all []string) (out []string) {
	for some := range strings.SplitSeq(strings.Join(all, "\n"), "a line") {
		part := strings.Split(strings.TrimSpace(some), "\n")
		slices.Sort(part)
		out = append(append(out, "a line"), part...)
	}
	return out
}

// TestTheExampleFindsIncidents of a farm's day: each by both rules of errors and as unusual,
// that of many errors says nothing else, and the site is never silent. What is unusual
// besides, and shares of errors in quiet hours, are as they come.
func TestTheExampleFindsIncidents(t *testing.T) {
	rules, err := alertrules.Decode([]byte(strings.Replace(weblogs.AlertsExample, "\nalerts:", "\nrules:", 1)), "alerts.yaml")
	if err != nil {
		t.Fatal(err)
	}
	cfg := weblogs.Defaults()
	cfg.Anomalies, cfg.Alerts = true, rules
	if err := cfg.Validate(); err != nil {
		t.Fatal(err)
	}
	farm, err := generate.Weblog(generate.WeblogConfig{Seed: 5, Lines: 100_000, Days: 1})
	if err != nil {
		t.Fatal(err)
	}
	var blocks []record.Block
	var data []byte
	base := int64(0)
	flush := func() {
		blocks = append(blocks, record.Block{Source: strings.Repeat("0", 32), Name: "farm.log", Format: "combined", Base: base, Data: data})
		base += int64(len(data))
		data = nil
	}
	for line := range farm.Lines() {
		if data = append(append(data, bytes.TrimSuffix(line.Text, []byte("\n"))...), '\n'); len(data) > 512<<10 {
			flush()
		}
	}
	flush()
	c := common(t)
	c.Only = []string{"alerts"}
	ptest.BuildAndRun(t, func(s beam.Scope) {
		beam.ParDo0(s, &hearFn{t.Name()}, weblogs.Build(s, cfg, c, blocksOf(s, blocks)).Rows["alerts"])
	})
	incidents := farm.Truth().Incidents
	fires, during := map[string]int{}, map[string]int{} // by rule: alerts; those of incidents
	states := map[string]int{}
	for _, said := range heardOf(t.Name()) {
		var rule, state string
		var since int64
		if _, err := fmt.Sscanf(said, "sealed: %s since %d is %s", &rule, &since, &state); err != nil {
			t.Fatalf("%s: %v", said, err)
		}
		if states[state]++; state != alert.Firing {
			continue
		}
		fires[rule]++
		for _, in := range incidents {
			if at := ms + since*minute; at >= in.Start.Truncate(time.Minute).UnixMilli() && at <= in.End.UnixMilli() {
				during[rule]++
			}
		}
	}
	if n := len(incidents); n == 0 || fires["server-errors"] != n || during["server-errors"] != n || during["error-ratio"] != n || during["unusual"] < n || fires["silence"] > 0 {
		t.Errorf("of %d incidents alerts are %v, of all times %v", n, during, fires)
	}
	if states[alert.Firing] != states[alert.Resolved] {
		t.Errorf("not all are resolved: %v", states)
	}
}
