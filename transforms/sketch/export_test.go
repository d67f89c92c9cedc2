package sketch

import "iter"

// Bins are the values that stand for bins in use, zero among them, and their counts.
func Bins(s *Quantiles) iter.Seq2[float64, int64] {
	return func(yield func(float64, int64) bool) {
		if s.zeros > 0 && !yield(0, s.zeros) {
			return
		}
		for i, n := range s.bins {
			if n > 0 && !yield(bins.value(s.from+i), n) {
				return
			}
		}
	}
}

// BinOf is the bin of a value.
func BinOf(v uint64) int { return bins.of(v) }

// BinStart is where a bin begins, 2^64 for the one after the last.
func BinStart(i int) float64 {
	if i == binCount {
		return 1 << 64
	}
	return bins.start[i]
}
