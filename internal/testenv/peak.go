package testenv

import (
	"testing"

	"millrace/internal/machine"
)

// PeakHeap is machine.PeakHeap: how many bytes f makes the heap larger at its peak.
func PeakHeap(tb testing.TB, f func()) (peak uint64) {
	tb.Helper()
	return machine.PeakHeap(f)
}
