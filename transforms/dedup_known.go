package transforms

import (
	"encoding/binary"
	"fmt"
	"time"

	"github.com/apache/beam/sdks/v2/go/pkg/beam/core/state"
	"github.com/cespare/xxhash/v2"

	"millrace/schemas/table"
	"millrace/transforms/dedup"
	"millrace/transforms/internal/wire"
)

// knownIDs are the ids that a live shard knows: those of one horizon, millions where much
// comes. A round must neither write nor read them all. So each adds those it judged
// to a bag of recent ones. When these span a quarter of the horizon, or are many, they become
// a slice, beside a filter that tells which ids are in none: slices are read when a filter cannot
// say so, which is when something comes again after long.
//
// A worker remembers what a round knew till the next one, which reads nothing then, see
// remembered.
type knownIDs struct {
	recent  state.Bag[[]byte]   // by round: its watermark, ids
	old     state.Bag[[]byte]   // by slice: when it may be forgotten, ids
	filters state.Value[[]byte] // by slice: when it may be forgotten, filter
	stored  state.Value[int64]  // stamp of what is known, see remembered
	horizon time.Duration
	columns dedup.Columns
	place   string // of what is remembered
}

// slicesOfHorizon is how many slices a horizon is cut into at least, and one more are kept.
const slicesOfHorizon = 4

// manyIDs of a shard are as many as are recent at most, and as a worker remembers one by one. Tests have fewer.
var manyIDs = 128 << 10

// known are the ids of a round.
type known struct {
	knownIDs
	*remembered
	fresh  *dedup.Deduper
	before int64 // stamp of the last round
}

// read gives a judge that knows what must be known of rows.
func (k knownIDs) read(sp state.Provider, rows []table.Rows) (*dedup.Judge, *known, error) {
	r, err := k.borrow(sp)
	if err != nil {
		return nil, nil, err
	}
	ids := &known{knownIDs: k, before: r.stamp, remembered: r}
	if ids.fresh, err = dedup.New(k.horizon); err != nil {
		return nil, nil, err
	}
	if again, err := ids.mayKnow(rows); err != nil {
		return nil, nil, err
	} else if again {
		if err := k.mergeOld(sp, ids.judge); err != nil {
			return nil, nil, err
		}
		ids.swollen = true
	}
	ids.judge.Advance(ids.last) // as if each had been forgotten by itself
	return ids.judge, ids, nil
}

// borrow gives what is known, which may say nothing of slices: what is remembered, or else what state
// has. Nobody else has it until it is put back.
func (k knownIDs) borrow(sp state.Provider) (*remembered, error) {
	stamp, _, err := k.stored.Read(sp)
	if err != nil {
		return nil, err
	}
	if r := idsOfShards.take(k.place, stamp); r != nil {
		return r, nil
	}
	r, err := k.load(sp)
	if err == nil {
		r.stamp = stamp
	}
	return r, err
}

