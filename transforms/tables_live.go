package transforms

import (
	"context"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/core/state"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/core/timers"

	"millrace/internal/failure"
	"millrace/schemas/table"
	"millrace/transforms/rollup"
)

func init() {
	beam.RegisterType(reflect.TypeFor[liveTablesFn]())
}

// liveTablesFn is tablesFn for records that keep coming. The rows of a key are sealed
// together at the end of its span. Of a key whose rows a sink takes, partial aggregates
// are timed: those that settled count from when the watermark passes their time, and the early
// ones up to then.
type liveTablesFn struct {
	Tables tablesFn

	Parts    state.Bag[[]byte]  // that count
	Settled  state.Bag[[]byte]  // timed, that count later
	Early    state.Bag[[]byte]  // timed
	Passed   state.Value[int64] // what the watermark has passed of their times
	Close    timers.EventTime
	ClosesAt state.Value[bell]

	open map[string]mergedTable // of keys that changed in this bundle, with what is early
}

func newLiveTablesFn(cfg TableConfig) *liveTablesFn {
	a := newAlarm()
	return &liveTablesFn{
		Tables: tablesFn{Config: cfg},
		Parts:  state.MakeBagState[[]byte]("parts"), Settled: state.MakeBagState[[]byte]("settled"), Early: state.MakeBagState[[]byte]("early"),
		Passed: state.MakeValueState[int64]("passed"), Close: a.Timer, ClosesAt: a.At,
	}
}

func (fn *liveTablesFn) Setup() error {
	return failure.Note(fn.Tables.Config.Common.Run, fn.Tables.Setup())
}

// StartBundle forgets what a bundle that failed left.
func (fn *liveTablesFn) StartBundle(_, _ func(table.Rows)) { fn.open = map[string]mergedTable{} }

// FinishBundle gives the rows that changed in the bundle: what came together is told together.
func (fn *liveTablesFn) FinishBundle(_, provisional func(table.Rows)) error {
	for _, key := range slices.Sorted(maps.Keys(fn.open)) {
		rows, err := fn.rows(fn.open[key], key)
		if err != nil {
			return failure.Note(fn.Tables.Config.Common.Run, fmt.Errorf("rows of %s: %w", key, err))
		}
		if news := rowsShown.news(fn.place(key), rows); news.Len() > 0 {
			provisional(table.Rows{Batch: news, Kind: table.Provisional})
		}
	}
	return nil
}

// place names a key among those of all runs of this process.
func (fn *liveTablesFn) place(key string) string { return fn.Tables.Config.Common.Run + "/" + key }

func (fn *liveTablesFn) alarm() *alarm { return &alarm{Timer: fn.Close, At: fn.ClosesAt} }

// ProcessElement keeps a partial aggregate.
func (fn *liveTablesFn) ProcessElement(_ context.Context, sp state.Provider, tp timers.Provider, key string, part []byte, _, _ func(table.Rows)) error {
	if err := fn.take(sp, tp, key, part); err != nil {
		return failure.Note(fn.Tables.Config.Common.Run, fmt.Errorf("partial aggregates of %s: %w", key, err))
	}
	return nil
}

// spanEnd is when the span of a key ends.
func spanEnd(key string) (int64, error) { return rollup.End(key[strings.LastIndexByte(key, '/')+1:]) }

func (fn *liveTablesFn) take(sp state.Provider, tp timers.Provider, key string, part []byte) error {
	end, err := spanEnd(key)
	if err != nil {
		return err
	}
	seals := sealsAt(end)
	p, timed, err := timedPartOf(part)
	switch {
	case err != nil:
		return err
	case !timed:
		if err := fn.alarm().notAfter(sp, tp, seals); err != nil {
			return err
		}
		return fn.keep(sp, key, part)
	}
	if err := fn.alarm().ring(sp, tp, bell{min(p.until, seals), seals}); err != nil {
		return err
	}
	if !p.early {
		return fn.Settled.Add(sp, part)
	}
	if passed, _, err := fn.Passed.Read(sp); err != nil || p.until <= passed {
		return err // what settled counts already
	}
	return fn.show(sp, key, part, p)
}

