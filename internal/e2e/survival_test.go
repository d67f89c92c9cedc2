package e2e

import (
	"strconv"
	"testing"
)

// Tests of live jobs that suffer. They come late in this package: a machine that runs tests
// of other packages beside them needs three times as long for them. A run of all tests has 25
// faults: fifteen of weblogs, five of a shop and five of a ward.

// TestSinksSurviveFaults sends what the live job on Flink makes to all sinks at once and
// hurts these, what lies between, and the workers: fifteen faults, or as many as CHAOS says.
// Every sink has the rows of the lake then.
func TestSinksSurviveFaults(t *testing.T) {
	survives(t, trial{weblogsJob, ofSinks, true}, 15, 20261128)
}

// TestClickstreamSurvivesOnFlink, TestDevicesSurviveOnFlink: live on Flink, with rows for every sink,
// five faults, one of each sort, or as many as CHAOS says: 0 leaves it in peace. What is sealed
// equals the batch job, sinks have it, and what was planted is found nowhere.
func TestClickstreamSurvivesOnFlink(t *testing.T) {
	survives(t, trial{clickstreamJob, oneOfEach, true}, 5, 20261129)
}

func TestDevicesSurviveOnFlink(t *testing.T) {
	survives(t, trial{devicesJob, oneOfEach, true}, 5, 20261130)
}

// survives has a job suffer until so many faults have hit.
func survives(t *testing.T, trial trial, wanted int, seed uint64) {
	t.Helper()
	wanted, seed = asked(t, wanted, seed)
	worker := buildChaos(t)
	report := &chaosLog{seed: seed}
	defer report.tell(t)
	for round := uint64(0); (report.counted() < wanted || round == 0) && !t.Failed(); round++ {
		if round == 4 {
			t.Fatalf("%d of %d faults hit in %d runs", report.counted(), wanted, round)
		}
		t.Run("seed "+strconv.FormatUint(seed+round, 10), func(t *testing.T) {
			hurt(t, worker, seed+round, wanted-report.counted(), report, trial)
		})
	}
}
