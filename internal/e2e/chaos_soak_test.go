//go:build soak || lint

package e2e

import (
	"os"
	"strconv"
	"testing"
)

// faultsARound bounds the faults of one run, so that a large number of faults is
// many runs, each compared.
const faultsARound = 25

// TestChaos hurts the weblogs job on Flink, at random moments that a seed decides,
// and compares what it has sealed with the batch job. docs/reliability.md tells what
// has to hold.
func TestChaos(t *testing.T) {
	wanted, seed := asked(t, faultsARound, 20261121)
	worker := buildChaos(t)
	report := &chaosLog{seed: seed}
	defer report.tell(t)
	for round := uint64(0); report.counted() < wanted && !t.Failed(); round++ {
		if round > uint64(2*wanted/faultsARound+3) {
			t.Fatalf("%d of %d faults hit in %d runs", report.counted(), wanted, round)
		}
		n := min(faultsARound, wanted-report.counted())
		if !t.Run("seed "+strconv.FormatUint(seed+round, 10), func(t *testing.T) { hurt(t, worker, seed+round, n, report, trial{weblogsJob, faults, false}) }) {
			only := ""
			if names := os.Getenv(chaosOnly); names != "" {
				only = chaosOnly + "=" + strconv.Quote(names) + " "
			}
			t.Logf("this run again: %smake chaos CHAOS=%d SEED=%d", only, n, seed+round)
		}
		report.save(t)
	}
}
