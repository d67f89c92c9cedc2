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
	"millrace/transforms/dedup"
)

func init() {
	beam.RegisterType(reflect.TypeFor[liveDedupFn]())
}

// liveDedupFn is dedupFn for records that keep coming. Rows wait for the watermark; the ids
// of those that were judged are known, see knownIDs.
type liveDedupFn struct {
	Config DedupConfig

	Waiting  state.Bag[[]byte]   // rows that came since
	Recent   state.Bag[[]byte]   // ids of the last rounds
	Old      state.Bag[[]byte]   // slices of ids before those
	Filters  state.Value[[]byte] // of the slices
	Stamp    state.Value[int64]  // of what is known
	Close    timers.EventTime
	ClosesAt state.Value[bell]
}

func newLiveDedupFn(cfg DedupConfig) *liveDedupFn {
	a := newAlarm()
	return &liveDedupFn{
		Config: cfg, Waiting: state.MakeBagState[[]byte]("waiting"), Recent: state.MakeBagState[[]byte]("recent"), Old: state.MakeBagState[[]byte]("old"),
		Filters: state.MakeValueState[[]byte]("filters"), Stamp: state.MakeValueState[int64]("stamp"), Close: a.Timer, ClosesAt: a.At,
	}
}

func (fn *liveDedupFn) known(shard string) knownIDs {
	c := fn.Config
	return knownIDs{fn.Recent, fn.Old, fn.Filters, fn.Stamp, c.Horizon, c.Columns, c.Common.Run + "/" + shard}
}

// alarm rings by the second when sinks wait for what follows.
func (fn *liveDedupFn) alarm() *alarm {
	return &alarm{fn.Close, fn.ClosesAt, fn.Config.Common.Live.tickOf()}
}

// ProcessElement keeps rows, and makes sure to be called when the first of them can be
// judged.
func (fn *liveDedupFn) ProcessElement(_ context.Context, sp state.Provider, tp timers.Provider, shard string, packed []byte, _ func(table.Rows), _ func([]byte), early func(table.Rows)) error {
	return fn.note(shard, fn.take(sp, tp, shard, packed, early))
}

func (fn *liveDedupFn) take(sp state.Provider, tp timers.Provider, shard string, packed []byte, early func(table.Rows)) error {
	first := int64(dedup.Ended)
	var came []table.Rows
	err := eachRows(packed, func(rows table.Rows) error {
		came = append(came, rows)
		for row := range rows.Batch.Len() {
			first = min(first, rows.Batch.Int(fn.Config.Columns.Time, row))
		}
		return nil
	})
	if err != nil || first == dedup.Ended {
		return err
	}
	if fn.Config.Early {
		if err := fn.early(sp, shard, came, early); err != nil {
			return err
		}
	}
	if err := fn.Waiting.Add(sp, packed); err != nil {
		return err
	}
	a := fn.alarm()
	return a.notAfter(sp, tp, a.sealsAt(first+1))
}

// early gives those of the rows that came which nobody knows.
func (fn *liveDedupFn) early(sp state.Provider, shard string, came []table.Rows, emit func(table.Rows)) error {
	r, err := fn.known(shard).borrow(sp)
	if err != nil {
		return err
	}
	if r.waiting == nil {
		r.waiting = map[dedup.ID]bool{}
		if _, err := fn.eachWaiting(sp, func(rows table.Rows) { r.judge.Unseen(rows.Batch, r.waiting, nobody) }); err != nil {
			return err
		}
	}
	for _, rows := range came {
		if news := r.judge.Unseen(rows.Batch, r.waiting, r.inSlices); len(news) > 0 {
			emit(picked(rows, news))
		}
	}
	idsOfShards.put(fn.known(shard).place, r)
	return nil
}

func nobody(dedup.ID) bool { return false }

// eachWaiting gives the rows that wait, and tells whether any do.
func (fn *liveDedupFn) eachWaiting(sp state.Provider, use func(table.Rows)) (some bool, err error) {
	packed, _, err := fn.Waiting.Read(sp)
	if err != nil {
		return false, err
	}
	for _, b := range packed {
		if err := eachRows(b, func(rows table.Rows) error { use(rows); return nil }); err != nil {
			return false, err
		}
	}
	return len(packed) > 0, nil
}

// OnTimer decides about the rows before the watermark, and forgets ids.
func (fn *liveDedupFn) OnTimer(_ context.Context, sp state.Provider, tp timers.Provider, shard string, _ timers.Context, kept func(table.Rows), ledgers func([]byte), _ func(table.Rows)) error {
	at, err := fn.alarm().rang(sp, tp)
	if err == nil && at != 0 {
		err = fn.judge(sp, tp, shard, at, kept, ledgers)
	}
	return fn.note(shard, err)
}

func (fn *liveDedupFn) note(shard string, err error) error {
	if err != nil {
		return failure.Note(fn.Config.Common.Run, fmt.Errorf("duplicates of id shard %s: %w", shard, err))
	}
	return nil
}

func (fn *liveDedupFn) judge(sp state.Provider, tp timers.Provider, shard string, watermark int64, kept func(table.Rows), ledgers func([]byte)) error {
	var waiting []table.Rows
	some, err := fn.eachWaiting(sp, func(rows table.Rows) { waiting = append(waiting, rows) })
	if err != nil {
		return err
	}
	judge, ids, err := fn.known(shard).read(sp, waiting)
	if err != nil {
		return err
	}
	for _, rows := range waiting {
		judge.Note(rows.Batch)
	}
	var accounts dedupAccounts
	var rest []byte
	first, latest := int64(never), watermark
	ids.waiting = nil
	if fn.Config.Early {
		ids.waiting = map[dedup.ID]bool{}
	}
	for _, rows := range waiting {
		s := judge.Sort(rows.Batch, watermark)
		fn.Config.settle(rows, s, &accounts, kept)
		ids.note(rows.Batch, s)
		if len(s.Waiting) > 0 {
			first, latest = min(first, s.Earliest+1), max(latest, s.Latest)
			if fn.Config.Early {
				fn.Config.Columns.AddIDs(ids.waiting, rows.Batch, s.Waiting)
			}
			if rest, err = appendRows(rest, picked(rows, s.Waiting)); err != nil {
				return err
			}
		}
	}
	if err := accounts.emit(true, ledgers); err != nil {
		return err
	}
	if err := fn.wait(sp, some, rest); err != nil {
		return err
	}
	forgets, err := ids.write(sp, watermark, rest)
	if err != nil {
		return err
	}
	next := min(first, forgets)
	if next == never {
		return nil
	}
	a := fn.alarm()
	return a.next(sp, tp, watermark, a.sealsAt(next), latest)
}

// wait keeps the rows that wait in place of those that did.
func (fn *liveDedupFn) wait(sp state.Provider, before bool, rest []byte) error {
	if before {
		if err := fn.Waiting.Clear(sp); err != nil {
			return err
		}
	}
	if len(rest) == 0 {
		return nil
	}
	packed, err := (&packer{}).pack(rest)
	if err != nil {
		return err
	}
	return fn.Waiting.Add(sp, packed)
}
