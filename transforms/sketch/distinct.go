package sketch

import (
	"encoding/binary"
	"fmt"
	"slices"

	"millrace/transforms/internal/wire"
)

// DefaultLimit is how many things a Distinct counts one by one.
const DefaultLimit = 1 << 16

// Distinct counts different things: exactly up to a limit, by HyperLogLog
// beyond it. Which of the two depends only on how many there are.
type Distinct struct {
	limit  int
	exact  *hashSet // nil beyond the limit
	beyond *HLL
	recent [256]uint64 // hashes added lately, most of which come again
}

// NewDistinct returns an empty one that is exact up to limit; DefaultLimit when
// zero.
func NewDistinct(limit int) *Distinct {
	if limit == 0 {
		limit = DefaultLimit
	}
	if limit < 0 {
		panic(fmt.Sprintf("sketch: limit %d", limit))
	}
	return &Distinct{limit: limit, exact: newHashSet(0)}
}

// Add counts a hash.
func (d *Distinct) Add(hash uint64) {
	slot := &d.recent[hash%uint64(len(d.recent))]
	if *slot == hash && hash != 0 { // an empty slot looks like 0
		return
	}
	*slot = hash
	d.add(hash)
}

func (d *Distinct) add(hash uint64) {
	if d.exact == nil {
		d.beyond.Add(hash)
		return
	}
	d.exact.add(hash)
	if d.exact.len() > d.limit {
		d.beyond = d.estimator()
		d.exact = nil
	}
}

// Merge counts what o counted. Both must have the same limit.
func (d *Distinct) Merge(o *Distinct) error {
	if d.limit != o.limit {
		return fmt.Errorf("merging distinct counts: one is exact up to %d, the other up to %d", d.limit, o.limit)
	}
	if o.exact == nil {
		if d.exact != nil {
			d.beyond = d.estimator()
			d.exact = nil
		}
		d.beyond.Merge(o.beyond)
		return nil
	}
	for hash := range o.exact.all {
		d.add(hash)
	}
	return nil
}

// Exact tells whether every thing is counted one by one.
func (d *Distinct) Exact() bool { return d.exact != nil }

// Count is the number of different things, or an estimate if not Exact.
func (d *Distinct) Count() int64 {
	if d.exact != nil {
		return int64(d.exact.len())
	}
	return d.beyond.Count()
}

// Estimate is the HyperLogLog estimate, also where Count would be exact: for
// comparison with another that is not. It is never greater than that of a
// Distinct which counts the same things and more.
func (d *Distinct) Estimate() int64 { return d.estimator().Count() }

func (d *Distinct) estimator() *HLL {
	if d.exact == nil {
		return d.beyond
	}
	h := &HLL{}
	for hash := range d.exact.all {
		h.Add(hash)
	}
	return h
}

// Clone returns an independent copy.
func (d *Distinct) Clone() *Distinct {
	c := &Distinct{limit: d.limit}
	if d.exact != nil {
		c.exact = d.exact.clone()
	}
	if d.beyond != nil {
		c.beyond = &HLL{}
		c.beyond.Merge(d.beyond)
	}
	return c
}

// The encoded form is a version, the limit, the number of hashes and these in
// ascending order, 8 bytes each, little endian; or the limit, limit + 1 and the
// HyperLogLog.
const distinctVersion = 1

// AppendEncoded writes what DecodeDistinct reads.
func (d *Distinct) AppendEncoded(dst []byte) []byte {
	dst = append(dst, distinctVersion)
	dst = binary.AppendUvarint(dst, uint64(d.limit))
	if d.exact == nil {
		dst = binary.AppendUvarint(dst, uint64(d.limit)+1)
		return d.beyond.AppendEncoded(dst)
	}
	dst = binary.AppendUvarint(dst, uint64(d.exact.len()))
	dst = slices.Grow(dst, 8*d.exact.len())
	for _, hash := range d.exact.sorted() {
		dst = binary.LittleEndian.AppendUint64(dst, hash)
	}
	return dst
}

// DecodeDistinct reads what AppendEncoded wrote.
func DecodeDistinct(b []byte) (*Distinct, error) {
	in := wire.NewReader(b)
	d := readDistinct(in)
	if err := in.Close(); err != nil {
		return nil, err
	}
	return d, nil
}

const maxLimit = 1 << 30

func readDistinct(in *wire.Reader) *Distinct {
	if v := in.Byte(); v != distinctVersion {
		in.Fail("distinct count of version %d", v)
	}
	limit := in.Limited(maxLimit)
	if in.Err() == nil && limit == 0 {
		in.Fail("a limit of 0")
	}
	n := in.Limited(limit + 1)
	if n > limit {
		return &Distinct{limit: int(limit), beyond: readHLL(in)}
	}
	hashes := in.Bytes(8 * int(n))
	d := &Distinct{limit: int(limit), exact: newHashSet(len(hashes) / 8)}
	previous := uint64(0)
	for i := 0; i < len(hashes); i += 8 {
		hash := binary.LittleEndian.Uint64(hashes[i:])
		if i > 0 && hash <= previous {
			in.Fail("hashes are not in order")
			break
		}
		d.exact.add(hash)
		previous = hash
	}
	return d
}
