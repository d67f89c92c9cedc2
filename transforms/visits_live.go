package transforms

import (
	"context"
	"fmt"
	"reflect"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/core/state"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/core/timers"

	"millrace/internal/failure"
	"millrace/schemas/clickstream"
	"millrace/schemas/table"
	"millrace/transforms/shop"
)

func init() {
	beam.RegisterType(reflect.TypeFor[liveVisitsFn]())
}

// liveVisitsFn is visitsFn for records that keep coming: carts, as soon as their
// visitor has rested so long that they are abandoned.
type liveVisitsFn struct {
	Config VisitConfig

	Fragments state.Bag[[]byte]   // that came since the last fold
	Open      state.Value[[]byte] // steps of visitors that do not rest, with the watermark of the last fold
	Close     timers.EventTime
	ClosesAt  state.Value[bell]
}

func newLiveVisitsFn(cfg VisitConfig) *liveVisitsFn {
	a, k := newAlarm(), newKept()
	return &liveVisitsFn{
		Config:    cfg,
		Fragments: k.Fragments, Open: k.Open,
		Close: a.Timer, ClosesAt: a.At,
	}
}

func (fn *liveVisitsFn) kept() kept { return kept{fn.Fragments, fn.Open} }

func (fn *liveVisitsFn) alarm() *alarm { return &alarm{Timer: fn.Close, At: fn.ClosesAt} }

func (fn *liveVisitsFn) note(shard string, err error) error {
	if err != nil {
		return failure.Note(fn.Config.Common.Run, fmt.Errorf("visits of visitor shard %s: %w", shard, err))
	}
	return nil
}

// ProcessElement keeps the steps of a bundle, and makes sure to be called when the
// first of them may be at an end.
func (fn *liveVisitsFn) ProcessElement(_ context.Context, sp state.Provider, tp timers.Provider, shard string, packed []byte, carts func(table.Rows)) error {
	return fn.note(shard, fn.take(sp, tp, packed, carts))
}

func (fn *liveVisitsFn) take(sp state.Provider, tp timers.Provider, packed []byte, carts func(table.Rows)) error {
	blob, err := unpack(packed)
	if err != nil {
		return err
	}
	var visits shop.Visits
	if err := visits.Add(blob); err != nil {
		return err
	}
	if err := fn.alarm().notAfter(sp, tp, sealsAt(visits.Earliest()+fn.timeout())); err != nil {
		return err
	}
	until, fold, err := fn.kept().add(sp, packed, false)
	if err != nil || !fold {
		return err
	}
	return fn.fold(sp, tp, until, carts)
}

func (fn *liveVisitsFn) timeout() int64 { return fn.Config.CartTimeout.Milliseconds() }

// OnTimer gives the carts that were abandoned.
func (fn *liveVisitsFn) OnTimer(_ context.Context, sp state.Provider, tp timers.Provider, shard string, _ timers.Context, carts func(table.Rows)) error {
	at, err := fn.alarm().rang(sp, tp)
	if err == nil && at != 0 {
		err = fn.fold(sp, tp, at, carts)
	}
	return fn.note(shard, err)
}

// fold puts the kept steps together and lets visitors go that rested as long as a cart
// may: nothing that follows goes on with theirs.
func (fn *liveVisitsFn) fold(sp state.Provider, tp timers.Provider, watermark int64, carts func(table.Rows)) error {
	_, open, blobs, err := fn.kept().read(sp)
	if err != nil {
		return err
	}
	var visits shop.Visits
	if open != nil {
		blobs = append(blobs, open)
	}
	for _, b := range blobs {
		if err := visits.Add(b); err != nil {
			return err
		}
	}
	rested, state, next := visits.Advance(fn.timeout(), watermark)
	groups := map[string]*table.Batch{}
	for _, v := range rested {
		for _, c := range v.Carts(fn.timeout(), watermark, fn.Config.Common.revision) {
			name := fn.Config.Common.Live.group(c.Last + fn.timeout())
			if groups[name] == nil {
				groups[name] = table.NewBatch(clickstream.Carts)
			}
			putCart(groups[name], &c)
		}
	}
	for name, rows := range groups {
		carts(table.Rows{Batch: rows, Group: name})
	}
	if state == nil {
		next = never
	}
	return fn.kept().write(sp, tp, fn.alarm(), watermark, state, next, watermark)
}
