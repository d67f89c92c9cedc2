//go:build soak || lint

package e2e

import "testing"

// TestDevicesSurviveOnFlink is TestClickstreamSurvivesOnFlink of the other job, each of
// whose readings is an element of its own in several streams: two cores take long.
func TestDevicesSurviveOnFlink(t *testing.T) {
	survives(t, trial{devicesJob, ofStreams, false}, 3, 20261130)
}

// TestClickstreamWithSinksSurvives, TestDevicesWithSinksSurvive: live on Flink, with rows for
// every sink, five faults, one of each sort, or as many as CHAOS says: 0 leaves it in peace. What is sealed
// equals the batch job, the sinks have it, and what was planted is found nowhere.
func TestClickstreamWithSinksSurvives(t *testing.T) {
	survives(t, trial{clickstreamJob, oneOfEach, true}, 5, 20261129)
}

func TestDevicesWithSinksSurvive(t *testing.T) {
	survives(t, trial{devicesJob, oneOfEach, true}, 5, 20261130)
}
