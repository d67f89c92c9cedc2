package mask

import (
	"bytes"

	"github.com/cespare/xxhash/v2"
)

// memo remembers the keyed code of values seen lately. Its size is fixed and
// it compares whole values, so what it forgets or confuses is never visible.
type memo struct {
	slots []slot
	key   []byte // the value being looked up
}

type slot struct {
	hash uint64
	key  []byte
	code code
}

// maxMemoKey bounds the memory of a slot; longer values are not remembered.
const maxMemoKey = 1 << 10

// newMemo makes a memo of n slots, a power of two.
func newMemo(n int) memo { return memo{slots: make([]slot, n)} }

// find looks m.key up in its two slots. When it is not there, find makes room
// by dropping the older one and returns the slot to fill, or nil when the value
// is too long.
func (m *memo) find() (s *slot, hit bool) {
	h := xxhash.Sum64(m.key)
	i := h & uint64(len(m.slots)-1)
	first := &m.slots[i]
	if first.hash == h && bytes.Equal(first.key, m.key) {
		return first, true
	}
	second := &m.slots[i^1]
	if second.hash == h && bytes.Equal(second.key, m.key) {
		return second, true
	}
	if len(m.key) > maxMemoKey || len(m.key) == 0 {
		return nil, false
	}
	*first, *second = *second, *first
	first.hash = h
	first.key = append(first.key[:0], m.key...)
	return first, false
}
