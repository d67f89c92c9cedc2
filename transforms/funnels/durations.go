package funnels

import "slices"

// durations are times that something took visitors, in milliseconds.
type durations []int64

func (d durations) total() (sum int64) {
	for _, t := range d {
		sum += t
	}
	return sum
}

// average is their mean; false when there are none.
func (d durations) average() (float64, bool) {
	if len(d) == 0 {
		return 0, false
	}
	return float64(d.total()) / float64(len(d)), true
}

// median sorts them.
func (d durations) median() (float64, bool) {
	n := len(d)
	if n == 0 {
		return 0, false
	}
	slices.Sort(d)
	return (float64(d[(n-1)/2]) + float64(d[n/2])) / 2, true
}
