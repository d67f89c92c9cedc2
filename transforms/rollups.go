package transforms

import (
	"context"
	"fmt"
	"reflect"
	"strings"
	"time"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"

	"millrace/schemas/table"
	"millrace/schemas/weblog"
	"millrace/transforms/accesslog"
	"millrace/transforms/rollup"
)

func init() {
	beam.RegisterType(reflect.TypeFor[rollupsFn]())
	beam.RegisterType(reflect.TypeFor[seriesRollupsFn]())
}

// RollupConfig configures Rollups.
type RollupConfig struct {
	TopPages      int // pages of an hour
	ExactPages    int // pages of an hour up to which their views are exact
	ExactVisitors int // visitors of a day that are counted one by one
	PageSketches  bool
	// SeriesPages is how many pages of an hour go to Series, of one with more than ExactPages
	// at most a tenth of these; 0 is no Series.
	SeriesPages int
	// Sources tells whether partials of sources come.
	Sources bool
}

// RollupOutputs are collections of table.Rows, one for each table. Provisional,
// of a live run, has rows of all tables that can still change, and after them the
// sealed ones. Series has what Anomalies reads beside the tables: visitors of minutes,
// of weblog.VisitorMinutes, and of each hour more pages, of weblog.TopPages.
type RollupOutputs struct{ Traffic, TopPages, Visitors, Bots, Clients, Sources, Series, Provisional beam.PCollection }

// Rollups merges partial aggregates, KV<table and window, encoded partial> in the
// global window, into rows. In batch all rows are sealed.
func Rollups(s beam.Scope, c Common, cfg RollupConfig, partials beam.PCollection) RollupOutputs {
	s = s.Scope("Rollups")
	if cfg.SeriesPages > 0 || cfg.Sources {
		return seriesRollups(s, c, cfg, partials)
	}
	if c.Live != nil {
		out := beam.ParDoN(s, newLiveRollupsFn(c, cfg), partials)
		return RollupOutputs{Traffic: out[0], TopPages: out[1], Visitors: out[2], Bots: out[3], Clients: out[4], Provisional: out[5]}
	}
	out := beam.ParDoN(s, &rollupsFn{Common: c, Config: cfg}, beam.GroupByKey(s, partials))
	return RollupOutputs{Traffic: out[0], TopPages: out[1], Visitors: out[2], Bots: out[3], Clients: out[4]}
}

// trafficWindows are the lengths of traffic's windows; pageWindow is that of top
// pages.
var trafficWindows = []time.Duration{time.Second, time.Minute}

const pageWindow = time.Hour

// accumulator is a table of package rollup.
type accumulator interface {
	Parts() []rollup.Part
	Merge(blob []byte) error
	Reset()
}

// rollups are the tables that one goroutine fills.
type rollups struct {
	traffic  *rollup.Traffic
	pages    *rollup.TopPages
	visitors *rollup.Visitors
	bots     *rollup.Bots
	clients  *rollup.Clients
	sources  *sourceTable
	minutes  *rollup.Minutes // nil without series
}

func newRollups(exactPages, exactVisitors int, pageSketches bool) (*rollups, error) {
	newPages := rollup.NewTopPages
	if pageSketches {
		newPages = rollup.NewSketchedTopPages
	}
	pages, err := newPages(pageWindow, exactPages)
	return &rollups{traffic: rollup.NewTraffic(), pages: pages, visitors: rollup.NewVisitors(exactVisitors), bots: rollup.NewBots(exactVisitors), clients: rollup.NewClients(exactVisitors), sources: &sourceTable{}}, err
}

// tables names the tables as the keys of partials do.
func (r *rollups) tables() map[string]accumulator {
	t := map[string]accumulator{"traffic": r.traffic, "top_pages": r.pages, "visitors": r.visitors, "bots": r.bots, "clients": r.clients, "sources": r.sources}
	if r.minutes != nil {
		t["minutes"] = r.minutes
	}
	return t
}

