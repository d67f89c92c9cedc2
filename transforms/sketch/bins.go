package sketch

import (
	"math"
	"math/bits"
	"sort"
)

// The bins of a DDSketch of 1 % (Masson, Rim, Lee: "DDSketch: a fast and
// fully-mergeable quantile sketch with relative-error guarantees", VLDB 2019): bin
// i holds the values from gamma^i up to gamma^(i+1), where gamma is 1.01/0.99. They
// are those of the logarithmic mapping of github.com/DataDog/sketches-go v1.4.8, with
// which a test compares them, but come out of multiplications alone: a logarithm
// differs between processors in the last digit, and a value at the edge of a bin would
// fall into another.
const (
	accuracy = 0.01
	gamma    = (1 + accuracy) / (1 - accuracy)
	binCount = 2218 // up to 2^64 - 1
)

// binning is the table of bins.
type binning struct {
	start [binCount]float64 // gamma^i
	least [binCount]uint64  // the least whole number that is no smaller
	hint  [64 * hintPlaces]uint16
}

// A hint is the bin of the least value with the same length in bits and the same
// hintBits after the first: at most three bins before the right one.
const (
	hintBits   = 5
	hintPlaces = 1 << hintBits
)

var bins = newBinning()

func newBinning() *binning {
	b := &binning{}
	start := 1.0
	for i := range b.start {
		b.start[i], b.least[i] = start, uint64(math.Ceil(start))
		start = float64(start * gamma)
	}
	for i := range b.hint {
		length, top := i/hintPlaces, uint64(i%hintPlaces)
		least := (hintPlaces + top) << 58 >> (63 - length)
		b.hint[i] = uint16(sort.Search(binCount, func(k int) bool { return b.least[k] > least }) - 1)
	}
	return b
}

// of is the bin of a value above 0.
func (b *binning) of(v uint64) int {
	length := bits.Len64(v) - 1
	i := int(b.hint[length*hintPlaces+int(v<<(63-length)>>(63-hintBits)&(hintPlaces-1))])
	for i+1 < binCount && b.least[i+1] <= v {
		i++
	}
	return i
}

// value stands for the values of a bin: it is within the accuracy of each.
func (b *binning) value(i int) float64 { return float64(b.start[i] * (1 + accuracy)) }
