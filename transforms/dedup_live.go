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

// liveDedupFn is dedupFn for records that keep coming: rows wait until everything that
// could come before them has come. A key is a shard of ids.
type liveDedupFn struct {
	Config DedupConfig

	Waiting  state.Bag[[]byte]   // rows
	IDs      state.Value[[]byte] // of one horizon
	Close    timers.EventTime
	ClosesAt state.Value[bell]
}

func newLiveDedupFn(cfg DedupConfig) *liveDedupFn {
	a := newAlarm()
	return &liveDedupFn{
		Config: cfg, Waiting: state.MakeBagState[[]byte]("waiting"), IDs: state.MakeValueState[[]byte]("ids"),
		Close: a.Timer, ClosesAt: a.At,
	}
}

// alarm rings by the second when sinks wait for what follows.
func (fn *liveDedupFn) alarm() *alarm {
	return &alarm{fn.Close, fn.ClosesAt, fn.Config.Common.Live.tickOf()}
}

// ProcessElement keeps rows, and makes sure to be called when the first of them can be
// judged.
func (fn *liveDedupFn) ProcessElement(_ context.Context, sp state.Provider, tp timers.Provider, shard string, packed []byte, _ func(table.Rows), _ func([]byte)) error {
	return fn.note(shard, fn.take(sp, tp, packed))
}

func (fn *liveDedupFn) take(sp state.Provider, tp timers.Provider, packed []byte) error {
	first := int64(dedup.Ended)
	err := eachRows(packed, func(rows table.Rows) error {
		for row := range rows.Batch.Len() {
			first = min(first, rows.Batch.Int(fn.Config.Columns.Time, row))
		}
		return nil
	})
	if err != nil || first == dedup.Ended {
		return err
	}
	if err := fn.Waiting.Add(sp, packed); err != nil {
		return err
	}
	a := fn.alarm()
	return a.notAfter(sp, tp, a.sealsAt(first+1))
}

// OnTimer decides about the rows before the watermark, and forgets ids.
func (fn *liveDedupFn) OnTimer(_ context.Context, sp state.Provider, tp timers.Provider, shard string, _ timers.Context, kept func(table.Rows), ledgers func([]byte)) error {
	at, err := fn.alarm().rang(sp, tp)
	if err == nil && at != 0 {
		err = fn.judge(sp, tp, at, kept, ledgers)
	}
	return fn.note(shard, err)
}

func (fn *liveDedupFn) note(shard string, err error) error {
	if err != nil {
		return failure.Note(fn.Config.Common.Run, fmt.Errorf("duplicates of id shard %s: %w", shard, err))
	}
	return nil
}

func (fn *liveDedupFn) judge(sp state.Provider, tp timers.Provider, watermark int64, kept func(table.Rows), ledgers func([]byte)) error {
	judge, err := fn.read(sp)
	if err != nil {
		return err
	}
	packed, _, err := fn.Waiting.Read(sp)
	if err != nil {
		return err
	}
	var waiting []table.Rows
	for _, b := range packed {
		if err := eachRows(b, func(rows table.Rows) error { judge.Note(rows.Batch); waiting = append(waiting, rows); return nil }); err != nil {
			return err
		}
	}
	var accounts dedupAccounts
	var rest []byte
	next := watermark + fn.Config.Horizon.Milliseconds() // when all that is known can go, if nothing waits
	latest := watermark
	for _, rows := range waiting {
		s := judge.Sort(rows.Batch, watermark)
		fn.Config.settle(rows, s, &accounts, kept)
		if len(s.Waiting) > 0 {
			next, latest = min(next, s.Earliest+1), max(latest, s.Latest)
			if rest, err = appendRows(rest, picked(rows, s.Waiting)); err != nil {
				return err
			}
		}
	}
	if err := accounts.emit(true, ledgers); err != nil {
		return err
	}
	judge.Advance(watermark)
	if err := fn.write(sp, judge, rest); err != nil || judge.Len() == 0 && len(rest) == 0 {
		return err
	}
	a := fn.alarm()
	return a.next(sp, tp, watermark, a.sealsAt(next), latest)
}

func (fn *liveDedupFn) read(sp state.Provider) (*dedup.Judge, error) {
	judge, err := dedup.NewJudge(fn.Config.Columns, fn.Config.Horizon, true)
	if err != nil {
		return nil, err
	}
	ids, _, err := fn.IDs.Read(sp)
	if err != nil {
		return nil, err
	}
	if ids, err = unpackState(ids); err != nil || ids == nil {
		return judge, err
	}
	return judge, judge.Merge(ids)
}

// write keeps the ids, and the rows that wait. A shard that knows nothing any more
// keeps nothing.
func (fn *liveDedupFn) write(sp state.Provider, judge *dedup.Judge, rest []byte) error {
	if err := fn.Waiting.Clear(sp); err != nil {
		return err
	}
	if judge.Len() == 0 && len(rest) == 0 {
		return fn.IDs.Clear(sp)
	}
	if len(rest) > 0 {
		packed, err := (&packer{}).pack(rest)
		if err != nil {
			return err
		}
		if err := fn.Waiting.Add(sp, packed); err != nil {
			return err
		}
	}
	return fn.IDs.Write(sp, packState(judge.AppendEncoded(nil)))
}
