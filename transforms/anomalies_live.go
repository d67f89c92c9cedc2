package transforms

import (
	"context"
	"fmt"
	"reflect"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/core/state"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/core/timers"

	"millrace/internal/failure"
	rows "millrace/schemas/anomaly"
	"millrace/schemas/table"
	"millrace/transforms/anomaly"
)

func init() {
	beam.RegisterType(reflect.TypeFor[liveAnomaliesFn]())
}

// liveAnomaliesFn is anomaliesFn for rows that keep coming. A window is scored when
// all of its rows are sealed.
type liveAnomaliesFn struct {
	Common Common
	Boards []AnomalyBoard
	Lags   []int64 // of each board: milliseconds after the end of a window

	Fragments state.Bag[[]byte]   // parts that came since the last fold
	Held      state.Value[int64]  // how many times
	Open      state.Value[[]byte] // the detectors and parts of windows to come
	Until     state.Value[int64]  // end of the windows that are scored
	Close     timers.EventTime
	ClosesAt  state.Value[bell]
}

func newLiveAnomaliesFn(c Common, boards []AnomalyBoard, lags []int64) *liveAnomaliesFn {
	a, k := newAlarm(), newKept()
	return &liveAnomaliesFn{
		Common: c, Boards: boards, Lags: lags,
		Fragments: k.Fragments, Held: k.Held, Open: k.Open, Until: k.Until,
		Close: a.Timer, ClosesAt: a.At,
	}
}

func (fn *liveAnomaliesFn) kept() kept { return kept{fn.Fragments, fn.Held, fn.Open, fn.Until} }

func (fn *liveAnomaliesFn) alarm() *alarm { return &alarm{fn.Close, fn.ClosesAt} }

// ProcessElement keeps parts, and makes sure to be called when the first of them can
// be scored.
func (fn *liveAnomaliesFn) ProcessElement(_ context.Context, sp state.Provider, tp timers.Provider, key string, packed []byte, sealed, provisional func(table.Rows)) error {
	return fn.note(key, fn.take(sp, tp, key, packed, sealed, provisional))
}

// OnTimer scores the windows that are complete.
func (fn *liveAnomaliesFn) OnTimer(_ context.Context, sp state.Provider, tp timers.Provider, key string, _ timers.Context, sealed, provisional func(table.Rows)) error {
	at, err := fn.alarm().rang(sp, tp)
	i := 0
	if err == nil {
		i, _, err = findBoard(fn.Boards, key)
	}
	if err == nil && at != 0 {
		err = fn.advance(sp, tp, key, at-fn.Lags[i], sealed, provisional)
	}
	return fn.note(key, err)
}

func (fn *liveAnomaliesFn) note(key string, err error) error {
	if err != nil {
		return failure.Note(fn.Common.Run, fmt.Errorf("scores of series %q: %w", key, err))
	}
	return nil
}

func (fn *liveAnomaliesFn) take(sp state.Provider, tp timers.Provider, key string, packed []byte, sealed, provisional func(table.Rows)) error {
	i, _, err := findBoard(fn.Boards, key)
	if err != nil {
		return err
	}
	board := &fn.Boards[i]
	blob, err := unpack(packed)
	if err != nil {
		return err
	}
	parts, err := anomaly.DecodeParts(nil, blob, len(board.Series))
	if err != nil || len(parts) == 0 {
		return err
	}
	first := parts[0].Time
	for _, p := range parts {
		first = min(first, p.Time)
	}
	end := anomaly.NewBoard(board.Every.Milliseconds(), nil).WindowEnd(first)
	if err := fn.alarm().notAfter(sp, tp, sealsAt(end+fn.Lags[i])); err != nil {
		return err
	}
	until, fold, err := fn.kept().add(sp, packed, false)
	if err != nil || !fold {
		return err
	}
	return fn.advance(sp, tp, key, until, sealed, provisional)
}

// advance scores windows up to a watermark.
func (fn *liveAnomaliesFn) advance(sp state.Provider, tp timers.Provider, key string, watermark int64, sealed, provisional func(table.Rows)) error {
	i, split, err := findBoard(fn.Boards, key)
	if err != nil {
		return err
	}
	board := &fn.Boards[i]
	open, blobs, err := fn.kept().read(sp)
	if err != nil {
		return err
	}
	b, parts := anomaly.NewBoard(board.Every.Milliseconds(), board.kinds()), []anomaly.Part(nil)
	if open != nil {
		if b, parts, err = anomaly.DecodeBoard(open, board.Every.Milliseconds(), board.kinds()); err != nil {
			return err
		}
	}
	for _, blob := range blobs {
		if parts, err = anomaly.DecodeParts(parts, blob, len(board.Series)); err != nil {
			return err
		}
	}
	scores, rest := b.Fold(parts, watermark)
	fn.emit(board, split, fn.Lags[i], scores, sealed, provisional)
	next, latest := int64(never), watermark
	if len(rest) > 0 {
		latest = rest[len(rest)-1].Time
		next = b.WindowEnd(rest[0].Time) + fn.Lags[i]
	}
	return fn.kept().write(sp, tp, fn.alarm(), watermark, b.AppendState(nil, rest), next, latest)
}

// emit gives scores, those that became known together in one group.
func (fn *liveAnomaliesFn) emit(board *AnomalyBoard, split string, lag int64, scores []anomaly.Score, sealed, provisional func(table.Rows)) {
	for len(scores) > 0 {
		closed := scores[0].Closed
		b := table.NewBatch(rows.Rows)
		n := 0
		for ; n < len(scores) && scores[n].Closed == closed; n++ {
			putScore(b, fn.Common, board, split, &scores[n])
		}
		scores = scores[n:]
		sealed(table.Rows{Batch: b, Group: fn.Common.Live.group(closed + lag)})
		if fn.Common.Live.Provisional["anomalies"] {
			provisional(table.Rows{Batch: b, Kind: table.Sealed})
		}
	}
}
