package driver

import (
	"fmt"
	"slices"
	"strings"
)

func unknownParameter(name string, known []string) error {
	if len(known) == 0 {
		return fmt.Errorf("parameter %s is unknown: this address takes none", name)
	}
	names := slices.Clone(known)
	slices.Sort(names)
	names = slices.Compact(names)
	if near := nearest(name, names); near != "" {
		return fmt.Errorf("parameter %s is unknown; did you mean %s? (known: %s)", name, near, strings.Join(names, ", "))
	}
	return fmt.Errorf("parameter %s is unknown (known: %s)", name, strings.Join(names, ", "))
}

// nearest is the name within two edits, or a third of its length, the first in
// order among equals; or else the first that begins like it.
func nearest(name string, names []string) string {
	best, bestDistance := "", max(2, len(name)/3)+1
	for _, n := range names {
		if d := editDistance(strings.ToLower(name), strings.ToLower(n)); d < bestDistance && d < len(n) {
			best, bestDistance = n, d
		}
	}
	if best != "" || len(name) < 3 {
		return best
	}
	for _, n := range names {
		if strings.HasPrefix(n, name) || strings.HasPrefix(name, n) {
			return n
		}
	}
	return ""
}

// editDistance counts insertions, deletions and replacements (Levenshtein).
func editDistance(a, b string) int {
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
