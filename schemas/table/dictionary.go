package table

import "math"

// maxText is how many bytes of text one column of a batch can hold: its places
// are 32-bit numbers.
const maxText = math.MaxUint32

// dictionary numbers distinct texts in order of first appearance; a plain column
// numbers every text anew.
type dictionary struct {
	arena []byte
	ends  []uint32
	index map[string]uint32
	// indexed is how many codes index knows: texts that came by Gather or Decode
	// enter it when something is interned beside them.
	indexed int
}

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
	if d.index == nil {
		d.index = map[string]uint32{}
	}
	for ; d.indexed < len(d.ends); d.indexed++ {
		code := uint32(d.indexed)
		d.index[string(d.value(code))] = code
	}
	if code, ok := d.index[string(v)]; ok {
		return code
	}
	code := d.append(v)
	d.index[string(v)] = code
	d.indexed++
	return code
}

func (d *dictionary) reset() {
	d.arena, d.ends, d.indexed = d.arena[:0], d.ends[:0], 0
	clear(d.index)
}