func (r *rollups) add(e *accesslog.Event) {
	r.traffic.Add(e.Time, e.Status, e.Bytes)
	if len(e.Path) > 0 {
		r.pages.AddSeen(e.Time, e.Path, e.Visitor.Hash, e.Bytes, e.Took, e.PageSeen)
	}
	r.visitors.Add(e.Time, e.Visitor.Hash, e.Bot)
	if r.minutes != nil {
		r.minutes.Add(e.Time, e.Visitor.Hash, e.MinuteSeen)
	}
	if e.BotName != "" {
		r.bots.Add(e.Time, e.BotName, e.Visitor.Hash)
	}
	if e.Client != nil {
		r.clients.Add(e.Time, e.Visitor.Hash, e.Bot, e.Client, e.ClientSeen)
	}
}

// take hands over the tables' partial aggregates and empties the tables. Live,
// what is sealed soon is cut finer.
func (r *rollups) take(live bool, emit func(string, []byte)) {
	for name, t := range r.tables() { // the order does not matter: a shuffle follows
		parts := t.Parts
		if fine, ok := t.(interface{ MinuteParts() []rollup.Part }); ok && live {
			parts = fine.MinuteParts
		}
		for _, p := range parts() {
			emit(name+"/"+p.Key, p.Blob)
		}
		t.Reset()
	}
}

type rollupsFn struct {
	Common Common
	Config RollupConfig

	rollups *rollups
	merge   map[string]accumulator
}

func (fn *rollupsFn) Setup() (err error) {
	fn.rollups, err = newRollups(fn.Config.ExactPages, fn.Config.ExactVisitors, fn.Config.PageSketches)
	if fn.Config.SeriesPages > 0 {
		fn.rollups.minutes = rollup.NewMinutes()
	}
	fn.merge = fn.rollups.tables()
	return err
}

func (fn *rollupsFn) ProcessElement(_ context.Context, key string, next func(*[]byte) bool, traffic, pages, visitors, bots, clients func(table.Rows)) error {
	if err := fn.mergeAll(key, next); err != nil {
		return err
	}
	return fn.rows(key, traffic, pages, visitors, bots, clients, nil)
}

// mergeAll puts the partials of a key together.
func (fn *rollupsFn) mergeAll(key string, next func(*[]byte) bool) error {
	into, err := fn.begin(key)
	if err != nil {
		return err
	}
	for b := []byte(nil); next(&b); b = nil {
		blob, err := unpack(b)
		if err == nil {
			err = into.Merge(blob)
		}
		if err != nil {
			return fmt.Errorf("partial aggregates of %s: %w", key, err)
		}
	}
	return nil
}

// tableOf is the table that a key of partials names.
func tableOf(key string) string {
	name, _, _ := strings.Cut(key, "/")
	return name
}

// begin gives the empty table that the partials of a key are merged into.
func (fn *rollupsFn) begin(key string) (accumulator, error) {
	into, ok := fn.merge[tableOf(key)]
	if !ok {
		return nil, fmt.Errorf("partial aggregates of an unknown table %q", key)
	}
	into.Reset()
	return into, nil
}

// rows gives the rows of a key whose partials are merged. Without Config.Sources
// there are none of sources, and nowhere to put them.
func (fn *rollupsFn) rows(key string, traffic, pages, visitors, bots, clients, sources func(table.Rows)) error {
	switch tableOf(key) {
	case "traffic":
		return fn.traffic(traffic)
	case "top_pages":
		fn.pages(pages)
	case "visitors":
		return fn.visitors(visitors)
	case "bots":
		fn.bots(bots)
	case "clients":
		return fn.clients(clients)
	case "sources":
		fn.sources(sources)
	}
	return nil
}

func (fn *rollupsFn) traffic(emit func(table.Rows)) error {
	b := table.NewBatch(weblog.TrafficRows)
	for _, window := range trafficWindows {
		rows, err := fn.rollups.traffic.Rows(window, fn.Common.revision)
		if err != nil {
			return err
		}
		for _, r := range rows {
			b.PutInt(weblog.TrafficWindowStart, r.Start)
			b.PutInt(weblog.TrafficWindowSeconds, int64(r.Seconds))
			b.PutString(weblog.TrafficStatusClass, r.Class.String())
			b.PutInt(weblog.TrafficViews, r.Views)
			b.PutInt(weblog.TrafficBytes, r.Bytes)
			b.PutInt(weblog.TrafficVersion, r.Version)
			b.EndRow()
		}
	}
	emit(table.Rows{Batch: b})
	return nil
}

