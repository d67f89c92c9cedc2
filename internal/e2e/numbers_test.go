package e2e

import (
	"strconv"
	"testing"
)

// number reads an integer that a query returned.
func number(t testing.TB, text string) int64 {
	t.Helper()
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// counts reads rows of a text and an integer.
func counts(t testing.TB, rows [][]string) map[string]int64 {
	t.Helper()
	m := map[string]int64{}
	for _, r := range rows {
		m[r[0]] = number(t, r[1])
	}
	return m
}
