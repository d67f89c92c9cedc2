package cluster_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"millrace/internal/testenv"
	"millrace/runners/flink/cluster"
	"millrace/runners/flink/dist"
	"millrace/runners/flink/fault"
	"millrace/runners/flink/process"
)

func distribution(t *testing.T) dist.Distribution {
	t.Helper()
	d, err := dist.Find(filepath.Join(testenv.Root(t), ".cache", "flink"))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func names(t *testing.T, c *cluster.Cluster) string {
	t.Helper()
	alive, err := c.TaskManagers()
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, m := range alive {
		names = append(names, m.Name)
	}
	return strings.Join(names, " ")
}

func members(t *testing.T, group string) []process.Member {
	t.Helper()
	members, err := process.Members(group)
	if err != nil {
		t.Fatal(err)
	}
	return members
}

// eventually polls, as what is waited for happens in other processes.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(2 * time.Minute); !ok(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%s: not within two minutes", what)
		}
	}
}

func TestAClusterLosesAndGainsTaskManagers(t *testing.T) {
	f := testenv.OwnFlink(t, func(o *cluster.Options) {
		o.TaskManagers, o.Slots, o.StateBackend = 2, 3, "rocksdb"
		o.Env = []string{"MILLRACE_TEST=seen"}
		o.Config = map[string]string{"env.java.opts.all": `-Dquoted="a: b"`}
	})
	overview, err := f.Client().Overview(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if overview.TaskManagers != 2 || overview.SlotsTotal != 6 || overview.FlinkVersion != f.Dist.Versions.Flink {
		t.Errorf("overview %+v, want 2 TaskManagers with 6 slots of Flink %s", overview, f.Dist.Versions.Flink)
	}
	config, err := f.Client().Config(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if config["state.backend.type"] != "rocksdb" || config["env.java.opts.all"] != `-Dquoted="a: b"` {
		t.Errorf("state backend %q and options %q are not the ones asked for", config["state.backend.type"], config["env.java.opts.all"])
	}
	if got := names(t, f.Cluster); got != "tm-1 tm-2" {
		t.Fatalf("TaskManagers %s, want tm-1 tm-2", got)
	}

	// A worker as Beam starts it: by the TaskManager, with its environment.
	alive, err := f.TaskManagers()
	if err != nil {
		t.Fatal(err)
	}
	var env []string
	for _, m := range members(t, f.Group()) {
		if m.PID == alive[0].PID {
			env = m.Env
		}
	}
	worker := exec.Command("sleep", "1000")
	worker.Env = env
	if err := worker.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- worker.Wait() }()
	if alive, err = f.TaskManagers(); err != nil {
		t.Fatal(err)
	}
	if workers := alive[0].Workers; len(workers) != 1 || workers[0] != worker.Process.Pid {
		t.Errorf("workers of tm-1 are %v, want %d", workers, worker.Process.Pid)
	}
	if seen := members(t, f.Group()); !hasEnv(seen, worker.Process.Pid, "MILLRACE_TEST", "seen") {
		t.Error("the worker does not see the environment of the options")
	}

	if err := f.KillTaskManager(t.Context(), "tm-1"); err != nil {
		t.Fatal(err)
	}
	if got := names(t, f.Cluster); got != "tm-2" {
		t.Errorf("TaskManagers %s, want tm-2", got)
	}
	if err := f.KillTaskManager(t.Context(), "tm-1"); !errors.Is(err, fault.ErrNotFound) {
		t.Errorf("killing a dead TaskManager: %v, want %v", err, fault.ErrNotFound)
	}
	select {
	case err := <-ended:
		t.Errorf("the worker ended (%v), want it left to itself", err)
	default:
	}

	started, err := f.StartTaskManager(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if got := names(t, f.Cluster); started.Name != "tm-3" || got != "tm-2 tm-3" {
		t.Errorf("started %s, TaskManagers %s; want tm-3 beside tm-2", started.Name, got)
	}
	if err := <-ended; err == nil {
		t.Error("the orphan ended by itself, want it killed before its successors come")
	}
	eventually(t, "the JobManager knows of the death", func() bool {
		overview, err := f.Client().Overview(t.Context())
		return err == nil && overview.TaskManagers == 2 && overview.SlotsTotal == 6
	})

	if err := f.Down(t.Context()); err != nil {
		t.Fatal(err)
	}
	if left := members(t, f.Group()); len(left) != 0 {
		t.Errorf("processes %v are left", left)
	}
	if _, err := os.Stat(f.Dir()); !os.IsNotExist(err) {
		t.Errorf("the folder of a temporary cluster is left: %v", err)
	}
	if err := f.Down(t.Context()); err != nil {
		t.Errorf("down once more: %v", err)
	}
}

func hasEnv(members []process.Member, pid int, name, value string) bool {
	for _, m := range members {
		if m.PID == pid {
			return m.Getenv(name) == value
		}
	}
	return false
}

func TestAJobManagerThatDiesComesBackWhereItWas(t *testing.T) {
	f := testenv.OwnFlink(t, nil)
	if err := f.StartJobManager(t.Context()); !errors.Is(err, fault.ErrBusy) {
		t.Errorf("a second one: %v", err)
	}
	if err := f.KillJobManager(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Client().Overview(t.Context()); !errors.Is(err, fault.ErrUnavailable) {
		t.Errorf("a dead one answers %v", err)
	}
	if err := f.StartJobManager(t.Context()); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the TaskManager finds it", func() bool {
		overview, err := f.Client().Overview(t.Context())
		return err == nil && overview.TaskManagers == 1
	})
	if got := names(t, f.Cluster); got != "tm-1" {
		t.Errorf("TaskManagers %q", got)
	}
}

func TestWorkersAreKilledWithoutTheirTaskManager(t *testing.T) {
	f := testenv.OwnFlink(t, nil)
	p, err := process.Start(process.Command{
		Name: "worker", Args: []string{"sh", "-c", "trap '' TERM; sleep 1000 & wait"}, Group: f.Group(),
		Env: []string{"MILLRACE_TASKMANAGER=tm-1"}, Out: filepath.Join(t.TempDir(), "out"),
	})
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "boot has started the worker", func() bool {
		alive, err := f.TaskManagers()
		return err == nil && len(alive) == 1 && len(alive[0].Workers) == 2
	})
	if n, err := f.KillWorkers("tm-1"); n != 2 || err != nil {
		t.Errorf("killed %d workers, %v; want 2", n, err)
	}
	<-p.Ended()
	if got := names(t, f.Cluster); got != "tm-1" {
		t.Errorf("TaskManagers %s, want tm-1", got)
	}
}

