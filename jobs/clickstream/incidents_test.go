package clickstream_test

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
	job "millrace/jobs/clickstream"
	"millrace/schemas/alert"
	"millrace/schemas/record"
	"millrace/schemas/table"
	"millrace/transforms"
	"millrace/transforms/alerts"
	"millrace/transforms/clickevents"
)

func init() { beam.RegisterType(reflect.TypeFor[keepAlertsFn]()) }

// keepAlertsFn keeps rows of alerts. Workers run in this process.
type keepAlertsFn struct{ Run string }

var keptAlerts = struct {
	sync.Mutex
	rows map[string][]string // by run
}{rows: map[string][]string{}}

func (fn *keepAlertsFn) ProcessElement(rows table.Rows) {
	keptAlerts.Lock()
	defer keptAlerts.Unlock()
	showRows(rows, func(row string) { keptAlerts.rows[fn.Run] = append(keptAlerts.rows[fn.Run], row) })
}

// shopDay is a day of a shop, in blocks, in the order in which its events are received.
func shopDay(seed uint64, incidents int) (out []record.Block, truth generate.ClickTruth) {
	s := generate.NewShop(generate.ClickConfig{Seed: seed, Events: 40_000, Days: 1, Incidents: incidents})
	var data []byte
	base := int64(0)
	flush := func() {
		out = append(out, record.Block{Source: strings.Repeat("0", 32), Name: "shop", Format: "clickstream", Base: base, Data: data})
		base += int64(len(data))
		data = nil
	}
	for line := range s.Lines {
		if data = append(data, line...); len(data) > 512<<10 {
			flush()
		}
	}
	flush()
	return out, s.Truth()
}

// exampleRules are those of alerts.yaml.
func exampleRules(t *testing.T) []alerts.Rule {
	t.Helper()
	content := strings.Replace(job.AlertsExample, "\nalerts:", "\nrules:", 1)
	rules, err := alertrules.Decode([]byte(content), "alerts.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return rules
}

// watchShop gives the rows of alerts that the example makes of blocks.
func watchShop(t *testing.T, run string, live bool, source func(beam.Scope) beam.PCollection) []string {
	t.Helper()
	c := common(t)
	c.Only = []string{"alerts"}
	if live {
		c.Live = &transforms.Live{Bucket: 10 * time.Minute}
	}
	cfg := job.Defaults()
	cfg.Anomalies, cfg.Alerts = true, exampleRules(t)
	if err := cfg.Validate(); err != nil {
		t.Fatal(err)
	}
	ptest.BuildAndRun(t, func(s beam.Scope) {
		beam.ParDo0(s, &keepAlertsFn{run}, job.Build(s, cfg, c, source(s)).Rows["alerts"])
	})
	keptAlerts.Lock()
	defer keptAlerts.Unlock()
	rows := keptAlerts.rows[run]
	slices.Sort(rows)
	return rows
}

func listOf(blocks []record.Block) func(beam.Scope) beam.PCollection {
	return func(s beam.Scope) beam.PCollection {
		var all []any
		for _, b := range blocks {
			all = append(all, b)
		}
		slices.Reverse(all)
		return beam.Create(s, all...)
	}
}

// found are the alerts that began, by what they are about, in order of time.
func found(t *testing.T, rows []string, truth generate.ClickTruth) (out []string) {
	t.Helper()
	rules := map[string]string{
		generate.CheckoutBroken: "conversion-drop", generate.BulkOrders: "revenue-anomaly", generate.CardTesting: "card-testing", generate.CardTestingNetwork: "card-testing-network",
	}
	for _, row := range rows {
		var since int64
		var rule string
		_, of, _ := strings.Cut(row, " ")
		if _, err := fmt.Sscanf(of, "firing_since=%d rule=%s", &since, &rule); err != nil {
			t.Fatalf("%s: %v", row, err)
		}
		if !strings.Contains(row, " state="+alert.Firing+" ") {
			continue
		}
		about := "nothing"
		for _, in := range truth.Incidents {
			if rules[in.Kind] == rule && since >= in.Start.Truncate(time.Minute).UnixMilli() && since <= in.End.UnixMilli() {
				about = in.Kind
			}
		}
		out = append(out, rule+" of "+about)
	}
	slices.Sort(out)
	return out
}

// TestTheExampleFindsEachIncidentOnce, and nothing where there is none.
func TestTheExampleFindsEachIncidentOnce(t *testing.T) {
	for _, seed := range []uint64{101, 102} {
		calm, _ := shopDay(seed, 0)
		if rows := watchShop(t, fmt.Sprint("calm", seed), false, listOf(calm)); len(rows) > 0 {
			t.Errorf("seed %d: nothing happens, and there are alerts:\n%s", seed, strings.Join(rows, "\n"))
		}
		blocks, truth := shopDay(seed, 1)
		rows := watchShop(t, fmt.Sprint("incidents", seed), false, listOf(blocks))
		want := []string{"card-testing of card_testing", "card-testing-network of card_testing_network", "conversion-drop of checkout_broken", "revenue-anomaly of bulk_orders"}
		if diff := cmp.Diff(want, found(t, rows, truth)); diff != "" || len(rows) != 2*len(want) {
			t.Errorf("seed %d (-want +got):\n%s%s\n%+v", seed, diff, strings.Join(rows, "\n"), truth.Incidents)
		}
	}
}

// TestALiveRunOfAShopHasTheAlertsOfABatch: all columns of them, of the afternoon.
func TestALiveRunOfAShopHasTheAlertsOfABatch(t *testing.T) {
	blocks, _ := shopDay(11, 1)
	blocks = blocks[len(blocks)*11/24:]
	want := watchShop(t, "batch", false, listOf(blocks))
	got := watchShop(t, "live", true, func(s beam.Scope) beam.PCollection {
		c := teststream.NewConfig()
		for _, b := range blocks {
			first, _, _ := bytes.Cut(b.Data, []byte{'\n'})
			at, _ := clickevents.EventTime(first)
			must(c.AdvanceWatermark(at - minute)) // an event is received a little later than it happens
			must(c.AddElements(at-minute, b))
		}
		must(c.AdvanceWatermarkToInfinity())
		return teststream.Create(s, c)
	})
	if diff := cmp.Diff(want, got); diff != "" || len(want) != 8 {
		t.Errorf("%d rows, batch gives %d (-batch +live):\n%s", len(got), len(want), diff)
	}
}
