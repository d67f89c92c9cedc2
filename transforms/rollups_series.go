package transforms

import (
	"context"
	"fmt"
	"reflect"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/core/state"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/core/timers"

	"millrace/internal/failure"
	"millrace/schemas/table"
	"millrace/schemas/weblog"
)

func init() {
	beam.RegisterType(reflect.TypeFor[liveSeriesRollupsFn]())
}

// seriesRollups is Rollups with the outputs Sources and Series. Without them a
// pipeline is what it would be if there were no such rows in the world, so that it
// goes on from savepoints of such.
func seriesRollups(s beam.Scope, c Common, cfg RollupConfig, partials beam.PCollection) RollupOutputs {
	if c.Live != nil {
		out := beam.ParDoN(s, newLiveSeriesRollupsFn(c, cfg), partials)
		return RollupOutputs{Traffic: out[0], TopPages: out[1], Visitors: out[2], Bots: out[3], Clients: out[4], Sources: out[5], Series: out[6], Provisional: out[7]}
	}
	out := beam.ParDoN(s, &seriesRollupsFn{Rollups: rollupsFn{Common: c, Config: cfg}}, beam.GroupByKey(s, partials))
	return RollupOutputs{Traffic: out[0], TopPages: out[1], Visitors: out[2], Bots: out[3], Clients: out[4], Sources: out[5], Series: out[6]}
}

// series gives the rows of a key that only scores are made of.
func (fn *rollupsFn) series(key string, emit func(table.Rows)) {
	switch tableOf(key) {
	case "minutes":
		b := table.NewBatch(weblog.VisitorMinutes)
		for _, r := range fn.rollups.minutes.Rows() {
			b.Append(&weblog.VisitorMinute{WindowStart: table.Millis(r.Start), WindowSeconds: 60, Visitors: r.Visitors, Exact: r.Exact})
		}
		emit(table.Rows{Batch: b})
	case "top_pages":
		if fn.Config.SeriesPages == 0 {
			return
		}
		fn.mostRequested(fn.Config.SeriesPages, emit)
	}
}

type seriesRollupsFn struct{ Rollups rollupsFn }

func (fn *seriesRollupsFn) Setup() error { return fn.Rollups.Setup() }

func (fn *seriesRollupsFn) ProcessElement(_ context.Context, key string, next func(*[]byte) bool, traffic, pages, visitors, bots, clients, sources, series func(table.Rows)) error {
	if err := fn.Rollups.mergeAll(key, next); err != nil {
		return err
	}
	fn.Rollups.series(key, series)
	return fn.Rollups.rows(key, traffic, pages, visitors, bots, clients, sources)
}

// liveSeriesRollupsFn is liveRollupsFn with the outputs Sources and Series.
type liveSeriesRollupsFn struct {
	Rollups rollupsFn

	Parts    state.Bag[[]byte]
	Close    timers.EventTime
	ClosesAt state.Value[bell]
}

func newLiveSeriesRollupsFn(c Common, cfg RollupConfig) *liveSeriesRollupsFn {
	l := newLiveRollupsFn(c, cfg)
	return &liveSeriesRollupsFn{Rollups: l.Rollups, Parts: l.Parts, Close: l.Close, ClosesAt: l.ClosesAt}
}

func (fn *liveSeriesRollupsFn) Setup() error { return fn.Rollups.Setup() }

func (fn *liveSeriesRollupsFn) live() *liveRollupsFn {
	return &liveRollupsFn{Rollups: fn.Rollups, Parts: fn.Parts, Close: fn.Close, ClosesAt: fn.ClosesAt}
}

// ProcessElement keeps a partial aggregate.
func (fn *liveSeriesRollupsFn) ProcessElement(ctx context.Context, sp state.Provider, tp timers.Provider, key string, packed []byte, traffic, pages, visitors, bots, clients, _, _, provisional func(table.Rows)) error {
	return fn.live().ProcessElement(ctx, sp, tp, key, packed, traffic, pages, visitors, bots, clients, provisional)
}

// OnTimer seals a key's rows.
func (fn *liveSeriesRollupsFn) OnTimer(_ context.Context, sp state.Provider, tp timers.Provider, key string, _ timers.Context, traffic, pages, visitors, bots, clients, sources, series, provisional func(table.Rows)) error {
	if err := fn.live().seal(sp, tp, key, liveRows{traffic, pages, visitors, bots, clients, sources, series, provisional}); err != nil {
		return failure.Note(fn.Rollups.Common.Run, fmt.Errorf("sealing %s: %w", key, err))
	}
	return nil
}
