package sketch

import (
	"math/bits"
	"slices"
)

// hashSet is a set of hashes by open addressing: half the time of a map (BenchmarkHashes).
type hashSet struct {
	slots []uint64 // a power of two of them, at most three quarters taken; 0 is a free one
	taken int
	zero  bool // whether 0 is in the set
}

const firstHashes = 16

// newHashSet has room for n.
func newHashSet(n int) *hashSet {
	return &hashSet{slots: make([]uint64, max(firstHashes, 1<<bits.Len(uint(n+n/3))))}
}

// len is how many hashes there are.
func (s *hashSet) len() int {
	if s.zero {
		return s.taken + 1
	}
	return s.taken
}

func (s *hashSet) add(hash uint64) {
	if hash == 0 {
		s.zero = true
		return
	}
	if !s.place(hash) {
		return
	}
	if s.taken++; 4*s.taken > 3*len(s.slots) {
		old := s.slots
		s.slots = make([]uint64, 2*len(old))
		for _, h := range old {
			if h != 0 {
				s.place(h)
			}
		}
	}
}

// place puts a hash into a free slot; not when it is there.
func (s *hashSet) place(hash uint64) bool {
	mask := uint64(len(s.slots) - 1)
	// Hashes that another counted may be alike in their low bits.
	for at := hash * 0x9e3779b97f4a7c15 >> 20; ; at++ {
		switch s.slots[at&mask] {
		case 0:
			s.slots[at&mask] = hash
			return true
		case hash:
			return false
		}
	}
}

// all gives the hashes, in no order.
func (s *hashSet) all(yield func(uint64) bool) {
	if s.zero && !yield(0) {
		return
	}
	for _, h := range s.slots {
		if h != 0 && !yield(h) {
			return
		}
	}
}

// sorted are the hashes in ascending order.
func (s *hashSet) sorted() []uint64 {
	hashes := slices.AppendSeq(make([]uint64, 0, s.len()), s.all)
	slices.Sort(hashes)
	return hashes
}

func (s *hashSet) clone() *hashSet {
	c := *s
	c.slots = slices.Clone(s.slots)
	return &c
}