func (fn *rollupsFn) pages(emit func(table.Rows)) { fn.mostRequested(fn.Config.TopPages, emit) }

// mostRequested gives so many pages of each hour.
func (fn *rollupsFn) mostRequested(n int, emit func(table.Rows)) {
	b := table.NewBatch(weblog.TopPages)
	for _, r := range fn.rollups.pages.Rows(n, fn.Common.revision) {
		b.PutInt(weblog.TopPageWindowStart, r.Start)
		b.PutInt(weblog.TopPageRank, int64(r.Rank))
		b.PutString(weblog.TopPagePath, r.Path)
		b.PutInt(weblog.TopPageViews, r.Views)
		b.PutInt(weblog.TopPageWindowSeconds, int64(r.Seconds))
		b.PutInt(weblog.TopPageVersion, r.Version)
		putEstimates(b, r.About)
		b.PutBool(weblog.TopPageExact, r.Exact)
		b.PutInt(weblog.TopPageViewsError, r.Error)
		b.EndRow()
	}
	emit(table.Rows{Batch: b})
}

func putEstimates(b *table.Batch, about *rollup.PageEstimates) {
	if about == nil {
		for _, col := range []int{weblog.TopPageVisitors, weblog.TopPageBytesP50, weblog.TopPageBytesP95, weblog.TopPageBytesP99} {
			b.PutNull(col)
		}
		putLatency(b, nil)
		return
	}
	b.PutInt(weblog.TopPageVisitors, about.Visitors)
	b.PutInt(weblog.TopPageBytesP50, about.P50)
	b.PutInt(weblog.TopPageBytesP95, about.P95)
	b.PutInt(weblog.TopPageBytesP99, about.P99)
	putLatency(b, about.Latency)
}

func putLatency(b *table.Batch, l *rollup.Latency) {
	if l == nil {
		for _, col := range []int{weblog.TopPageLatencyMsP50, weblog.TopPageLatencyMsP90, weblog.TopPageLatencyMsP99} {
			b.PutNull(col)
		}
		return
	}
	b.PutFloat(weblog.TopPageLatencyMsP50, l.P50)
	b.PutFloat(weblog.TopPageLatencyMsP90, l.P90)
	b.PutFloat(weblog.TopPageLatencyMsP99, l.P99)
}

func (fn *rollupsFn) visitors(emit func(table.Rows)) error {
	rows, err := fn.rollups.visitors.Rows(fn.Common.revision)
	if err != nil {
		return err
	}
	b := table.NewBatch(weblog.Visitors)
	for _, r := range rows {
		b.Append(&weblog.Visitor{Day: table.Day(r.Day), Visitors: r.Visitors, VisitorsWithoutBots: r.WithoutBots, Exact: r.Exact, Version: r.Version})
	}
	emit(table.Rows{Batch: b})
	return nil
}

func (fn *rollupsFn) bots(emit func(table.Rows)) {
	b := table.NewBatch(weblog.Bots)
	for _, r := range fn.rollups.bots.Rows(fn.Common.revision) {
		b.Append(&weblog.Bot{Day: table.Day(r.Day), BotName: r.Name, Hits: r.Hits, Visitors: r.Visitors, Version: r.Version})
	}
	emit(table.Rows{Batch: b})
}

func (fn *rollupsFn) clients(emit func(table.Rows)) error {
	rows, err := fn.rollups.clients.Rows(fn.Common.revision)
	if err != nil {
		return err
	}
	b := table.NewBatch(weblog.Clients)
	for _, r := range rows {
		b.Append(&weblog.Client{
			Day: table.Day(r.Day), Dimension: r.Dimension.String(), Value: r.Value, Hits: r.Hits, HitsWithoutBots: r.HitsWithoutBots,
			Visitors: r.Visitors, VisitorsWithoutBots: r.VisitorsWithoutBots, Exact: r.Exact, Version: r.Version,
		})
	}
	emit(table.Rows{Batch: b})
	return nil
}