// A program that starts a cluster is this test binary, started once more with
// the variables.
const (
	dirVariable  = "MILLRACE_TEST_CLUSTER"
	bindVariable = "MILLRACE_TEST_DIE_WITH_PARENT"
)

func TestStarter(t *testing.T) {
	dir := os.Getenv(dirVariable)
	if dir == "" {
		return // the rest is the program that other tests start
	}
	bound := os.Getenv(bindVariable) != ""
	if _, err := cluster.Up(t.Context(), cluster.Options{
		Dir: dir, Dist: distribution(t), QuickStart: true, DieWithParent: bound, Temporary: bound,
	}); err != nil {
		t.Fatal(err)
	}
	fmt.Println("READY")
	if bound {
		time.Sleep(time.Hour)
	}
}

func starter(dir string, env ...string) *exec.Cmd {
	program := exec.Command(os.Args[0], "-test.run=^TestStarter$", "-test.v")
	program.Env = append(append(os.Environ(), dirVariable+"="+dir), env...)
	return program
}

func TestAClusterIsFoundByALaterProgram(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "cluster")
	if output, err := starter(dir).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
	c, err := cluster.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Down(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
	})
	if overview, err := c.Client().Overview(t.Context()); err != nil || overview.TaskManagers != 1 {
		t.Errorf("overview %+v, %v; want one TaskManager", overview, err)
	}
	if _, err := cluster.Up(t.Context(), cluster.Options{Dir: dir, Dist: distribution(t)}); !errors.Is(err, fault.ErrBusy) {
		t.Errorf("a second cluster in the folder: %v, want %v", err, fault.ErrBusy)
	}
	added, err := c.StartTaskManager(t.Context())
	if err != nil || added.Name != "tm-2" {
		t.Errorf("added %s, %v; want tm-2", added.Name, err)
	}

	kept := filepath.Join(dir, "savepoints", "mine")
	if err := os.WriteFile(kept, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := c.Down(t.Context()); err != nil {
		t.Fatal(err)
	}
	if left := members(t, c.Group()); len(left) != 0 {
		t.Errorf("processes %v are left", left)
	}
	for _, name := range []string{kept, filepath.Join(dir, "logs", "jobmanager.log")} {
		if _, err := os.Stat(name); err != nil {
			t.Errorf("what a user may want is gone: %v", err)
		}
	}
	if _, err := cluster.Open(dir); !errors.Is(err, fault.ErrNotFound) {
		t.Errorf("open after down: %v, want %v", err, fault.ErrNotFound)
	}
}

