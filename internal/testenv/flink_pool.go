package testenv

import (
	"slices"
	"syscall"
	"testing"

	"millrace/runners/flink/process"
)

// WorkerPool finds the workers of a pool that a test runs beside a TaskManager:
// they carry the name of its group.
type WorkerPool struct {
	Address string // host:port for it to listen at
	group   string
}

// NewWorkerPool is an address and a name for a pool. The test starts it itself.
func NewWorkerPool(t testing.TB) *WorkerPool {
	t.Helper()
	return &WorkerPool{Address: FreeAddress(t), group: process.NewGroup()}
}

// Env is the variable, NAME=value, that the pool must see.
func (p *WorkerPool) Env() string { return process.Variable + "=" + p.group }

// Workers are the process ids of the workers that live.
func (p *WorkerPool) Workers(t testing.TB) (pids []int) {
	t.Helper()
	members, err := process.Members(p.group)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range members {
		if slices.Contains(m.Args, "--worker=true") {
			pids = append(pids, m.PID)
		}
	}
	return pids
}

// KillWorker kills a worker without warning.
func (p *WorkerPool) KillWorker(t testing.TB) {
	t.Helper()
	workers := p.Workers(t)
	if len(workers) == 0 {
		t.Fatal("the pool has no worker to kill")
	}
	if _, err := process.Signal(p.group, workers[0], syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
}
