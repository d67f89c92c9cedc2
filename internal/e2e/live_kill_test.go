package e2e

import (
	"testing"
	"time"

	"millrace/internal/testenv"
)

// runningJob is the job of the run on the cluster, empty while there is none.
func runningJob(t *testing.T, f *testenv.FlinkCluster) string {
	t.Helper()
	jobs, err := f.Client().Jobs(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, job := range jobs {
		if job.State == "RUNNING" {
			return job.ID
		}
	}
	return ""
}

// working names a TaskManager that has workers.
func working(t *testing.T, f *testenv.FlinkCluster) string {
	t.Helper()
	managers, err := f.TaskManagers()
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range managers {
		if len(m.Workers) > 0 {
			return m.Name
		}
	}
	return ""
}

// noWorkers fails when a worker outlives its job. It may take a moment to end.
func noWorkers(t *testing.T, f *testenv.FlinkCluster) {
	t.Helper()
	var left []string
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(200 * time.Millisecond) {
		left = f.Workers(t)
		if len(left) == 0 {
			return
		}
	}
	t.Errorf("workers are left: %v", left)
}
