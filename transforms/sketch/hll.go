package sketch

import (
	"encoding/binary"
	"math"
	"math/bits"
	"slices"

	"millrace/transforms/internal/wire"
)

const (
	precision = 14
	registers = 1 << precision
	maxRank   = 64 - precision + 1
	maxSparse = 1024 // registers that are not zero, from which on all are stored
)

// HLL is a HyperLogLog of 2^14 registers of one byte (Flajolet et al. 2007):
// its estimates have a standard error of 1.04/sqrt(2^14) = 0.81 %. A register
// holds the greatest rank that was seen, so merging is a maximum and neither
// order nor partition leaves a trace. As long as fewer than 1,024 registers are
// in use only those are stored. The zero value is empty.
type HLL struct {
	sparse []uint32 // register << 8 | rank, ascending
	dense  []byte   // a rank for each register, once sparse would be too long
}

// Add counts a hash.
func (h *HLL) Add(hash uint64) {
	index := uint32(hash >> (64 - precision))
	rank := bits.LeadingZeros64(hash<<precision|1<<(precision-1)) + 1
	h.raise(index, byte(rank))
}

func (h *HLL) raise(index uint32, rank byte) {
	if h.dense != nil {
		h.dense[index] = max(h.dense[index], rank)
		return
	}
	at, found := slices.BinarySearchFunc(h.sparse, index, func(e, i uint32) int { return int(e>>8) - int(i) })
	entry := index<<8 | uint32(rank)
	if found {
		h.sparse[at] = max(h.sparse[at], entry)
		return
	}
	h.sparse = slices.Insert(h.sparse, at, entry)
	if len(h.sparse) >= maxSparse {
		h.spread()
	}
}

func (h *HLL) spread() {
	h.dense = make([]byte, registers)
	for _, e := range h.sparse {
		h.dense[e>>8] = byte(e)
	}
	h.sparse = nil
}

// Merge counts what o counted.
func (h *HLL) Merge(o *HLL) {
	for _, e := range o.sparse {
		h.raise(e>>8, byte(e))
	}
	if o.dense == nil {
		return
	}
	if h.dense == nil {
		h.spread()
	}
	for i, rank := range o.dense {
		h.dense[i] = max(h.dense[i], rank)
	}
}

// Count estimates how many different hashes were added, by the improved raw
// estimator of Otmar Ertl, "New cardinality estimation algorithms for
// HyperLogLog sketches" (2017, arXiv:1702.01284), algorithm 6. It needs neither
// tables nor a switch to linear counting at small numbers. Products are
// converted explicitly, so that no processor fuses them into the sum and every
// one gives the same number.
func (h *HLL) Count() int64 {
	var ranks [maxRank + 1]int
	ranks[0] = registers
	count := func(rank byte) {
		ranks[rank]++
		ranks[0]--
	}
	for _, e := range h.sparse {
		count(byte(e))
	}
	for _, rank := range h.dense {
		if rank > 0 {
			count(rank)
		}
	}
	const m = float64(registers)
	z := float64(m * tau(1-float64(ranks[maxRank])/m))
	for k := maxRank - 1; k >= 1; k-- {
		z = 0.5 * (z + float64(ranks[k]))
	}
	z += float64(m * sigma(float64(ranks[0])/m))
	return int64(math.Round(m / (2 * math.Ln2) * (m / z)))
}

func sigma(x float64) float64 {
	if x == 1 {
		return math.Inf(1)
	}
	for y, z := 1.0, x; ; y += y {
		x *= x
		before := z
		if z += float64(x * y); z == before {
			return z
		}
	}
}

func tau(x float64) float64 {
	if x == 0 || x == 1 {
		return 0
	}
	for y, z := 1.0, 1-x; ; {
		x = math.Sqrt(x)
		before := z
		y *= 0.5
		if z -= float64(float64((1-x)*(1-x)) * y); z == before {
			return z / 3
		}
	}
}

// The encoded form begins with a version and the form: sparse is a count, then
// for each register in use how many it lies after the one before, and the rank;
// dense is all ranks.
const (
	hllVersion = 1
	formSparse = 0
	formDense  = 1
)

// AppendEncoded writes what DecodeHLL reads.
func (h *HLL) AppendEncoded(dst []byte) []byte {
	if h.dense != nil {
		return append(append(dst, hllVersion, formDense), h.dense...)
	}
	dst = append(dst, hllVersion, formSparse)
	dst = binary.AppendUvarint(dst, uint64(len(h.sparse)))
	next := uint32(0)
	for _, e := range h.sparse {
		dst = binary.AppendUvarint(dst, uint64(e>>8-next))
		dst = append(dst, byte(e))
		next = e>>8 + 1
	}
	return dst
}

// DecodeHLL reads what AppendEncoded wrote.
func DecodeHLL(b []byte) (*HLL, error) {
	in := wire.NewReader(b)
	h := readHLL(in)
	if err := in.Close(); err != nil {
		return nil, err
	}
	return h, nil
}

func readHLL(in *wire.Reader) *HLL {
	h := &HLL{}
	if v := in.Byte(); v != hllVersion {
		in.Fail("HyperLogLog of version %d", v)
	}
	switch form := in.Byte(); form {
	case formSparse:
		h.readSparse(in)
	case formDense:
		h.readDense(in)
	default:
		in.Fail("HyperLogLog of form %d", form)
	}
	return h
}

func (h *HLL) readSparse(in *wire.Reader) {
	n := in.Count(2)
	if n >= maxSparse {
		in.Fail("%d single registers", n)
		return
	}
	next := uint64(0)
	for range n {
		index, rank := next+in.Limited(registers), in.Byte()
		if index >= registers || rank == 0 || rank > maxRank {
			in.Fail("register %d with rank %d", index, rank)
			return
		}
		h.sparse = append(h.sparse, uint32(index)<<8|uint32(rank))
		next = index + 1
	}
}

func (h *HLL) readDense(in *wire.Reader) {
	ranks := in.Bytes(registers)
	used := 0
	for i, rank := range ranks {
		if rank > maxRank {
			in.Fail("register %d with rank %d", i, rank)
			return
		}
		if rank > 0 {
			used++
		}
	}
	if in.Err() == nil && used < maxSparse {
		in.Fail("all registers stored for %d in use", used)
		return
	}
	h.dense = slices.Clone(ranks)
}
