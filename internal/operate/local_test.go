package operate_test

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"millrace/internal/operate"
	"millrace/internal/testenv"
	"millrace/runners/flink/fault"
)

func TestWithoutAClusterTheMasterIsTheUsualOne(t *testing.T) {
	cache := t.TempDir()
	t.Setenv("XDG_CACHE_HOME", cache)
	t.Setenv("HOME", cache)
	if got := operate.DefaultMaster(""); got != "127.0.0.1:8081" {
		t.Errorf("it is %s", got)
	}
	if dir := operate.DefaultDir(); !strings.HasPrefix(dir, cache) || !strings.HasSuffix(dir, filepath.Join("millrace", "flink")) {
		t.Errorf("the folder is %s", dir)
	}
	for _, dir := range []string{"", t.TempDir()} {
		if _, err := operate.LookAt(t.Context(), dir); !errors.Is(err, fault.ErrNotFound) || !strings.Contains(err.Error(), "millrace cluster up") {
			t.Errorf("looking at %q: %v", dir, err)
		}
		if _, _, err := operate.Down(t.Context(), dir); !errors.Is(err, fault.ErrNotFound) {
			t.Errorf("ending %q: %v", dir, err)
		}
	}
}

// TestALocalClusterIsFoundWhileItIsUp starts real processes.
func TestALocalClusterIsFoundWhileItIsUp(t *testing.T) {
	home := testenv.OwnFlink(t, nil).Dist.Dir
	cache := t.TempDir()
	t.Setenv("XDG_CACHE_HOME", cache)
	t.Setenv("HOME", cache)
	t.Cleanup(func() {
		_, _, err := operate.Down(context.WithoutCancel(t.Context()), "")
		if err != nil && !errors.Is(err, fault.ErrNotFound) {
			t.Error(err)
		}
	})
	up, err := operate.Up(t.Context(), operate.ClusterOptions{Home: home, TaskManagers: 1, Slots: 3, Config: map[string]string{"parallelism.default": "3"}})
	if err != nil {
		t.Fatal(err)
	}
	if up.Dir != operate.DefaultDir() || up.TaskManagers != 1 || up.Slots != 3 || up.FreeSlots != 3 {
		t.Errorf("it is %+v", up)
	}
	if got := operate.DefaultMaster(""); got != up.Master {
		t.Errorf("the master is %s, not %s", got, up.Master)
	}
	client, err := operate.Connect("")
	if err != nil {
		t.Fatal(err)
	}
	if jobs, err := operate.Jobs(t.Context(), client); err != nil || len(jobs) != 0 {
		t.Errorf("its jobs are %v, %v", jobs, err)
	}
	if _, err := (operate.Reader{Client: client}).Read(t.Context(), "weblogs"); !errors.Is(err, fault.ErrNotFound) || !strings.Contains(err.Error(), up.Master) {
		t.Errorf("a job that is not there: %v", err)
	}
	if again, err := operate.LookAt(t.Context(), ""); err != nil || again.Master != up.Master {
		t.Errorf("looked at, it is %+v, %v", again, err)
	}
	if _, err := operate.Up(t.Context(), operate.ClusterOptions{Home: home}); !errors.Is(err, fault.ErrBusy) {
		t.Errorf("a second one in its folder: %v", err)
	}
	if running, where, err := operate.Down(t.Context(), ""); err != nil || running != 0 || where != up.Dir {
		t.Errorf("ending it: %d jobs in %s, %v", running, where, err)
	}
	if got := operate.DefaultMaster(""); got != "127.0.0.1:8081" {
		t.Errorf("the master of a cluster that is down is %s", got)
	}
}