// keep adds a partial aggregate to those that count.
func (fn *liveTablesFn) keep(sp state.Provider, key string, packed []byte) error {
	if err := fn.Parts.Add(sp, packed); err != nil || !isFold(packed, mostParts) {
		return err
	}
	parts, _, err := fn.Parts.Read(sp)
	if err != nil {
		return err
	}
	into, err := fn.merge(key, parts)
	if err != nil {
		return err
	}
	return fn.compact(sp, into)
}

// show keeps an early partial aggregate, and has its rows given when the bundle ends.
func (fn *liveTablesFn) show(sp state.Provider, key string, part []byte, p timedPart) error {
	into, ok := fn.open[key]
	if !ok {
		parts, _, err := fn.Parts.Read(sp)
		if err != nil {
			return err
		}
		early, err := passed(sp, fn.Early, 0)
		if err != nil {
			return err
		}
		if into, err = fn.merge(key, slices.Concat(parts, early.rest)); err != nil {
			return err
		}
		fn.open[key] = into
	}
	if err := mergePacked(into, p.packed); err != nil {
		return err
	}
	if err := fn.Early.Add(sp, part); err != nil || !isFold(p.packed, mostParts) {
		return err
	}
	return fn.foldEarly(sp, key)
}

// foldEarly has one part for each time in place of many.
func (fn *liveTablesFn) foldEarly(sp state.Provider, key string) error {
	all, _, err := fn.Early.Read(sp)
	if err != nil {
		return err
	}
	of := map[int64][][]byte{}
	for _, part := range all {
		p, _, err := timedPartOf(part)
		if err != nil {
			return err
		}
		of[p.until] = append(of[p.until], p.packed)
	}
	if err := fn.Early.Clear(sp); err != nil {
		return err
	}
	for _, until := range slices.Sorted(maps.Keys(of)) {
		into, err := fn.merge(key, of[until])
		if err != nil {
			return err
		}
		err = eachPacked(into, func(packed []byte) error {
			return fn.Early.Add(sp, timedPart{true, until, packed}.encode())
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// eachPacked gives the parts of a table as they lie in state.
func eachPacked(merged mergedTable, keep func(packed []byte) error) error {
	for _, p := range merged.Parts() {
		packed, err := (&packer{}).pack(p.Blob)
		if err == nil {
			err = keep(packed)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// pass has what settled up to a time count, and no longer what was early. It tells when there
// is more to pass: never when nothing is known of.
func (fn *liveTablesFn) pass(sp state.Provider, key string, at int64) (next int64, err error) {
	parts, _, err := fn.Parts.Read(sp)
	if err != nil {
		return 0, err
	}
	settled, err := passed(sp, fn.Settled, at)
	if err != nil {
		return 0, err
	}
	early, err := passed(sp, fn.Early, at)
	if err != nil {
		return 0, err
	}
	into, err := fn.merge(key, slices.Concat(parts, settled.passed))
	if err != nil {
		return 0, err
	}
	if err := fn.compact(sp, into); err != nil {
		return 0, err
	}
	for _, e := range early.rest {
		if err := mergePacked(into, e); err != nil {
			return 0, err
		}
	}
	fn.open[key] = into
	if next = min(settled.next, early.next); next != never { // in rounds, as all that waits long
		next = roundAfter(at, next, max(settled.last, early.last), tick).At
	}
	return next, fn.Passed.Write(sp, at)
}

// passing are timed parts: packed ones up to a time, and those beyond.
type passing struct {
	passed, rest [][]byte
	next, last   int64 // times of the first and the last of the rest; never and 0 for none
}

// passed takes out of a bag what the watermark has passed.
func passed(sp state.Provider, bag state.Bag[[]byte], at int64) (out passing, err error) {
	out.next = never
	all, _, err := bag.Read(sp)
	if err != nil || len(all) == 0 {
		return out, err
	}
	var rest [][]byte
	for _, part := range all {
		p, _, err := timedPartOf(part)
		switch {
		case err != nil:
			return out, err
		case p.until <= at:
			out.passed = append(out.passed, p.packed)
		default:
			out.rest, rest, out.next = append(out.rest, p.packed), append(rest, part), min(out.next, p.until)
			out.last = max(out.last, p.until)
		}
	}
	if len(out.passed) == 0 {
		return out, nil
	}
	if err := bag.Clear(sp); err != nil {
		return out, err
	}
	for _, part := range rest {
		if err := bag.Add(sp, part); err != nil {
			return out, err
		}
	}
	return out, nil
}

// wanted tells whether rows of the key's output are wanted while they can still change.
func (fn *liveTablesFn) wanted(key string) bool {
	return fn.Tables.Config.Common.Live.wants(outputOf(key))
}

// outputOf is the output of a key's table: the name of the table up to a dot.
func outputOf(key string) string {
	name, _, _ := strings.Cut(tableOf(key), ".")
	return name
}

// merge puts a key's packed parts together.
func (fn *liveTablesFn) merge(key string, parts [][]byte) (mergedTable, error) {
	into, err := fn.Tables.Config.newTable(key)
	if err != nil {
		return nil, err
	}
	for _, p := range parts {
		if err := mergePacked(into, p); err != nil {
			return nil, err
		}
	}
	return into, nil
}

func (fn *liveTablesFn) rows(of mergedTable, key string) (*table.Batch, error) {
	return of.rows(key, fn.Tables.Config.Common.revision)
}

// compact keeps what was merged in place of the parts.
func (fn *liveTablesFn) compact(sp state.Provider, merged mergedTable) error {
	if err := fn.Parts.Clear(sp); err != nil {
		return err
	}
	return eachPacked(merged, func(packed []byte) error { return fn.Parts.Add(sp, packed) })
}

// OnTimer has what settled count, and seals a key's rows at the end of its span.
func (fn *liveTablesFn) OnTimer(_ context.Context, sp state.Provider, tp timers.Provider, key string, _ timers.Context, sealed, provisional func(table.Rows)) error {
	if err := fn.rang(sp, tp, key, sealed, provisional); err != nil {
		return failure.Note(fn.Tables.Config.Common.Run, fmt.Errorf("sealing %s: %w", key, err))
	}
	return nil
}

func (fn *liveTablesFn) rang(sp state.Provider, tp timers.Provider, key string, sealed, provisional func(table.Rows)) error {
	a := fn.alarm()
	at, err := a.rang(sp, tp)
	if err != nil || at == 0 {
		return err
	}
	end, err := spanEnd(key)
	if err != nil {
		return err
	}
	seals := sealsAt(end)
	if at >= seals {
		delete(fn.open, key)
		rowsShown.forget(fn.place(key))
		return fn.seal(sp, key, end, sealed, provisional)
	}
	next, err := fn.pass(sp, key, at)
	if err != nil {
		return err
	}
	return a.ring(sp, tp, bell{min(next, seals), seals})
}

// seal gives the rows of what settled.
func (fn *liveTablesFn) seal(sp state.Provider, key string, end int64, sealed, provisional func(table.Rows)) error {
	parts, _, err := fn.Parts.Read(sp)
	if err != nil {
		return err
	}
	settled, err := passed(sp, fn.Settled, never)
	if err != nil {
		return err
	}
	into, err := fn.merge(key, slices.Concat(parts, settled.passed))
	if err != nil {
		return err
	}
	rows, err := fn.rows(into, key)
	if err != nil {
		return err
	}
	if rows.Len() > 0 {
		sealed(table.Rows{Batch: rows, Group: fn.Tables.Config.Common.Live.group(end)})
		if fn.wanted(key) {
			provisional(table.Rows{Batch: rows, Kind: table.Sealed})
		}
	}
	if err := fn.Early.Clear(sp); err != nil {
		return err
	}
	if err := fn.Passed.Clear(sp); err != nil {
		return err
	}
	return fn.Parts.Clear(sp)
}
