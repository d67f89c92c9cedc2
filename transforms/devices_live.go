package transforms

import (
	"context"
	"encoding/binary"
	"fmt"
	"reflect"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/core/state"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/core/timers"

	"millrace/internal/failure"
	rows "millrace/schemas/device"
	"millrace/schemas/table"
	"millrace/transforms/monitor"
)

func init() {
	beam.RegisterType(reflect.TypeFor[liveDeviceSeriesFn]())
}

// liveDeviceSeriesFn is deviceSeriesFn for records that keep coming. Points wait until
// everything of their minute has come; what a monitor knows lies between.
type liveDeviceSeriesFn struct {
	Common  Common
	Options monitor.Options

	Fragments state.Bag[[]byte]   // points that came since the last fold
	Open      state.Value[[]byte] // the monitor, and points of minutes to come, with the watermark of the last fold
	Close     timers.EventTime
	ClosesAt  state.Value[bell]
}

func newLiveDeviceSeriesFn(c Common, o monitor.Options) *liveDeviceSeriesFn {
	a, k := newAlarm(), newKept()
	return &liveDeviceSeriesFn{
		Common: c, Options: o, Fragments: k.Fragments, Open: k.Open, Close: a.Timer, ClosesAt: a.At,
	}
}

func (fn *liveDeviceSeriesFn) kept() kept { return kept{fn.Fragments, fn.Open} }

func (fn *liveDeviceSeriesFn) alarm() *alarm { return &alarm{Timer: fn.Close, At: fn.ClosesAt} }

// ProcessElement keeps points, and makes sure to be called when the first of their
// minutes is over.
func (fn *liveDeviceSeriesFn) ProcessElement(_ context.Context, sp state.Provider, tp timers.Provider, shard string, packed []byte, flags, rollups, health, grid, scores, provisional func(table.Rows)) error {
	return fn.note(shard, fn.take(sp, tp, packed, func(r *deviceRows) { r.emit(flags, rollups, health, grid, scores, provisional) }))
}

// OnTimer folds what is complete.
func (fn *liveDeviceSeriesFn) OnTimer(_ context.Context, sp state.Provider, tp timers.Provider, shard string, _ timers.Context, flags, rollups, health, grid, scores, provisional func(table.Rows)) error {
	at, err := fn.alarm().rang(sp, tp)
	if err == nil && at != 0 {
		err = fn.advance(sp, tp, at, func(r *deviceRows) { r.emit(flags, rollups, health, grid, scores, provisional) })
	}
	return fn.note(shard, err)
}

func (fn *liveDeviceSeriesFn) note(shard string, err error) error {
	if err != nil {
		return failure.Note(fn.Common.Run, fmt.Errorf("readings of subject shard %s: %w", shard, err))
	}
	return nil
}

func (fn *liveDeviceSeriesFn) take(sp state.Provider, tp timers.Provider, packed []byte, emit func(*deviceRows)) error {
	first := int64(never)
	err := eachRows(packed, func(r table.Rows) error {
		for row := range r.Batch.Len() {
			first = min(first, r.Batch.Int(rows.PointTime, row))
		}
		return nil
	})
	if err != nil || first == never {
		return err
	}
	if err := fn.alarm().notAfter(sp, tp, monitor.WindowEnd(first)); err != nil {
		return err
	}
	until, fold, err := fn.kept().add(sp, packed, false)
	if err != nil || !fold {
		return err
	}
	return fn.advance(sp, tp, until, emit)
}

// advance folds the minutes before a watermark, which is a multiple of a minute.
func (fn *liveDeviceSeriesFn) advance(sp state.Provider, tp timers.Provider, until int64, emit func(*deviceRows)) error {
	_, open, blobs, err := fn.kept().read(sp)
	if err != nil {
		return err
	}
	m, waiting, err := fn.restore(open)
	if err != nil {
		return err
	}
	batches := waiting
	for _, blob := range blobs {
		if err := eachUnpacked(blob, func(r table.Rows) error { batches = append(batches, r.Batch); return nil }); err != nil {
			return err
		}
	}
	var points []monitor.Point
	next, latest := int64(never), until
	var rest []byte
	for _, b := range batches {
		var stay []uint32
		for row := range b.Len() {
			if t := b.Int(rows.PointTime, row); t >= until {
				stay = append(stay, uint32(row))
				next, latest = min(next, monitor.WindowEnd(t)), max(latest, t)
			}
		}
		points = appendPoints(points, b)
		if len(stay) > 0 {
			if rest, err = appendRows(rest, picked(table.Rows{Batch: b}, stay)); err != nil {
				return err
			}
		}
	}
	known := newDeviceRows(fn.Common)
	m.Fold(points, until, known.sink())
	emit(known)
	if at, more := m.Next(until); more {
		next = min(next, at)
	}
	if m.Empty() && rest == nil {
		return fn.kept().write(sp, tp, fn.alarm(), until, nil, next, latest)
	}
	memory, err := m.AppendState(nil)
	if err != nil {
		return err
	}
	state := append(binary.AppendUvarint([]byte{deviceState}, uint64(len(memory))), memory...)
	return fn.kept().write(sp, tp, fn.alarm(), until, append(state, rest...), next, latest)
}

// deviceState is the version of what a shard keeps: the length of the monitor's state,
// that state, and rows of points.
const deviceState = 1

func (fn *liveDeviceSeriesFn) restore(open []byte) (*monitor.Monitor, []*table.Batch, error) {
	if len(open) == 0 {
		return monitor.New(fn.Options), nil, nil
	}
	n, k := binary.Uvarint(open[1:])
	if open[0] != deviceState || k <= 0 || n > uint64(len(open)-1-k) {
		return nil, nil, fmt.Errorf("a state in a form that this program does not read, which is form %d: resume with the version of the program that wrote it", deviceState)
	}
	rest := open[1+k:]
	m, err := monitor.Restore(fn.Options, rest[:n])
	if err != nil {
		return nil, nil, err
	}
	var waiting []*table.Batch
	if rest = rest[n:]; len(rest) > 0 {
		err = eachUnpacked(rest, func(r table.Rows) error { waiting = append(waiting, r.Batch); return nil })
	}
	return m, waiting, err
}
