package transforms

import (
	"slices"
	"sync"

	"millrace/transforms/dedup"
)

// remembered is what a worker remembers of a shard's ids from one round to the next. Its stamp is
// a hash of all that the rounds up to the last one kept, each hashed into that of the one before. State has
// the stamp, too: where both are one, what is remembered is what state would give. They are not where
// the shard came from a checkpoint, or another worker had it in between.
type remembered struct {
	stamp   int64
	judge   *dedup.Judge // knows the recent ids
	all     bool         // and the slices
	swollen bool         // knows slices that are too much to be remembered, or what is in a slice now

	// waiting are the ids of rows that wait, where rows are wanted early; nil for not known.
	waiting map[dedup.ID]bool

	recently int    // ids that are in no slice
	since    int64  // watermark of the first round of these; never for none
	last     int64  // of the last round
	slices   []byte // filters, unpacked
	outdated int64  // when a quarter of the slices can be forgotten; never for none
}

// look counts the ids of slices, and sees when these are outdated: forgetting writes all that
// stay, so it comes with several at a time.
func (r *remembered) look() (ids int, err error) {
	var expires []int64
	err = eachFilter(r.slices, func(at int64, f dedup.Filter) {
		expires = append(expires, at)
		ids += f.Len()
	})
	if r.outdated = never; len(expires) > 0 {
		slices.Sort(expires)
		r.outdated = expires[(len(expires)-1)/4]
	}
	return ids, err
}

// inSlices tells whether an id may be in a slice that the judge does not know.
func (r *remembered) inSlices(id dedup.ID) (may bool) {
	if r.all {
		return false
	}
	_ = eachFilter(r.slices, func(_ int64, f dedup.Filter) { may = may || f.Has(id) }) // look has read them
	return may
}

// idMemory is what a worker remembers of ids, by run and shard.
type idMemory struct {
	mu    sync.Mutex
	of    map[string]*remembered
	taken int // how often something was remembered; for tests
}

// idsOfShards is shared by all DoFns of a process: a shard may come to any of them.
var idsOfShards idMemory

// mostRemembered bounds the shards that are remembered, of all runs of a process.
const mostRemembered = 4 * LiveShards

// take takes what is remembered of a shard, if it has the stamp; nil if nothing has. Nobody
// else has it then.
func (m *idMemory) take(place string, stamp int64) *remembered {
	m.mu.Lock()
	defer m.mu.Unlock()
	r := m.of[place]
	delete(m.of, place)
	if r == nil || r.stamp != stamp {
		return nil
	}
	m.taken++
	return r
}

// put has a shard be remembered, in place of another where there are too many.
func (m *idMemory) put(place string, r *remembered) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.of == nil {
		m.of = map[string]*remembered{}
	}
	for other := range m.of {
		if len(m.of) < mostRemembered {
			break
		}
		delete(m.of, other)
	}
	m.of[place] = r
}
