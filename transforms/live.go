package transforms

import (
	"cmp"
	"reflect"
	"slices"
	"strconv"
	"time"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/core/graph/mtime"
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

// hasty is what timers are rounded up to of keys whose rows someone waits for who is not the
// lake, and whose time is not one of minutes.
const hasty = int64(time.Second / time.Millisecond)

// wants tells whether a sink takes rows of one of some outputs while they can still change: none
// does of a batch, which is no live run.
func (l *Live) wants(outputs ...string) bool {
	return l != nil && slices.ContainsFunc(outputs, func(o string) bool { return l.Provisional[o] })
}

// tickOf is what timers of keys are rounded up to that make rows of some outputs, of all when
// none is named: hasty when a sink waits for one of them.
func (l *Live) tickOf(outputs ...string) int64 {
	if len(outputs) == 0 && len(l.Provisional) > 0 || l.wants(outputs...) {
		return hasty
	}
	return tick
}

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
//
// Until what follows a ring is out, the watermark must not pass it. A timer holds it by
// an output timestamp, but no longer than till it rings: Flink's runner then has the
// watermark go on to the first of the timers that the bundle before set, while what rang
// is still at work. So a second timer, which rings when time ends and never does anything, holds
// it till the next round, or the lack of one, is known.
type alarm struct {
	Timer timers.EventTime
	At    state.Value[bell] // none when it is not set
	Tick  int64             // what it rings at multiples of; a minute when 0
}

// every is what it rings at multiples of.
func (a *alarm) every() int64 { return cmp.Or(a.Tick, tick) }

// sealsAt is when it rings for rows that nothing can change after end.
func (a *alarm) sealsAt(end int64) int64 { return ceil(end, a.every()) }

// bell is when an alarm rings, and what is held back till then, in Unix milliseconds.
type bell struct {
	At   int64
	From int64 // nothing that is sealed when it rings is sealed before
}

func init() { beam.RegisterType(reflect.TypeFor[bell]()) }

func newAlarm() alarm {
	return alarm{Timer: timers.InEventTime("close"), At: state.MakeValueState[bell]("closes")}
}

// notAfter sets the timer, unless it rings earlier already.
func (a *alarm) notAfter(sp state.Provider, tp timers.Provider, at int64) error {
	return a.ring(sp, tp, bell{at, at})
}

// ring sets the timer for the earlier of two bells, holding back what either does.
func (a *alarm) ring(sp state.Provider, tp timers.Provider, b bell) error {
	now, set, err := a.At.Read(sp)
	if err != nil || set && now.At <= b.At && now.From <= b.From {
		return err
	}
	if set {
		b = bell{min(now.At, b.At), min(now.From, b.From)}
	}
	// A millisecond early: Flink's runner has the watermark go to one before what is held,
	// and of what the source holds it takes the whole seconds, so that a timer at a full
	// second would wait for the next one. The source and the hold stay behind by as much.
	// Both timers have the hold: when time ends, bundles end among those that ring.
	held := timers.WithOutputTimestamp(time.UnixMilli(b.From - 2))
	a.Timer.Set(tp, time.UnixMilli(b.At-1), held)
	if !set || b.From != now.From {
		// Prism knows a timer that is set anew by its time alone, so each has one of its own.
		end := mtime.EndOfGlobalWindowTime - mtime.Time(b.From)
		a.Timer.Set(tp, end.ToTime(), timers.WithTag(holding), held)
	}
	return a.At.Write(sp, b)
}

// holding is the tag of the timer that only holds.
const holding = "holding"

// Rounds of a key come with each tick. Where what waits reaches further than longWait,
// as with a backlog, of which one wants all that there is and not the first minute, they
// come less often: with every eighth of what is beyond. A round looks at all that waits.
const (
	longWait    = 15 // ticks
	longWaitPer = 8
)

// roundAfter is when the round after one at watermark comes, when the first that waits can
// be sealed at first, and the last is of about latest.
func roundAfter(watermark, first, latest, tick int64) bell {
	return bell{max(first, ceil(watermark+(latest-watermark-longWait*tick)/longWaitPer, tick)), first}
}

// next sets the timer for the round after one at watermark, see roundAfter.
func (a *alarm) next(sp state.Provider, tp timers.Provider, watermark, first, latest int64) error {
	return a.ring(sp, tp, roundAfter(watermark, first, latest, a.every()))
}

// rang is the time the timer was set for, 0 when nothing is to be done.
func (a *alarm) rang(sp state.Provider, tp timers.Provider) (int64, error) {
	b, set, err := a.At.Read(sp)
	if err != nil || !set {
		return 0, err
	}
	a.Timer.ClearTag(tp, holding)
	return b.At, a.At.Clear(sp)
}
