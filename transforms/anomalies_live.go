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

// liveAnomaliesFn is anomaliesFn for rows that keep coming. A key is a shard of boards. A window is scored when
// all of its rows are sealed.
type liveAnomaliesFn struct {
	Common Common
	Boards []AnomalyBoard
	Lags   []int64 // of each board: milliseconds after the end of a window

	Fragments state.Bag[[]byte]   // parts that came since the last fold
	Open      state.Value[[]byte] // the detectors and parts of windows to come, with the watermark of the last fold
	Close     timers.EventTime
	ClosesAt  state.Value[bell]
}

func newLiveAnomaliesFn(c Common, boards []AnomalyBoard, lags []int64) *liveAnomaliesFn {
	a, k := newAlarm(), newKept()
	return &liveAnomaliesFn{
		Common: c, Boards: boards, Lags: lags,
		Fragments: k.Fragments, Open: k.Open,
		Close: a.Timer, ClosesAt: a.At,
	}
}

func (fn *liveAnomaliesFn) shards() inShards {
	return inShards{kept{fn.Fragments, fn.Open}, &alarm{Timer: fn.Close, At: fn.ClosesAt}}
}

// ProcessElement keeps parts, and makes sure to be called when the first of them can
// be scored.
func (fn *liveAnomaliesFn) ProcessElement(_ context.Context, sp state.Provider, tp timers.Provider, shard string, packed []byte, sealed, provisional func(table.Rows)) error {
	return fn.note(shard, fn.take(sp, tp, packed, sealed, provisional))
}

// OnTimer scores the windows that are complete.
func (fn *liveAnomaliesFn) OnTimer(_ context.Context, sp state.Provider, tp timers.Provider, shard string, _ timers.Context, sealed, provisional func(table.Rows)) error {
	s := fn.shards()
	at, err := s.rang(sp, tp)
	if err == nil && at != 0 {
		err = fn.round(s, sp, tp, at, sealed, provisional)
	}
	return fn.note(shard, err)
}

func (fn *liveAnomaliesFn) note(shard string, err error) error {
	if err != nil {
		return failure.Note(fn.Common.Run, fmt.Errorf("scores of shard %s: %w", shard, err))
	}
	return nil
}

func (fn *liveAnomaliesFn) take(sp state.Provider, tp timers.Provider, packed []byte, sealed, provisional func(table.Rows)) error {
	blob, err := unpack(packed)
	if err != nil {
		return err
	}
	first := int64(never)
	err = eachGathered(blob, func(key string, b []byte) error {
		i, _, err := findBoard(fn.Boards, key)
		if err != nil {
			return err
		}
		board := &fn.Boards[i]
		parts, err := anomaly.DecodeParts(nil, b, len(board.Series))
		windows := anomaly.NewBoard(board.Every.Milliseconds(), nil)
		for _, p := range parts {
			first = min(first, windows.WindowEnd(p.Time)+fn.Lags[i])
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
	return fn.round(s, sp, tp, until, sealed, provisional)
}

// round scores windows up to a time. Scores of one group go on together.
func (fn *liveAnomaliesFn) round(s inShards, sp state.Provider, tp timers.Provider, at int64, sealed, provisional func(table.Rows)) error {
	groups := map[string]*table.Batch{}
	err := s.round(sp, tp, at, func(key string, open []byte, blobs [][]byte, at int64) (leaves, error) {
		l, err := fn.score(key, open, blobs, at, groups)
		if err != nil {
			err = fmt.Errorf("series of %q: %w", key, err)
		}
		return l, err
	})
	if err != nil {
		return err
	}
	for group, b := range groups {
		sealed(table.Rows{Batch: b, Group: group})
		if fn.Common.Live.Provisional["anomalies"] {
			provisional(table.Rows{Batch: b, Kind: table.Sealed})
		}
	}
	return nil
}

// score scores the windows of a board, and puts the scores to their groups.
func (fn *liveAnomaliesFn) score(key string, open []byte, blobs [][]byte, at int64, groups map[string]*table.Batch) (leaves, error) {
	i, split, err := findBoard(fn.Boards, key)
	if err != nil {
		return leaves{}, err
	}
	board, lag := &fn.Boards[i], fn.Lags[i]
	b, parts := anomaly.NewBoard(board.Every.Milliseconds(), board.kinds()), []anomaly.Part(nil)
	if open != nil {
		if b, parts, err = anomaly.DecodeBoard(open, board.Every.Milliseconds(), board.kinds()); err != nil {
			return leaves{}, err
		}
	}
	for _, blob := range blobs {
		if parts, err = anomaly.DecodeParts(parts, blob, len(board.Series)); err != nil {
			return leaves{}, err
		}
	}
	scores, rest := b.Fold(parts, at-lag)
	for k := range scores {
		group := fn.Common.Live.group(scores[k].Closed + lag)
		if groups[group] == nil {
			groups[group] = table.NewBatch(rows.Rows)
		}
		putScore(groups[group], fn.Common, board, split, &scores[k])
	}
	l := leaves{b.AppendState(nil, rest), never, at}
	if len(rest) > 0 {
		l.next, l.latest = b.WindowEnd(rest[0].Time)+lag, rest[len(rest)-1].Time
	}
	return l, nil
}
