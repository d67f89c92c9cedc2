package transforms

import (
	"context"
	"fmt"
	"reflect"
	"time"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/core/state"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/core/timers"

	"millrace/internal/failure"
	"millrace/schemas/table"
)

func init() {
	beam.RegisterType(reflect.TypeFor[liveFunnelStepsFn]())
}

// liveFunnelStepsFn is funnelStepsFn for days that are over one after another. A
// key is a funnel and a day; its rows are sealed together.
type liveFunnelStepsFn struct {
	Steps funnelStepsFn

	Tallies  state.Bag[[]byte]
	Close    timers.EventTime
	ClosesAt state.Value[bell]
}

func newLiveFunnelStepsFn(c Common, of funnelSet) *liveFunnelStepsFn {
	a := newAlarm()
	return &liveFunnelStepsFn{
		Steps: funnelStepsFn{Common: c, Definitions: of.Definitions, Events: of.Events}, Tallies: state.MakeBagState[[]byte]("tallies"),
		Close: a.Timer, ClosesAt: a.At,
	}
}

func (fn *liveFunnelStepsFn) Setup() error {
	return failure.Note(fn.Steps.Common.Run, fn.Steps.Setup())
}

func (fn *liveFunnelStepsFn) alarm() *alarm { return &alarm{Timer: fn.Close, At: fn.ClosesAt} }

// end is when the last attempt of a key's day is sealed: see package funnels, Live.
func (fn *liveFunnelStepsFn) end(key string) (int64, error) {
	k, err := parseFunnelDay(key)
	if err != nil {
		return 0, err
	}
	if k.funnel < 0 || k.funnel >= len(fn.Steps.Definitions) {
		return 0, fmt.Errorf("funnel %d of %d; resume with the version of the program that wrote it", k.funnel, len(fn.Steps.Definitions))
	}
	return ceil((k.day+1)*day.Milliseconds()+fn.Steps.Definitions[k.funnel].Within.Milliseconds(), time.Hour.Milliseconds()), nil
}

// ProcessElement keeps the counts of a shard. They come when their day is over, all
// of them before the watermark of this step is.
func (fn *liveFunnelStepsFn) ProcessElement(_ context.Context, sp state.Provider, tp timers.Provider, key string, packed []byte, _, _ func(table.Rows)) error {
	end, err := fn.end(key)
	if err == nil {
		err = fn.alarm().notAfter(sp, tp, sealsAt(end))
	}
	if err == nil {
		err = fn.Tallies.Add(sp, packed)
	}
	return fn.note(key, err)
}

// OnTimer seals a day.
func (fn *liveFunnelStepsFn) OnTimer(_ context.Context, sp state.Provider, tp timers.Provider, key string, _ timers.Context, sealed, provisional func(table.Rows)) error {
	return fn.note(key, fn.seal(sp, tp, key, sealed, provisional))
}

func (fn *liveFunnelStepsFn) note(key string, err error) error {
	if err != nil {
		return failure.Note(fn.Steps.Common.Run, fmt.Errorf("counts of funnel and day %s: %w", key, err))
	}
	return nil
}

func (fn *liveFunnelStepsFn) seal(sp state.Provider, tp timers.Provider, key string, sealed, provisional func(table.Rows)) error {
	if _, err := fn.alarm().rang(sp, tp); err != nil {
		return err
	}
	end, err := fn.end(key)
	if err != nil {
		return err
	}
	parts, _, err := fn.Tallies.Read(sp)
	if err != nil {
		return err
	}
	t := fn.Steps.set.NewTally()
	for _, p := range parts {
		if err := mergeTally(t, p); err != nil {
			return err
		}
	}
	if rows := stepRows(fn.Steps.set, t, fn.Steps.Common.revision); rows.Len() > 0 {
		live := fn.Steps.Common.Live
		sealed(table.Rows{Batch: rows, Group: live.group(end)})
		if live.Provisional["funnel_steps"] {
			provisional(table.Rows{Batch: rows, Kind: table.Sealed})
		}
	}
	return fn.Tallies.Clear(sp)
}
