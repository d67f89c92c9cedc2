package e2e

import (
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"testing"

	group "millrace/runners/flink/process"
)

// These faults kill, freeze and starve processes.

func killWorkers(t *testing.T, w *chaosWorld, _ *rand.Rand) func() {
	t.Helper()
	w.until(t, "there are workers to kill", func() bool {
		n, err := w.flink.KillWorkers(working(t, w.flink))
		return n > 0 && err == nil
	})
	return nil
}

// killTaskManager also sees that its workers end by themselves, before another
// TaskManager is started.
func killTaskManager(t *testing.T, w *chaosWorld, _ *rand.Rand) func() {
	t.Helper()
	name := ""
	w.until(t, "there is a TaskManager with workers to kill", func() bool {
		name = working(t, w.flink)
		return name != "" && w.flink.KillTaskManager(t.Context(), name) == nil
	})
	w.until(t, "the workers of a TaskManager that is dead have ended", func() bool {
		members, err := group.Members(w.flink.Group())
		if err != nil {
			t.Fatal(err)
		}
		return !slices.ContainsFunc(members, func(m group.Member) bool { return m.Getenv("MILLRACE_TASKMANAGER") == name })
	})
	if _, err := w.flink.StartTaskManager(t.Context()); err != nil {
		t.Fatal(err)
	}
	return nil
}

func killJobManager(t *testing.T, w *chaosWorld, _ *rand.Rand) func() {
	t.Helper()
	if err := w.flink.KillJobManager(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := w.flink.StartJobManager(t.Context()); err != nil {
		t.Fatal(err)
	}
	return nil
}

func killJobServer(t *testing.T, w *chaosWorld, _ *rand.Rand) func() {
	t.Helper()
	return w.flink.KillJobServer(t)
}

// freezeWorkers stops the workers where they are: neither Flink nor what they
// write to hears of them.
func freezeWorkers(t *testing.T, w *chaosWorld, _ *rand.Rand) func() {
	t.Helper()
	return w.freeze(t, func(m group.Member) bool { return slices.Contains(m.Args, "--worker=true") })
}

func freezeTaskManager(t *testing.T, w *chaosWorld, _ *rand.Rand) func() {
	t.Helper()
	return w.freeze(t, func(m group.Member) bool {
		return slices.Contains(m.Args, "taskmanager.resource-id="+working(t, w.flink))
	})
}

func (w *chaosWorld) freeze(t *testing.T, chosen func(group.Member) bool) func() {
	t.Helper()
	var frozen []int
	w.until(t, "there is something to freeze", func() bool {
		members, err := group.Members(w.flink.Group())
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range members {
			if !chosen(m) {
				continue
			}
			was, err := group.Signal(w.flink.Group(), m.PID, syscall.SIGSTOP)
			if err != nil {
				t.Fatalf("freezing %d: %v", m.PID, err)
			}
			if was {
				frozen = append(frozen, m.PID)
			}
		}
		return len(frozen) > 0
	})
	return func() {
		for _, pid := range frozen {
			if _, err := group.Signal(w.flink.Group(), pid, syscall.SIGCONT); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// plantPanic has the next call of a reader panic; see io/endpoint/plant_chaos.go.
func plantPanic(t *testing.T, w *chaosWorld, _ *rand.Rand) func() {
	t.Helper()
	writeFile(t, w.plant, nil)
	w.until(t, "the panic is met", func() bool {
		_, err := os.Stat(w.plant)
		return os.IsNotExist(err)
	})
	return nil
}

// Disks that can be filled, bytes. What a round puts into each takes a fraction.
const (
	checkpointDisk = 96 << 20
	lakeDisk       = 384 << 20
)

// memoryDisk mounts a small disk in memory, which takes rights that a test may not
// have.
func memoryDisk(t *testing.T, dir string, bytes int) (ok bool) {
	t.Helper()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := mountMemory(dir, bytes>>10); err != nil {
		return false
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, 0); err != nil {
			t.Errorf("unmount %s: %v", dir, err)
		}
	})
	return true
}

// fill leaves no room on a disk.
func fill(disk func(w *chaosWorld) string) func(*testing.T, *chaosWorld, *rand.Rand) func() {
	return func(t *testing.T, w *chaosWorld, _ *rand.Rand) func() {
		t.Helper()
		name := filepath.Join(disk(w), "filler")
		f, err := os.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		block := make([]byte, 1<<20)
		for err == nil {
			_, err = f.Write(block)
		}
		if !errors.Is(err, syscall.ENOSPC) {
			t.Fatalf("filling %s: %v", disk(w), err)
		}
		_ = f.Close()
		return func() {
			if err := os.Remove(name); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// failedCheckpoints are those of the job that runs.
func failedCheckpoints(t *testing.T, w *chaosWorld) int {
	t.Helper()
	c, ok := w.checkpointing(t)
	if !ok {
		return 0
	}
	return c.Failed
}
