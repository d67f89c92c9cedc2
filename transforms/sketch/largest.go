package sketch

import (
	"cmp"
	"iter"
	"slices"
	"strings"
)

// Counted is a key and how often it came.
type Counted struct {
	Key   string
	Count int64
}

// compareCounted puts the greater count first, among equals the lesser key.
func compareCounted(a, b Counted) int {
	if a.Count != b.Count { // mostly, and then no keys are compared
		return cmp.Compare(b.Count, a.Count)
	}
	return strings.Compare(a.Key, b.Key)
}

// Largest returns the n greatest counts in descending order, equal ones by key.
// Every key must come once; in which order makes no difference.
func Largest(counts iter.Seq2[string, int64], n int) []Counted {
	var top []Counted
	for key, count := range counts {
		c := Counted{key, count}
		if len(top) == n {
			if n == 0 || compareCounted(c, top[n-1]) > 0 {
				continue
			}
			top = top[:n-1]
		}
		at, _ := slices.BinarySearchFunc(top, c, compareCounted)
		top = slices.Insert(top, at, c)
	}
	return top
}
