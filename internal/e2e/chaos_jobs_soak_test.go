//go:build soak || lint

package e2e

import "testing"

// TestDevicesWithSinksSurvive: live on Flink, with rows for every sink, five faults, one of each
// sort, or as many as CHAOS says: 0 leaves it in peace. What is sealed equals the batch job, the sinks have
// it, and what was planted is found nowhere.
func TestDevicesWithSinksSurvive(t *testing.T) {
	survives(t, trial{devicesJob, oneOfEach, true}, 5, 20261130)
}
