package transforms

import (
	"context"
	"fmt"
	"reflect"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/core/state"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/core/timers"
	"github.com/klauspost/compress/s2"

	"millrace/internal/failure"
	"millrace/schemas/table"
	"millrace/schemas/weblog"
	"millrace/transforms/sessions"
)

func init() {
	beam.RegisterType(reflect.TypeFor[liveSessionsFn]())
}

// mostFragments is how many fragments a shard holds, about, before they are folded into its
// open sessions: these take a fraction of the room, and at a start nothing closes,
// and so nothing is folded, for the length of the gap.
const mostFragments = 64

// liveSessionsFn is sessionsFn for records that keep coming. A key is a visitor
// shard: single visitors are too many for a runner's timers.
type liveSessionsFn struct {
	Common  Common
	Options sessions.Options

	Fragments state.Bag[[]byte]   // that came since the last Advance
	Open      state.Value[[]byte] // sessions that can still change, with the watermark of the last fold
	Close     timers.EventTime
	ClosesAt  state.Value[bell]

	sessionizer *sessions.Sessionizer
}

func newLiveSessionsFn(c Common, opt sessions.Options) *liveSessionsFn {
	a, k := newAlarm(), newKept()
	opt.Settled = c.Live.Provisional["sessions"] // else nobody is told, and no round is needed for it
	return &liveSessionsFn{
		Common: c, Options: opt,
		Fragments: k.Fragments, Open: k.Open,
		Close: a.Timer, ClosesAt: a.At,
	}
}

func (fn *liveSessionsFn) Setup() (err error) {
	fn.sessionizer, err = sessions.NewSessionizer(fn.Options, fn.Common.revision)
	return failure.Note(fn.Common.Run, err)
}

func (fn *liveSessionsFn) kept() kept { return kept{fn.Fragments, fn.Open} }

func (fn *liveSessionsFn) alarm() *alarm { return &alarm{Timer: fn.Close, At: fn.ClosesAt} }

// wanted tells whether sessions are wanted while they can still change.
func (fn *liveSessionsFn) wanted() bool { return fn.Common.Live.Provisional["sessions"] }

// ProcessElement keeps the fragments of a bundle, and makes sure to be called
// when the first of them may close.
func (fn *liveSessionsFn) ProcessElement(_ context.Context, sp state.Provider, tp timers.Provider, shard string, packed []byte, sealed, provisional func(table.Rows)) error {
	err := fn.take(sp, tp, packed, sealed, provisional)
	if err != nil {
		return failure.Note(fn.Common.Run, fmt.Errorf("sessions of visitor shard %s: %w", shard, err))
	}
	return nil
}

func (fn *liveSessionsFn) take(sp state.Provider, tp timers.Provider, packed []byte, sealed, provisional func(table.Rows)) error {
	blob, err := unpack(packed)
	if err != nil {
		return err
	}
	first, err := fn.sessionizer.Earliest(blob)
	if err != nil {
		return err
	}
	next := bell{From: sealsAt(first + fn.Options.Gap.Milliseconds())}
	if next.At = next.From; fn.wanted() {
		next.At = sealsAt(first + 1)
	}
	if err := fn.alarm().ring(sp, tp, next); err != nil {
		return err
	}
	until, fold, err := fn.kept().add(sp, packed, fn.wanted())
	if err != nil || !fold {
		return err
	}
	return fn.advance(sp, tp, until, sealed, provisional)
}

// OnTimer seals what closed.
func (fn *liveSessionsFn) OnTimer(_ context.Context, sp state.Provider, tp timers.Provider, shard string, _ timers.Context, sealed, provisional func(table.Rows)) error {
	at, err := fn.alarm().rang(sp, tp)
	if err == nil && at != 0 {
		err = fn.advance(sp, tp, at, sealed, provisional)
	}
	if err != nil {
		return failure.Note(fn.Common.Run, fmt.Errorf("sessions of visitor shard %s: %w", shard, err))
	}
	return nil
}

// advance folds the kept fragments into the open sessions, as of a watermark.
func (fn *liveSessionsFn) advance(sp state.Provider, tp timers.Provider, watermark int64, sealed, provisional func(table.Rows)) error {
	_, open, blobs, err := fn.kept().read(sp)
	if err != nil {
		return err
	}
	u, err := fn.sessionizer.Advance(open, blobs, watermark)
	if err != nil {
		return err
	}
	fn.emit(&u, sealed, provisional)
	return fn.kept().write(sp, tp, fn.alarm(), watermark, u.State, u.Next, watermark)
}

func (fn *liveSessionsFn) emit(u *sessions.Update, sealed, provisional func(table.Rows)) {
	groups := map[string]*table.Batch{}
	final := table.NewBatch(weblog.Sessions)
	for i := range u.Sealed {
		name := fn.Common.Live.group(u.Closed[i])
		rows := groups[name]
		if rows == nil {
			rows = table.NewBatch(weblog.Sessions)
			groups[name] = rows
		}
		putSession(rows, &u.Sealed[i])
		putSession(final, &u.Sealed[i])
	}
	for name, rows := range groups {
		sealed(table.Rows{Batch: rows, Group: name})
	}
	if !fn.wanted() {
		return
	}
	open := table.NewBatch(weblog.Sessions)
	for i := range u.Provisional {
		putSession(open, &u.Provisional[i])
	}
	for _, rows := range []table.Rows{{Batch: open, Kind: table.Provisional}, {Batch: final, Kind: table.Sealed}} {
		if rows.Batch.Len() > 0 {
			provisional(rows)
		}
	}
}

// State of a key begins with a byte for its form, so that a later program reads
// what an earlier one left in a savepoint. Sessions' own encoding follows, which
// has a version of its own.
const stateS2 = 1

func packState(b []byte) []byte { return append([]byte{stateS2}, s2.Encode(nil, b)...) }

func unpackState(b []byte) ([]byte, error) {
	if len(b) == 0 {
		return nil, nil
	}
	if b[0] != stateS2 {
		return nil, fmt.Errorf("state of form %d, this program reads form %d: resume with the version of the program that wrote it", b[0], stateS2)
	}
	return s2.Decode(nil, b[1:])
}
