package table

import (
	"bytes"
	"hash/maphash"
	"math"
)

// maxText is how many bytes of text one column of a batch can hold: its places
// are 32-bit numbers.
const maxText = math.MaxUint32

// dictionary numbers distinct texts in order of first appearance; a plain column
// numbers every text anew.
//
// The texts lie end to end in one arena and are found through an open hash table
// of codes. So no text is an allocation, nothing holds a pointer that the garbage
// collector follows, and reset keeps all memory.
type dictionary struct {
	arena []byte
	ends  []uint32
	slots []slot // a power of two, at most half of them taken
	// indexed is how many codes slots knows: texts that came by Gather or Decode
	// enter it when something is interned beside them.
	indexed int
}

// slot is a place of the hash table. The hash saves most looks into the arena,
// and all of them when the table grows.
type slot struct {
	hash uint32
	code uint32 // plus one; 0 for a free slot
}

const firstSlots = 32

// hashSeed differs from process to process; codes do not depend on it.
var hashSeed = maphash.MakeSeed()

func hashOf(v []byte) uint32 { return uint32(maphash.Bytes(hashSeed, v)) }

func (d *dictionary) value(code uint32) []byte {
	var from uint32
	if code > 0 {
		from = d.ends[code-1]
	}
	return d.arena[from:d.ends[code]:d.ends[code]]
}

func (d *dictionary) append(v []byte) uint32 {
	var used uint32
	if n := len(d.ends); n > 0 {
		used = d.ends[n-1]
	}
	if uint64(used)+uint64(len(v)) > maxText || len(d.ends) == nullCode {
		panic("table: a column of one batch holds less than 4 GiB of text; take the batch away before that")
	}
	d.arena = append(d.arena, v...)
	d.ends = append(d.ends, uint32(len(d.arena)))
	return uint32(len(d.ends) - 1)
}

func (d *dictionary) intern(v []byte) uint32 {
	for d.indexed < len(d.ends) {
		known := d.value(uint32(d.indexed))
		d.index(hashOf(known), uint32(d.indexed))
	}
	hash := hashOf(v)
	if code, ok := d.find(hash, v); ok {
		return code
	}
	code := d.append(v)
	d.index(hash, code)
	return code
}

// find looks a text up.
func (d *dictionary) find(hash uint32, v []byte) (code uint32, ok bool) {
	if len(d.slots) == 0 {
		return 0, false
	}
	for at := hash; ; at++ {
		s := d.slots[at&uint32(len(d.slots)-1)]
		if s.code == 0 {
			return 0, false
		}
		if s.hash == hash && bytes.Equal(d.value(s.code-1), v) {
			return s.code - 1, true
		}
	}
}

// index makes the next code known to find.
func (d *dictionary) index(hash, code uint32) {
	if 2*d.indexed >= len(d.slots) {
		old := d.slots
		d.slots = make([]slot, max(firstSlots, 2*len(old)))
		for _, s := range old {
			if s.code != 0 {
				d.place(s)
			}
		}
	}
	d.place(slot{hash, code + 1})
	d.indexed++
}

func (d *dictionary) place(s slot) {
	at, mask := s.hash, uint32(len(d.slots)-1)
	for d.slots[at&mask].code != 0 {
		at++
	}
	d.slots[at&mask] = s
}

func (d *dictionary) reset() {
	d.arena, d.ends, d.indexed = d.arena[:0], d.ends[:0], 0
	clear(d.slots)
}
