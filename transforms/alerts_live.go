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

// liveAlertsFn is alertsFn for rows that keep coming. A key is a shard of rules and what they
// watch. A window is judged when its last reading is there: its rule's lag after
// its end.
type liveAlertsFn struct {
	Common  Common
	Watched watchedRules

	Fragments state.Bag[[]byte]   // readings that came since the last fold
	Open      state.Value[[]byte] // the watch and readings of windows to come, with the watermark of the last fold
	Close     timers.EventTime
	ClosesAt  state.Value[bell]
}

func newLiveAlertsFn(c Common, w watchedRules) *liveAlertsFn {
	a, k := newAlarm(), newKept()
	return &liveAlertsFn{
		Common: c, Watched: w,
		Fragments: k.Fragments, Open: k.Open,
		Close: a.Timer, ClosesAt: a.At,
	}
}

func (fn *liveAlertsFn) shards() inShards {
	return inShards{kept{fn.Fragments, fn.Open}, &alarm{fn.Close, fn.ClosesAt, fn.Common.Live.tickOf("alerts")}}
}

// ProcessElement keeps readings, and makes sure to be called when the first of them
// can be judged.
func (fn *liveAlertsFn) ProcessElement(_ context.Context, sp state.Provider, tp timers.Provider, shard string, packed []byte, sealed, provisional func(table.Rows)) error {
	return fn.note(shard, fn.take(sp, tp, packed, sealed, provisional))
}

// OnTimer judges the windows that are complete.
func (fn *liveAlertsFn) OnTimer(_ context.Context, sp state.Provider, tp timers.Provider, shard string, _ timers.Context, sealed, provisional func(table.Rows)) error {
	s := fn.shards()
	at, err := s.rang(sp, tp)
	if err == nil && at != 0 {
		err = s.round(sp, tp, at, fn.fold(sealed, provisional))
	}
	return fn.note(shard, err)
}

func (fn *liveAlertsFn) note(shard string, err error) error {
	if err != nil {
		return failure.Note(fn.Common.Run, fmt.Errorf("alerts of shard %s: %w", shard, err))
	}
	return nil
}

func (fn *liveAlertsFn) take(sp state.Provider, tp timers.Provider, packed []byte, sealed, provisional func(table.Rows)) error {
	blob, err := unpack(packed)
	if err != nil {
		return err
	}
	first := int64(never)
	err = eachGathered(blob, func(key string, b []byte) error {
		i, _, err := fn.Watched.find(key)
		if err != nil {
			return err
		}
		readings, err := alerts.DecodeReadings(nil, b)
		for _, r := range readings {
			first = min(first, fn.Watched.Rules[i].WindowEnd(r.Time)+fn.Watched.Lags[i])
		}
		return err
	})
	if err != nil || first == never {
		return err
	}
	s := fn.shards()
	if err := s.notAfter(sp, tp, s.sealsAt(first)); err != nil {
		return err
	}
	until, fold, err := s.add(sp, packed, false)
	if err != nil || !fold {
		return err
	}
	return s.round(sp, tp, until, fn.fold(sealed, provisional))
}

// fold judges windows of a rule and key up to a time, behind which that of its readings lags.
func (fn *liveAlertsFn) fold(sealed, provisional func(table.Rows)) foldKey {
	return func(key string, open []byte, blobs [][]byte, at int64) (leaves, error) {
		l, err := fn.judge(key, open, blobs, at, sealed, provisional)
		if err != nil {
			err = fmt.Errorf("rule and key %q: %w", key, err)
		}
		return l, err
	}
}

func (fn *liveAlertsFn) judge(key string, open []byte, blobs [][]byte, at int64, sealed, provisional func(table.Rows)) (leaves, error) {
	i, watched, err := fn.Watched.find(key)
	if err != nil {
		return leaves{}, err
	}
	rule, lag, by := &fn.Watched.Rules[i], fn.Watched.Lags[i], fn.Watched.replayer(&fn.Common, i)
	watermark := at - lag
	w, readings := alerts.NewWatch(rule, watched, by), []alerts.Reading(nil)
	if open != nil {
		if w, readings, err = alerts.DecodeState(open, rule, watched, by); err != nil {
			return leaves{}, err
		}
	}
	for _, b := range blobs {
		if readings, err = alerts.DecodeReadings(readings, b); err != nil {
			return leaves{}, err
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
		return leaves{next: never, latest: at}, nil
	}
	if !more {
		next = never
	} else {
		next += lag
	}
	return leaves{w.AppendState(nil, rest), next, latest}, nil
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
