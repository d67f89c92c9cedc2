package transforms

import (
	"context"
	"fmt"
	"reflect"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/core/state"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/core/timers"

	"millrace/internal/failure"
	"millrace/schemas/alert"
	"millrace/schemas/table"
	"millrace/transforms/alerts"
)

func init() {
	beam.RegisterType(reflect.TypeFor[liveAlertsFn]())
}

// liveAlertsFn is alertsFn for rows that keep coming. A key is a rule and what it
// watches. A window is judged when its last reading is there: its rule's lag after
// its end.
type liveAlertsFn struct {
	Common  Common
	Watched watchedRules

	Fragments state.Bag[[]byte]   // readings that came since the last fold
	Held      state.Value[int64]  // how many times
	Open      state.Value[[]byte] // the watch and readings of windows to come
	Until     state.Value[int64]  // end of the windows that are judged
	Close     timers.EventTime
	ClosesAt  state.Value[bell]
}

func newLiveAlertsFn(c Common, w watchedRules) *liveAlertsFn {
	a, k := newAlarm(), newKept()
	return &liveAlertsFn{
		Common: c, Watched: w,
		Fragments: k.Fragments, Held: k.Held, Open: k.Open, Until: k.Until,
		Close: a.Timer, ClosesAt: a.At,
	}
}

func (fn *liveAlertsFn) kept() kept { return kept{fn.Fragments, fn.Held, fn.Open, fn.Until} }

func (fn *liveAlertsFn) alarm() *alarm { return &alarm{fn.Close, fn.ClosesAt} }

// ProcessElement keeps readings, and makes sure to be called when the first of them
// can be judged.
func (fn *liveAlertsFn) ProcessElement(_ context.Context, sp state.Provider, tp timers.Provider, key string, packed []byte, sealed, provisional func(table.Rows)) error {
	return fn.note(key, fn.take(sp, tp, key, packed, sealed, provisional))
}

// OnTimer judges the windows that are complete.
func (fn *liveAlertsFn) OnTimer(_ context.Context, sp state.Provider, tp timers.Provider, key string, _ timers.Context, sealed, provisional func(table.Rows)) error {
	at, err := fn.alarm().rang(sp, tp)
	i := 0
	if err == nil {
		i, _, err = fn.Watched.find(key)
	}
	if err == nil && at != 0 {
		err = fn.advance(sp, tp, key, at-fn.Watched.Lags[i], sealed, provisional)
	}
	return fn.note(key, err)
}

func (fn *liveAlertsFn) note(key string, err error) error {
	if err != nil {
		return failure.Note(fn.Common.Run, fmt.Errorf("alerts of rule and key %q: %w", key, err))
	}
	return nil
}

func (fn *liveAlertsFn) take(sp state.Provider, tp timers.Provider, key string, packed []byte, sealed, provisional func(table.Rows)) error {
	i, _, err := fn.Watched.find(key)
	if err != nil {
		return err
	}
	blob, err := unpack(packed)
	if err != nil {
		return err
	}
	readings, err := alerts.DecodeReadings(nil, blob)
	if err != nil || len(readings) == 0 {
		return err
	}
	first := readings[0].Time
	for _, r := range readings {
		first = min(first, r.Time)
	}
	if err := fn.alarm().notAfter(sp, tp, sealsAt(fn.Watched.Rules[i].WindowEnd(first)+fn.Watched.Lags[i])); err != nil {
		return err
	}
	until, fold, err := fn.kept().add(sp, packed, false)
	if err != nil || !fold {
		return err
	}
	return fn.advance(sp, tp, key, until, sealed, provisional)
}

// advance judges windows up to a watermark of readings, which lags behind that of the
// rows.
func (fn *liveAlertsFn) advance(sp state.Provider, tp timers.Provider, key string, watermark int64, sealed, provisional func(table.Rows)) error {
	i, watched, err := fn.Watched.find(key)
	if err != nil {
		return err
	}
	rule, lag, by := &fn.Watched.Rules[i], fn.Watched.Lags[i], fn.Watched.replayer(&fn.Common, i)
	open, blobs, err := fn.kept().read(sp)
	if err != nil {
		return err
	}
	w, readings := alerts.NewWatch(rule, watched, by), []alerts.Reading(nil)
	if open != nil {
		if w, readings, err = alerts.DecodeState(open, rule, watched, by); err != nil {
			return err
		}
	}
	for _, b := range blobs {
		if readings, err = alerts.DecodeReadings(readings, b); err != nil {
			return err
		}
	}
	transitions, rest := w.Fold(readings, watermark)
	fn.emit(transitions, lag, sealed, provisional)

	next, more := w.Due()
	latest := watermark
	if len(rest) > 0 {
		latest = rest[len(rest)-1].Time
		if end := rule.WindowEnd(rest[0].Time); !more || end < next {
			next, more = end, true
		}
	}
	// What says nothing is kept until it could not even hold the next alert back.
	if after, idle := w.Idle(); idle && !more && after > watermark {
		next, more = after, true
	} else if idle && !more {
		return fn.kept().write(sp, tp, fn.alarm(), watermark, nil, never, watermark)
	}
	if !more {
		next = never
	} else {
		next += lag
	}
	return fn.kept().write(sp, tp, fn.alarm(), watermark, w.AppendState(nil, rest), next, latest)
}

// emit gives transitions. To a sink, which keeps the last one, a firing alert is one
// that can still change.
func (fn *liveAlertsFn) emit(transitions []alert.Row, lag int64, sealed, provisional func(table.Rows)) {
	wanted := fn.Common.Live.Provisional["alerts"]
	for _, row := range transitions {
		one := table.NewBatch(alert.Rows)
		putAlert(one, fn.Common, row)
		kind := table.Provisional
		if alerts.Final(&row) {
			kind = table.Sealed
		}
		if alerts.Sealed(&row) {
			judged := int64(row.ChangedAt) + 1000*int64(row.WindowSeconds) + lag
			sealed(table.Rows{Batch: one, Group: fn.Common.Live.group(judged)})
		}
		if wanted {
			provisional(table.Rows{Batch: one, Kind: kind})
		}
	}
}
