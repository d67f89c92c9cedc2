package transforms

import (
	"context"
	"fmt"
	"reflect"
	"strings"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/core/state"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/core/timers"

	"millrace/internal/failure"
	"millrace/schemas/table"
	"millrace/transforms/rollup"
)

func init() {
	beam.RegisterType(reflect.TypeFor[liveRollupsFn]())
}

// mostParts is how many partial aggregates a key holds, about, before they are merged.
const mostParts = 32

// liveRollupsFn is rollupsFn for records that keep coming. A key is a table and
// a span of time; its rows are sealed together at the end of the span.
type liveRollupsFn struct {
	Rollups rollupsFn

	Parts    state.Bag[[]byte]
	Close    timers.EventTime
	ClosesAt state.Value[bell]
}

func newLiveRollupsFn(c Common, cfg RollupConfig) *liveRollupsFn {
	a := newAlarm()
	return &liveRollupsFn{
		Rollups: rollupsFn{Common: c, Config: cfg},
		Parts:   state.MakeBagState[[]byte]("parts"), Close: a.Timer, ClosesAt: a.At,
	}
}

func (fn *liveRollupsFn) Setup() error { return fn.Rollups.Setup() }

func (fn *liveRollupsFn) alarm() *alarm { return &alarm{Timer: fn.Close, At: fn.ClosesAt} }

// end is when the span of a key ends.
func (fn *liveRollupsFn) end(key string) (int64, error) {
	return rollup.End(key[strings.LastIndexByte(key, '/')+1:])
}

// ProcessElement keeps a partial aggregate.
func (fn *liveRollupsFn) ProcessElement(_ context.Context, sp state.Provider, tp timers.Provider, key string, packed []byte, traffic, pages, visitors, bots, clients, provisional func(table.Rows)) error {
	err := fn.take(sp, tp, key, packed, provisional)
	if err != nil {
		return failure.Note(fn.Rollups.Common.Run, fmt.Errorf("partial aggregates of %s: %w", key, err))
	}
	return nil
}

func (fn *liveRollupsFn) take(sp state.Provider, tp timers.Provider, key string, packed []byte, provisional func(table.Rows)) error {
	end, err := fn.end(key)
	if err != nil {
		return err
	}
	if err := fn.alarm().notAfter(sp, tp, sealsAt(end)); err != nil {
		return err
	}
	if err := fn.Parts.Add(sp, packed); err != nil {
		return err
	}
	fold, wanted := isFold(packed, mostParts), fn.Rollups.Common.Live.Provisional[tableOf(key)]
	if fold || wanted {
		if err := fn.merge(sp, key); err != nil {
			return err
		}
	}
	if wanted {
		emit := func(rows table.Rows) { provisional(table.Rows{Batch: rows.Batch, Kind: table.Provisional}) }
		if err := fn.Rollups.rows(key, emit, emit, emit, emit, emit, emit); err != nil {
			return err
		}
	}
	if fold {
		return fn.compact(sp, key)
	}
	return nil
}

// merge puts a key's parts together.
func (fn *liveRollupsFn) merge(sp state.Provider, key string) error {
	parts, _, err := fn.Parts.Read(sp)
	if err != nil {
		return err
	}
	into, err := fn.Rollups.begin(key)
	if err != nil {
		return err
	}
	for _, p := range parts {
		blob, err := unpack(p)
		if err == nil {
			err = into.Merge(blob)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// compact keeps what was merged in place of the parts.
func (fn *liveRollupsFn) compact(sp state.Provider, key string) error {
	if err := fn.Parts.Clear(sp); err != nil {
		return err
	}
	for _, p := range fn.Rollups.merge[tableOf(key)].Parts() {
		packed, err := (&packer{}).pack(p.Blob)
		if err != nil {
			return err
		}
		if err := fn.Parts.Add(sp, packed); err != nil {
			return err
		}
	}
	return nil
}

// OnTimer seals a key's rows.
func (fn *liveRollupsFn) OnTimer(_ context.Context, sp state.Provider, tp timers.Provider, key string, _ timers.Context, traffic, pages, visitors, bots, clients, provisional func(table.Rows)) error {
	err := fn.seal(sp, tp, key, liveRows{traffic, pages, visitors, bots, clients, nil, nil, provisional})
	if err != nil {
		return failure.Note(fn.Rollups.Common.Run, fmt.Errorf("sealing %s: %w", key, err))
	}
	return nil
}

// liveRows are where sealed rows go; sources and series are nil where there are none.
type liveRows struct {
	traffic, pages, visitors, bots, clients, sources, series, provisional func(table.Rows)
}

func (fn *liveRollupsFn) seal(sp state.Provider, tp timers.Provider, key string, to liveRows) error {
	if _, err := fn.alarm().rang(sp, tp); err != nil {
		return err
	}
	end, err := fn.end(key)
	if err != nil {
		return err
	}
	if err := fn.merge(sp, key); err != nil {
		return err
	}
	group := fn.Rollups.Common.Live.group(end)
	wanted := fn.Rollups.Common.Live.Provisional[tableOf(key)]
	sealed := func(emit func(table.Rows)) func(table.Rows) {
		return func(rows table.Rows) {
			emit(table.Rows{Batch: rows.Batch, Group: group})
			if wanted {
				to.provisional(table.Rows{Batch: rows.Batch, Kind: table.Sealed})
			}
		}
	}
	if err := fn.Rollups.rows(key, sealed(to.traffic), sealed(to.pages), sealed(to.visitors), sealed(to.bots), sealed(to.clients), sealed(to.sources)); err != nil {
		return err
	}
	if to.series != nil {
		fn.Rollups.series(key, to.series)
	}
	return fn.Parts.Clear(sp)
}