// load reads what is known: slices too, where they are small.
func (k knownIDs) load(sp state.Provider) (*remembered, error) {
	judge, err := dedup.NewJudge(k.columns, k.horizon, true)
	if err != nil {
		return nil, err
	}
	r := &remembered{judge: judge, since: never}
	packed, _, err := k.recent.Read(sp)
	if err != nil {
		return nil, err
	}
	for _, p := range packed {
		watermark, b, err := unpackOpen(p)
		if err != nil {
			return nil, err
		}
		r.since, r.last = min(r.since, watermark), max(r.last, watermark)
		if err := judge.Merge(b); err != nil {
			return nil, err
		}
	}
	r.recently = judge.Len()
	filters, _, err := k.filters.Read(sp)
	if err != nil {
		return nil, err
	}
	if r.slices, err = unpackState(filters); err != nil {
		return nil, err
	}
	old, err := r.look()
	if err != nil {
		return nil, err
	}
	if r.all = r.recently+old <= manyIDs; r.all && old > 0 {
		err = k.mergeOld(sp, judge)
	}
	return r, err
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

// mayKnow tells whether a slice that the judge does not know may have an id of rows.
func (k *known) mayKnow(rows []table.Rows) (again bool, err error) {
	if k.all {
		return false, nil
	}
	err = eachFilter(k.slices, func(_ int64, f dedup.Filter) {
		for _, r := range rows {
			again = again || k.judge.Any(r.Batch, f.Has)
		}
	})
	return again, err
}

// note notes rows that were judged.
func (k *known) note(b *table.Batch, s dedup.Sorted) {
	k.judge.NoteRows(b, s.Kept, k.fresh)
	k.judge.NoteRows(b, s.Duplicates, k.fresh)
}

// write keeps what the round noted, and tells when there is something to forget: never
// when nothing is known. waiting are the rows that it did not judge, of which the judge knows, too.
func (k *known) write(sp state.Provider, watermark int64, waiting []byte) (forgets int64, err error) {
	h := xxhash.New()
	_, _ = h.Write(binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(nil, uint64(k.before)), uint64(watermark)))
	_, _ = h.Write(waiting)
	if k.fresh.Len() > 0 {
		b := k.fresh.AppendEncoded(nil)
		_, _ = h.Write(b)
		if err := k.recent.Add(sp, packOpen(watermark, b)); err != nil {
			return 0, err
		}
		k.recently, k.since, k.last = k.recently+k.fresh.Len(), min(k.since, watermark), watermark
	}
	span := k.horizon.Milliseconds() / slicesOfHorizon
	if k.recently > 0 && (k.recently >= manyIDs || watermark-k.since >= span) {
		if err := k.cut(sp, watermark); err != nil {
			return 0, err
		}
	}
	if k.outdated <= watermark {
		if err := k.forget(sp, watermark); err != nil {
			return 0, err
		}
	}
	forgets = k.outdated
	if k.recently > 0 {
		forgets = min(forgets, k.since+span)
	}
	if forgets == never {
		if k.before == 0 {
			return never, nil
		}
		return never, k.stored.Clear(sp)
	}
	return forgets, k.remember(sp, int64(h.Sum64()))
}

// remember has the worker know in the next round what this one knew.
func (k *known) remember(sp state.Provider, stamp int64) error {
	if !k.swollen {
		k.stamp = stamp
		idsOfShards.put(k.place, k.remembered)
	}
	return k.stored.Write(sp, stamp)
}

// cut makes a slice of the recent ids.
func (k *known) cut(sp state.Provider, watermark int64) error {
	packed, _, err := k.recent.Read(sp)
	if err != nil {
		return err
	}
	d, err := dedup.New(k.horizon)
	if err != nil {
		return err
	}
	for _, p := range packed {
		_, b, err := unpackOpen(p)
		if err == nil {
			err = d.Merge(b)
		}
		if err != nil {
			return err
		}
	}
	if err := k.recent.Clear(sp); err != nil {
		return err
	}
	k.recently, k.since, k.swollen = 0, never, true
	if d.Advance(watermark); d.Len() == 0 {
		return nil
	}
	expires := d.Latest() + k.horizon.Milliseconds()
	taken := map[int64]bool{}
	if err := eachFilter(k.slices, func(expires int64, _ dedup.Filter) { taken[expires] = true }); err != nil {
		return err
	}
	for taken[expires] {
		expires++ // each has a time of its own, which tells them apart
	}
	if err := k.old.Add(sp, packOpen(expires, d.AppendEncoded(nil))); err != nil {
		return err
	}
	return k.keep(sp, appendFilter(k.slices, expires, d.Filter()))
}

// forget drops slices that no event can need.
func (k *known) forget(sp state.Provider, watermark int64) error {
	packed, _, err := k.old.Read(sp)
	if err != nil {
		return err
	}
	if err := k.old.Clear(sp); err != nil {
		return err
	}
	for _, p := range packed {
		expires, _, err := unpackOpen(p)
		if err == nil && expires > watermark {
			err = k.old.Add(sp, p)
		}
		if err != nil {
			return err
		}
	}
	var filters []byte
	err = eachFilter(k.slices, func(expires int64, f dedup.Filter) {
		if expires > watermark {
			filters = appendFilter(filters, expires, f)
		}
	})
	if err != nil {
		return err
	}
	return k.keep(sp, filters)
}

// keep keeps the filters of the slices.
func (k *known) keep(sp state.Provider, filters []byte) error {
	k.slices = filters
	if _, err := k.look(); err != nil {
		return err
	}
	if len(filters) == 0 {
		return k.filters.Clear(sp)
	}
	return k.filters.Write(sp, packState(filters))
}

func appendFilter(slices []byte, expires int64, f dedup.Filter) []byte {
	return wire.AppendText(binary.AppendVarint(slices, expires), f)
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
