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
