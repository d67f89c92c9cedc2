package transforms

import (
	"strconv"
	"time"

	"github.com/apache/beam/sdks/v2/go/pkg/beam/core/state"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/core/timers"
)

// Live says how a run works on records that keep coming. Nothing in it depends
// on the runner: of what Beam has, it takes keyed state and event-time timers,
// which mean the same on Prism and on Flink.
type Live struct {
	// Bucket is the span of event time whose sealed rows become files together.
	Bucket time.Duration
	// Provisional outputs give their rows also while they can still change.
	Provisional map[string]bool
}

// tick is what timers are rounded up to: an hour's seals come in sixty steps at
// most, for each key.
const tick = int64(time.Minute / time.Millisecond)

// sealsAt is when rows are sealed that nothing can change after end (Unix
// milliseconds): the time of a timer. The watermark leaves room for events that
// are allowed to be late.
func sealsAt(end int64) int64 { return ceil(end, tick) }

// group names the bucket of rows that close at end by the end of the bucket.
// Its rows are all there by sealsAt of it.
func (l *Live) group(end int64) string {
	return strconv.FormatInt(ceil(end, l.Bucket.Milliseconds()), 10)
}

func ceil(v, step int64) int64 {
	if r := v % step; r > 0 {
		return v + step - r
	} else if r < 0 {
		return v - r
	}
	return v
}

// alarm is a timer of which its key knows when it rings.
type alarm struct {
	Timer timers.EventTime
	At    state.Value[int64] // 0 when it is not set
}

func newAlarm() alarm {
	return alarm{Timer: timers.InEventTime("close"), At: state.MakeValueState[int64]("closes")}
}

// notAfter sets the timer, unless it rings earlier already.
func (a *alarm) notAfter(sp state.Provider, tp timers.Provider, at int64) error {
	now, _, err := a.At.Read(sp)
	if err != nil || (now != 0 && now <= at) {
		return err
	}
	return a.set(sp, tp, at)
}

func (a *alarm) set(sp state.Provider, tp timers.Provider, at int64) error {
	// By its output timestamp the timer holds the watermark of what follows until it
	// has rung. On Flink that takes one before the timer's own: without, when many
	// ring at once and a bundle ends among them, the watermark passes the others.
	a.Timer.Set(tp, time.UnixMilli(at), timers.WithOutputTimestamp(time.UnixMilli(at-1)))
	return a.At.Write(sp, at)
}

// rang is the time the timer was set for.
func (a *alarm) rang(sp state.Provider) (int64, error) {
	at, _, err := a.At.Read(sp)
	if err == nil {
		err = a.At.Clear(sp)
	}
	return at, err
}
