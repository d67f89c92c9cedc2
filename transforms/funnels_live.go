package transforms

import (
	"context"
	"fmt"
	"reflect"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/core/state"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/core/timers"

	"millrace/internal/failure"
	"millrace/schemas/funnel"
	"millrace/schemas/table"
	"millrace/transforms/funnels"
)

func init() {
	beam.RegisterType(reflect.TypeFor[liveFunnelsFn]())
}

// liveFunnelsFn is funnelsFn for records that keep coming: liveSessionsFn for
// funnels. Days that are over go on as counts.
type liveFunnelsFn struct {
	Common      Common
	Definitions []funnels.Definition
	Events      string // schema

	Fragments state.Bag[[]byte]   // that came since the last Advance
	Open      state.Value[[]byte] // events and rows that are still needed, with the watermark of the last fold
	Close     timers.EventTime
	ClosesAt  state.Value[bell]

	set       *funnels.Set
	evaluator *funnels.Evaluator
}

// funnelEmitters are where the outputs of liveFunnelsFn go.
type funnelEmitters struct {
	sealed, provisional func(table.Rows)
	tallies             func(string, []byte)
}

func newLiveFunnelsFn(c Common, of funnelSet) *liveFunnelsFn {
	a, k := newAlarm(), newKept()
	return &liveFunnelsFn{
		Common: c, Definitions: of.Definitions, Events: of.Events,
		Fragments: k.Fragments, Open: k.Open,
		Close: a.Timer, ClosesAt: a.At,
	}
}

func (fn *liveFunnelsFn) Setup() (err error) {
	fn.set, err = funnelSet{fn.Definitions, fn.Events}.compile()
	if err != nil {
		return failure.Note(fn.Common.Run, err)
	}
	fn.evaluator = fn.set.NewEvaluator(fn.Common.revision)
	return nil
}

func (fn *liveFunnelsFn) kept() kept { return kept{fn.Fragments, fn.Open} }

func (fn *liveFunnelsFn) alarm() *alarm { return &alarm{Timer: fn.Close, At: fn.ClosesAt} }

func (fn *liveFunnelsFn) wanted() bool { return fn.Common.Live.Provisional["funnels"] }

// ProcessElement keeps the fragments of a bundle, and makes sure to be called when
// the first of them may seal.
func (fn *liveFunnelsFn) ProcessElement(_ context.Context, sp state.Provider, tp timers.Provider, shard string, packed []byte, sealed, provisional func(table.Rows), tallies func(string, []byte)) error {
	err := fn.take(sp, tp, packed, funnelEmitters{sealed, provisional, tallies})
	return fn.note(shard, err)
}

// OnTimer seals what can no longer change.
func (fn *liveFunnelsFn) OnTimer(_ context.Context, sp state.Provider, tp timers.Provider, shard string, _ timers.Context, sealed, provisional func(table.Rows), tallies func(string, []byte)) error {
	at, err := fn.alarm().rang(sp, tp)
	if err == nil && at != 0 {
		err = fn.advance(sp, tp, at, funnelEmitters{sealed, provisional, tallies})
	}
	return fn.note(shard, err)
}

func (fn *liveFunnelsFn) note(shard string, err error) error {
	if err != nil {
		return failure.Note(fn.Common.Run, fmt.Errorf("funnels of visitor shard %s: %w", shard, err))
	}
	return nil
}

func (fn *liveFunnelsFn) take(sp state.Provider, tp timers.Provider, packed []byte, to funnelEmitters) error {
	blob, err := unpack(packed)
	if err != nil {
		return err
	}
	first, err := fn.evaluator.Earliest(blob)
	if err != nil {
		return err
	}
	next := bell{From: sealsAt(first + fn.set.MinWithin() + 1)}
	if next.At = next.From; fn.wanted() {
		next.At = sealsAt(first + 1)
	}
	if err := fn.alarm().ring(sp, tp, next); err != nil {
		return err
	}
	until, fold, err := fn.kept().add(sp, packed, false)
	if err != nil || !fold {
		return err
	}
	return fn.advance(sp, tp, until, to)
}

// advance folds the kept fragments into what is open, as of a watermark.
func (fn *liveFunnelsFn) advance(sp state.Provider, tp timers.Provider, watermark int64, to funnelEmitters) error {
	before, open, blobs, err := fn.kept().read(sp)
	if err != nil {
		return err
	}
	var u funnels.Update
	if fn.wanted() {
		u, err = fn.evaluator.AdvanceSettled(open, blobs, before, watermark, tick)
	} else {
		u, err = fn.evaluator.Advance(open, blobs, watermark)
	}
	if err != nil {
		return err
	}
	if err := fn.emit(&u, to); err != nil {
		return err
	}
	return fn.kept().write(sp, tp, fn.alarm(), watermark, u.State, u.Next, watermark)
}

func (fn *liveFunnelsFn) emit(u *funnels.Update, to funnelEmitters) error {
	groups := map[string]*table.Batch{}
	final := table.NewBatch(funnel.Attempts)
	for i := range u.Sealed {
		name := fn.Common.Live.group(u.Closed[i])
		rows := groups[name]
		if rows == nil {
			rows = table.NewBatch(funnel.Attempts)
			groups[name] = rows
		}
		fn.put(rows, &u.Sealed[i])
		fn.put(final, &u.Sealed[i])
	}
	for name, rows := range groups {
		to.sealed(table.Rows{Batch: rows, Group: name})
	}
	// Shards are added up in memory alone: what is left of a day is small.
	if err := tallied(fn.set, &packer{}, u.Days, to.tallies); err != nil || !fn.wanted() {
		return err
	}
	open, gone := table.NewBatch(funnel.Attempts), table.NewBatch(funnel.Attempts)
	for i := range u.Provisional {
		fn.put(open, &u.Provisional[i])
	}
	for i := range u.Withdrawn {
		w := &u.Withdrawn[i]
		putWithdrawn(gone, fn.set.Name(w.Funnel), len(fn.Definitions[w.Funnel].Steps), w)
	}
	for _, rows := range []table.Rows{{Batch: open, Kind: table.Provisional}, {Batch: gone, Kind: table.Withdrawn}, {Batch: final, Kind: table.Sealed}} {
		if rows.Batch.Len() > 0 {
			to.provisional(rows)
		}
	}
	return nil
}

func (fn *liveFunnelsFn) put(b *table.Batch, r *funnels.Row) {
	putAttempt(b, fn.set.Name(r.Funnel), r)
}
