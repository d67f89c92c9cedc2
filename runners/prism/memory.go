package prism

import (
	"os"
	"runtime/debug"
)

// Below softLimit the collector waits until the heap is three times what lives;
// from there on it works harder, so that a run of any size stays near the limit
// as long as what lives is well below. Measured on a batch of 2,000,000 lines:
// as little time as a heap without limit, two thirds of its memory.
const (
	gcPercent = 200
	softLimit = 640 << 20
)

// tuneMemory sets the collector for a run; undo restores it. What the user has
// set in the environment stands.
func tuneMemory() (undo func()) {
	if os.Getenv("GOGC") != "" || os.Getenv("GOMEMLIMIT") != "" {
		return func() {}
	}
	percent, limit := debug.SetGCPercent(gcPercent), debug.SetMemoryLimit(softLimit)
	return func() {
		debug.SetGCPercent(percent)
		debug.SetMemoryLimit(limit)
	}
}
