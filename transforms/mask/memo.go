package mask

import (
	"bytes"

	"github.com/cespare/xxhash/v2"
)

// memo remembers the keyed code of values seen lately. Its size is fixed, it
// compares whole values and holds no pointers: what it forgets never shows, and
// the garbage collector has nothing to follow.
type memo struct {
	slots []slot
	key   []byte // the value being looked up
}

// slot takes four cache lines. Values longer than its key are not remembered.
type slot struct {
	hash uint64
	n    uint32 // length of the value; 0 when empty
	code code
	key  [212]byte
}

// newMemo makes a memo of n slots, a power of two.
func newMemo(n int) memo { return memo{slots: make([]slot, n)} }

// find looks m.key up in its two slots. When it is not there, find returns the
// slot to fill, or nil when the value is too long to remember.
func (m *memo) find() (s *slot, hit bool) {
	h := xxhash.Sum64(m.key)
	i := h & uint64(len(m.slots)-1)
	first, second := &m.slots[i], &m.slots[i^1]
	if first.holds(h, m.key) {
		return first, true
	}
	if second.holds(h, m.key) {
		return second, true
	}
	if len(m.key) > len(first.key) {
		return nil, false
	}
	// The other half of the hash chooses which of the two gives way.
	s = first
	if first.n != 0 && (second.n == 0 || h>>63 == 1) {
		s = second
	}
	s.hash, s.n = h, uint32(len(m.key))
	copy(s.key[:], m.key)
	return s, false
}

func (s *slot) holds(hash uint64, key []byte) bool {
	return s.hash == hash && int(s.n) == len(key) && bytes.Equal(s.key[:s.n], key)
}
