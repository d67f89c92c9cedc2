package transforms

import (
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/apache/beam/sdks/v2/go/pkg/beam/core/state"

	"millrace/schemas/table"
	"millrace/transforms/dedup"
	"millrace/transforms/internal/wire"
)

// knownIDs are the ids that a live shard knows: those of one horizon, millions where much
// comes. A round must neither write nor read them all. So each adds those it judged
// to a bag of recent ones. When that spans a quarter of the horizon it becomes a slice,
// beside a filter that tells which ids are in none: slices are read when a filter cannot
// say so, which is when something comes again after long.
type knownIDs struct {
	recent  state.Bag[[]byte]   // by round: its watermark, ids
	old     state.Bag[[]byte]   // by slice: when it may be forgotten, ids
	filters state.Value[[]byte] // by slice: when it may be forgotten, filter
	horizon time.Duration
	columns dedup.Columns
}

// slicesOfHorizon is how many slices a horizon is cut into, and one more are kept.
const slicesOfHorizon = 4

// known are the ids of a round.
type known struct {
	knownIDs
	bag     [][]byte // recent, unpacked
	since   int64    // watermark of the first round of these
	slices  []byte   // filters, unpacked
	expires int64    // of the slice that goes first; never for none
	fresh   *dedup.Deduper
}

// read gives a judge that knows what must be known of rows.
func (k knownIDs) read(sp state.Provider, rows []table.Rows) (*dedup.Judge, *known, error) {
	judge, err := dedup.NewJudge(k.columns, k.horizon, true)
	if err != nil {
		return nil, nil, err
	}
	ids := &known{knownIDs: k, since: never, expires: never}
	if ids.fresh, err = dedup.New(k.horizon); err != nil {
		return nil, nil, err
	}
	packed, _, err := k.recent.Read(sp)
	if err != nil {
		return nil, nil, err
	}
	last := int64(0)
	for _, p := range packed {
		watermark, b, err := unpackOpen(p)
		if err != nil {
			return nil, nil, err
		}
		ids.since, last = min(ids.since, watermark), max(last, watermark)
		ids.bag = append(ids.bag, b)
		if err := judge.Merge(b); err != nil {
			return nil, nil, err
		}
	}
	filters, _, err := k.filters.Read(sp)
	if err != nil {
		return nil, nil, err
	}
	if ids.slices, err = unpackState(filters); err != nil {
		return nil, nil, err
	}
	again, err := ids.mayKnow(judge, rows)
	if err != nil {
		return nil, nil, err
	}
	if again {
		if err := k.mergeOld(sp, judge); err != nil {
			return nil, nil, err
		}
	}
	judge.Advance(last) // as if each had been forgotten by itself
	return judge, ids, nil
}

// mergeOld has a judge know the slices.
func (k knownIDs) mergeOld(sp state.Provider, judge *dedup.Judge) error {
	slices, _, err := k.old.Read(sp)
	if err != nil {
		return err
	}
	for _, p := range slices {
		_, b, err := unpackOpen(p)
		if err == nil {
			err = judge.Merge(b)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// mayKnow tells whether a slice may have an id of rows.
func (k *known) mayKnow(judge *dedup.Judge, rows []table.Rows) (again bool, err error) {
	err = eachFilter(k.slices, func(expires int64, f dedup.Filter) {
		k.expires = min(k.expires, expires)
		for _, r := range rows {
			again = again || judge.Any(r.Batch, f.Has)
		}
	})
	return again, err
}

// note notes rows that were judged.
func (k *known) note(judge *dedup.Judge, b *table.Batch, s dedup.Sorted) {
	judge.NoteRows(b, s.Kept, k.fresh)
	judge.NoteRows(b, s.Duplicates, k.fresh)
}

// write keeps what the round noted, and tells when there is something to forget: never
// when nothing is known.
func (k *known) write(sp state.Provider, watermark int64) (forgets int64, err error) {
	if k.fresh.Len() > 0 {
		b := k.fresh.AppendEncoded(nil)
		if err := k.recent.Add(sp, packOpen(watermark, b)); err != nil {
			return 0, err
		}
		k.bag, k.since = append(k.bag, b), min(k.since, watermark)
	}
	span := k.horizon.Milliseconds() / slicesOfHorizon
	if len(k.bag) > 0 && watermark-k.since >= span || k.expires <= watermark {
		if err := k.cut(sp, watermark); err != nil {
			return 0, err
		}
	}
	if len(k.bag) > 0 {
		return min(k.since+span, k.expires), nil
	}
	return k.expires, nil
}

// cut makes a slice of the recent ids, and forgets slices that no event can need.
func (k *known) cut(sp state.Provider, watermark int64) error {
	packed, _, err := k.old.Read(sp)
	if err != nil {
		return err
	}
	if err := k.old.Clear(sp); err != nil {
		return err
	}
	k.expires = never
	var filters []byte
	keep := func(expires int64, ids []byte, f dedup.Filter) error {
		k.expires = min(k.expires, expires)
		filters = wire.AppendText(binary.AppendVarint(filters, expires), f)
		return k.old.Add(sp, packOpen(expires, ids))
	}
	of := map[int64]dedup.Filter{}
	if err := eachFilter(k.slices, func(expires int64, f dedup.Filter) { of[expires] = f }); err != nil {
		return err
	}
	for _, p := range packed {
		expires, ids, err := unpackOpen(p)
		if err != nil {
			return err
		}
		if expires <= watermark {
			continue
		}
		f, ok := of[expires]
		if !ok {
			return errors.New("a slice of ids has no filter")
		}
		if err := keep(expires, ids, f); err != nil {
			return err
		}
	}
	if err := k.slice(watermark, of, keep); err != nil {
		return err
	}
	if len(k.bag) > 0 {
		k.bag, k.since = nil, never
		if err := k.recent.Clear(sp); err != nil {
			return err
		}
	}
	if len(filters) == 0 {
		return k.filters.Clear(sp)
	}
	return k.filters.Write(sp, packState(filters))
}

// slice makes one of the recent ids.
func (k *known) slice(watermark int64, taken map[int64]dedup.Filter, keep func(int64, []byte, dedup.Filter) error) error {
	d, err := dedup.New(k.horizon)
	if err != nil {
		return err
	}
	for _, b := range k.bag {
		if err := d.Merge(b); err != nil {
			return err
		}
	}
	d.Advance(watermark)
	if d.Len() == 0 {
		return nil
	}
	expires := d.Latest() + k.horizon.Milliseconds()
	for taken[expires] != nil {
		expires++ // each has a time of its own, which tells them apart
	}
	return keep(expires, d.AppendEncoded(nil), d.Filter())
}

func eachFilter(slices []byte, use func(expires int64, f dedup.Filter)) error {
	r := wire.NewReader(slices)
	for r.Rest() > 0 {
		expires, f := r.Varint(), dedup.Filter(r.Text())
		if err := r.Err(); err != nil {
			return fmt.Errorf("reading filters of ids: %w", err)
		}
		use(expires, f)
	}
	return nil
}
