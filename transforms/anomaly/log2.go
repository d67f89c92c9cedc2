package anomaly

import "math"

// log2 is the binary logarithm of x > 0, to 13 digits. The one of package math is
// written in assembly for some processors, and its last bits differ.
func log2(x float64) float64 {
	m, e := math.Frexp(x) // x = m * 2^e, m in [0.5, 1)
	if m < math.Sqrt2/2 {
		m *= 2
		e--
	}
	// ln m = 2 artanh(s), |s| < 0.172
	s := (m - 1) / (m + 1)
	q := float64(s * s)
	sum := 0.0
	for k := 15; k >= 1; k -= 2 {
		sum = float64(sum*q) + 1/float64(k)
	}
	return float64(e) + float64(float64(2*s)*sum)/math.Ln2
}
