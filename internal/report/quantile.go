package report

import "math"

// A spread is a histogram of non-negative values with bins that grow by 2%, so
// that a quantile read from it is within 1% of a true one. Integer bins make it
// independent of the order of values.
type spread struct {
	zeros, n int64
	bins     [maxBin + 1]int64
}

const (
	binGrowth = 1.02
	maxBin    = 2206 // of the greatest int64
)

var logBinGrowth = math.Log(binGrowth)

func (s *spread) add(v int64) {
	s.n++
	if v <= 0 {
		s.zeros++
		return
	}
	s.bins[int(math.Ceil(math.Log(float64(v))/logBinGrowth))]++
}

// quantile returns the value below which the share q of all values lies.
func (s *spread) quantile(q float64) int64 {
	rank := int64(math.Ceil(q * float64(s.n)))
	if rank <= s.zeros {
		return 0
	}
	seen := s.zeros
	for bin, n := range s.bins {
		seen += n
		if seen >= rank {
			return int64(math.Round(2 * math.Pow(binGrowth, float64(bin)) / (1 + binGrowth)))
		}
	}
	return 0
}