func TestAClusterThatIsBoundDiesWithItsProgram(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "cluster")
	program := starter(dir, bindVariable+"=yes")
	output, err := program.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := program.Start(); err != nil {
		t.Fatal(err)
	}
	told := make([]byte, 1<<10)
	for seen := ""; !strings.Contains(seen, "READY"); {
		n, err := output.Read(told)
		if err != nil {
			t.Fatalf("the program ended: %v after %q", err, seen)
		}
		seen += string(told[:n])
	}
	c, err := cluster.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	if n := len(members(t, c.Group())); n != 2 {
		t.Errorf("%d processes, want JobManager and TaskManager", n)
	}
	if err := program.Process.Signal(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	_ = program.Wait() // it was killed
	eventually(t, "its processes end", func() bool { return len(members(t, c.Group())) == 0 })
	eventually(t, "its folder goes", func() bool { _, err := os.Stat(dir); return os.IsNotExist(err) })
}

func TestAClusterThatCannotStartSaysWhyAndLeavesNothing(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	_, port, err := net.SplitHostPort(taken.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	number, err := strconv.Atoi(port)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		change func(*cluster.Options)
		says   string
	}{
		"the REST port is taken":       {func(o *cluster.Options) { o.RestPort = number }, "BindException"},
		"a setting of a TaskManager's": {func(o *cluster.Options) { o.Config = map[string]string{"taskmanager.memory.network.min": "1gb"} }, "network"},
		"a flag that Java has not":     {func(o *cluster.Options) { o.JVM = []string{"-XX:+NoSuchFlag"} }, "NoSuchFlag"},
	} {
		t.Run(name, func(t *testing.T) {
			o := cluster.Options{Dir: t.TempDir(), Dist: distribution(t), QuickStart: true}
			c.change(&o)
			_, err := cluster.Up(t.Context(), o)
			if !errors.Is(err, fault.ErrEnded) || !strings.Contains(err.Error(), c.says) {
				t.Errorf("error %v, want %v that says %s", err, fault.ErrEnded, c.says)
			}
			for _, m := range allMembers(t) {
				if strings.Contains(strings.Join(m.Args, " "), o.Dir) {
					t.Errorf("process %d is left", m.PID)
				}
			}
		})
	}
}

// allMembers are the living processes of this machine that carry any group.
func allMembers(t *testing.T) []process.Member {
	t.Helper()
	files, err := filepath.Glob("/proc/[0-9]*/environ")
	if err != nil {
		t.Fatal(err)
	}
	var all []process.Member
	for _, file := range files {
		environ, err := os.ReadFile(file)
		if err != nil {
			continue // it has ended or is another's
		}
		for _, variable := range strings.Split(string(environ), "\x00") {
			if group, ok := strings.CutPrefix(variable, process.Variable+"="); ok {
				all = append(all, members(t, group)...)
			}
		}
	}
	return all
}

func TestWhatIsWrongWithOptionsIsToldAtOnce(t *testing.T) {
	_, err := cluster.Up(t.Context(), cluster.Options{
		Dir: "a,b", TaskManagers: -1, StateBackend: "heap", Env: []string{"SECRET"},
	})
	if !errors.Is(err, fault.ErrInvalid) {
		t.Fatalf("error %v, want %v", err, fault.ErrInvalid)
	}
	for _, part := range []string{`"a,b"`, "distribution", "TaskManagers: -1", `"heap"`, "NAME=value"} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("error %v does not tell of %s", err, part)
		}
	}
}
