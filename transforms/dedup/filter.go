package dedup

import "math/bits"

// Filter tells of most ids that are not among those that were added that they are not, and of all
// others that they may be: a Bloom filter (B. H. Bloom, 1970). With filterBits an id it is
// wrong about one in 20 million: who believes it reads very much.
type Filter []byte

const (
	filterBits   = 40 // of an id
	filterProbes = 14
)

// NewFilter makes one for so many ids.
func NewFilter(ids int) Filter { return make(Filter, (max(ids, 1)*filterBits+7)/8) }

// Len is for how many ids it is.
func (f Filter) Len() int { return len(f) * 8 / filterBits }

// Add adds an id.
func (f Filter) Add(id ID) {
	for bit := range f.probes(id) {
		f[bit>>3] |= 1 << (bit & 7)
	}
}

// Has tells whether an id may be among those added. An empty filter has none.
func (f Filter) Has(id ID) bool {
	if len(f) == 0 {
		return false
	}
	for bit := range f.probes(id) {
		if f[bit>>3]>>(bit&7)&1 == 0 {
			return false
		}
	}
	return true
}

// probes are the bits of an id. Ids are hashes already: their halves are taken for two.
func (f Filter) probes(id ID) func(func(uint64) bool) {
	return func(yield func(uint64) bool) {
		at, step := id.High, uint64(id.Low)<<44|id.High>>20|1
		for range filterProbes {
			bit, _ := bits.Mul64(at, uint64(len(f))*8)
			if !yield(bit) {
				return
			}
			at += step
		}
	}
}

// Filter is one of the ids that are remembered.
func (d *Deduper) Filter() Filter {
	f := NewFilter(d.chains.used)
	for i := range d.chains.slots {
		if s := &d.chains.slots[i]; s.high != 0 {
			f.Add(s.id())
		}
	}
	return f
}

// Latest is the time of the last event that is remembered; 0 for none.
func (d *Deduper) Latest() (latest int64) {
	for i := range d.chains.slots {
		if s := &d.chains.slots[i]; s.high != 0 {
			latest = max(latest, d.chains.end(s))
		}
	}
	return latest
}
