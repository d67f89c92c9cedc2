// Package nearest finds the name that someone who mistyped one probably meant.
package nearest

import (
	"slices"
	"strings"
)

// Name returns the one of names within two edits of name, or a third of its
// length, in upper or lower case; failing that, one that begins like it; "" when
// nothing is near. Among equals it is the first in alphabetical order, whatever
// the order of names.
func Name(name string, names []string) string {
	if name == "" {
		return ""
	}
	best, least := "", max(2, len(name)/3)+1
	names = slices.Sorted(slices.Values(names))
	for _, n := range names {
		// As many edits as letters would make anything of it.
		if d := distance(strings.ToLower(name), strings.ToLower(n)); d < least && d < min(len(name), len(n)) {
			best, least = n, d
		}
	}
	if best != "" || len(name) < 3 {
		return best
	}
	for _, n := range names {
		if n != "" && (strings.HasPrefix(n, name) || strings.HasPrefix(name, n)) {
			return n
		}
	}
	return ""
}

// distance counts the insertions, deletions and replacements of bytes between
// two texts (Levenshtein).
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			diagonal, row[j+1] = row[j+1], min(row[j]+1, row[j+1]+1, diagonal+cost)
		}
	}
	return row[len(b)]
}
