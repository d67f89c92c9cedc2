package dedup

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"slices"

	"millrace/transforms/internal/wire"
)

// The encoded form is a version, the horizon in milliseconds, the number of chains,
// and these by time and id: the time of the first event after that of the chain before, the
// id (8 bytes, and the low bits with one bit more that tells whether there are several
// events), the tie (8 bytes), and, for several, how long after the first the last comes.
// Numbers are varints; bytes are big endian.
const encodingVersion = 1

// AppendEncoded writes what Merge reads. Equal events give equal bytes.
func (d *Deduper) AppendEncoded(dst []byte) []byte {
	t := &d.chains
	sorted := make([]*slot, 0, t.used)
	for i := range t.slots {
		if t.slots[i].high != 0 {
			sorted = append(sorted, &t.slots[i])
		}
	}
	slices.SortFunc(sorted, func(a, b *slot) int { return compareEncoded(a.first().Time, b.first().Time, a.id(), b.id()) })
	dst = append(dst, encodingVersion)
	dst = binary.AppendUvarint(dst, uint64(d.horizon))
	dst = binary.AppendUvarint(dst, uint64(len(sorted)))
	dst = slices.Grow(dst, 22*len(sorted))
	before := int64(0)
	for _, s := range sorted {
		first, end := s.first(), t.end(s)
		dst = binary.AppendUvarint(dst, uint64(first.Time-before))
		dst = binary.BigEndian.AppendUint64(dst, s.high)
		several := uint64(0)
		if end > first.Time {
			several = 1
		}
		dst = binary.AppendUvarint(dst, uint64(s.id().Low)<<1|several)
		dst = binary.BigEndian.AppendUint64(dst, s.tie)
		if several > 0 {
			dst = binary.AppendUvarint(dst, uint64(end-first.Time))
		}
		before = first.Time
	}
	return dst
}

func compareEncoded(t, u int64, a, b ID) int {
	return cmp.Or(cmp.Compare(t, u), cmp.Compare(a.High, b.High), cmp.Compare(a.Low, b.Low))
}

// leastEncoded is how many bytes a chain takes at least.
const leastEncoded = 18

// Merge notes what another Deduper of the same horizon held. After an error nothing
// has changed.
func (d *Deduper) Merge(encoded []byte) error {
	if err := d.read(encoded, func(ID, Order, int64) {}); err != nil {
		return fmt.Errorf("reading remembered ids: %w", err)
	}
	return d.read(encoded, func(id ID, first Order, end int64) { d.join(id, first, end) })
}

// read gives the chains of an encoded Deduper.
func (d *Deduper) read(encoded []byte, chain func(ID, Order, int64)) error {
	in := wire.NewReader(encoded)
	if v := in.Byte(); v != encodingVersion {
		in.Fail("version %d, this program reads %d", v, encodingVersion)
	}
	if horizon := in.Uvarint(); in.Err() == nil && horizon != uint64(d.horizon) {
		in.Fail("of a horizon of %d ms, this one has %d ms", horizon, d.horizon)
	}
	var before Order
	var last ID
	for i := range in.Count(leastEncoded) {
		first := Order{Time: before.Time + int64(in.Limited(maxTime))}
		id := in.Bytes(8)
		low := in.Limited(1<<(lowBits+1) - 1)
		tie := in.Bytes(8)
		if in.Err() != nil {
			break
		}
		now := ID{High: binary.BigEndian.Uint64(id), Low: uint32(low >> 1)}
		first.Tie = binary.BigEndian.Uint64(tie)
		end := first.Time
		if low&1 > 0 {
			end += int64(in.Limited(maxTime))
		}
		switch {
		case now.High == 0 || end > maxTime || low&1 > 0 && end == first.Time:
			in.Fail("no id %x of %d to %d", now.High, first.Time, end)
		case i > 0 && compareEncoded(before.Time, first.Time, last, now) >= 0:
			in.Fail("ids are not in order")
		}
		if in.Err() != nil {
			break
		}
		chain(now, first, end)
		before, last = first, now
	}
	return in.Close()
}
