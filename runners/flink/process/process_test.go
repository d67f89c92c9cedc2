package process_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"millrace/runners/flink/process"
)

func start(t *testing.T, group string, args ...string) *process.Process {
	t.Helper()
	p, err := process.Start(process.Command{Name: args[0], Args: args, Group: group, Out: filepath.Join(t.TempDir(), "out")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if _, err := process.Signal(group, p.PID, os.Kill); err != nil {
			t.Error(err)
		}
		<-p.Ended()
	})
	return p
}

func pids(t *testing.T, group string) []int {
	t.Helper()
	members, err := process.Members(group)
	if err != nil {
		t.Fatal(err)
	}
	var pids []int
	for _, m := range members {
		pids = append(pids, m.PID)
	}
	return pids
}

// eventually polls, as what is waited for happens in other processes.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !ok(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%s: not within a minute", what)
		}
	}
}

func TestAGroupHasItsProcessesAndThoseTheyStarted(t *testing.T) {
	group, other := process.NewGroup(), process.NewGroup()
	start(t, group, "sh", "-c", "sleep 1000 & sleep 1000 & wait")
	stranger := start(t, other, "sleep", "1000")
	eventually(t, "the shell starts two others", func() bool { return len(pids(t, group)) == 3 })

	if was, err := process.Signal(group, stranger.PID, os.Kill); was || err != nil {
		t.Errorf("signal to a process of another group: %v, %v", was, err)
	}
	if err := process.End(t.Context(), group, 0, nil); err != nil {
		t.Fatal(err)
	}
	if left := pids(t, group); len(left) != 0 {
		t.Errorf("processes %v are left", left)
	}
	if alive := pids(t, other); len(alive) != 1 {
		t.Errorf("the other group has processes %v, want its one", alive)
	}
}

// A process that becomes another program has no environment for a moment, and one that
// is read in pieces ends in the middle then.
func TestAGroupHasThoseThatBecomeAnotherProgram(t *testing.T) {
	t.Setenv("LONG", strings.Repeat("x", 50_000)) // before the group's name
	for range 30 {
		group := process.NewGroup()
		p := start(t, group, "sh", "-c", "exec sleep 1000")
		for range 20 {
			if got := pids(t, group); !slices.Equal(got, []int{p.PID}) {
				t.Fatalf("members %v, want %d", got, p.PID)
			}
		}
		if err := process.End(t.Context(), group, 0, nil); err != nil {
			t.Fatal(err)
		}
	}
}

func TestWhoDoesNotEndIsEndedByForce(t *testing.T) {
	group := process.NewGroup()
	ready := filepath.Join(t.TempDir(), "ready")
	stubborn := start(t, group, "sh", "-c", "trap '' TERM; : >"+ready+"; while :; do sleep 1; done")
	eventually(t, "the shell ignores the signal", func() bool { _, err := os.Stat(ready); return err == nil })
	if err := process.End(t.Context(), group, 200*time.Millisecond, nil); err != nil {
		t.Fatal(err)
	}
	if state := stubborn.State(); state != "signal: killed" {
		t.Errorf("it ended with %q, want to be killed", state)
	}
}

func TestWhoIsAskedMayEndInPeace(t *testing.T) {
	group := process.NewGroup()
	ready := filepath.Join(t.TempDir(), "ready")
	polite := start(t, group, "sh", "-c", "trap 'exit 7' TERM; : >"+ready+"; while :; do sleep 0.01; done")
	eventually(t, "the shell waits for the signal", func() bool { _, err := os.Stat(ready); return err == nil })
	if err := process.End(t.Context(), group, time.Minute, nil); err != nil {
		t.Fatal(err)
	}
	if state := polite.State(); state != "exit status 7" {
		t.Errorf("it ended with %q, want its own exit status", state)
	}
}

func TestOnlyTheChosenAreEnded(t *testing.T) {
	group := process.NewGroup()
	chosen, spared := start(t, group, "sleep", "1000"), start(t, group, "sleep", "1000")
	if err := process.End(t.Context(), group, 0, func(m process.Member) bool { return m.PID == chosen.PID }); err != nil {
		t.Fatal(err)
	}
	if left := pids(t, group); len(left) != 1 || left[0] != spared.PID {
		t.Errorf("processes %v are left, want %d", left, spared.PID)
	}
}

func TestWaitingEndsWithTheContext(t *testing.T) {
	group := process.NewGroup()
	ready := filepath.Join(t.TempDir(), "ready")
	start(t, group, "sh", "-c", "trap '' TERM; : >"+ready+"; while :; do sleep 1; done")
	eventually(t, "the shell ignores the signal", func() bool { _, err := os.Stat(ready); return err == nil })
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := process.End(ctx, group, time.Hour, nil); err == nil {
		t.Error("the end of a process that lives was reported")
	}
}

// A guarded program is this test binary, started once more with the variable.
const guardedVariable = "MILLRACE_TEST_GUARDED"

func TestGuarded(t *testing.T) {
	folder := os.Getenv(guardedVariable)
	if folder == "" {
		return // the rest is the program that the next test starts and kills
	}
	group := filepath.Base(folder)
	if _, err := process.NewGuard(group, folder); err != nil {
		t.Fatal(err)
	}
	start(t, group, "sh", "-c", "sleep 1000 & wait")
	eventually(t, "both run", func() bool { return len(pids(t, group)) == 2 })
	fmt.Println("READY")
	time.Sleep(time.Hour)
}

// startGuarded starts the guarded program and returns when it and its process run.
func startGuarded(t *testing.T, folder string, env ...string) *exec.Cmd {
	t.Helper()
	if err := os.Mkdir(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	program := exec.Command(os.Args[0], "-test.run=^TestGuarded$", "-test.v")
	program.Env = append(append(os.Environ(), env...), guardedVariable+"="+folder)
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
	if alive := pids(t, filepath.Base(folder)); len(alive) != 2 {
		t.Errorf("processes %v run, want two", alive)
	}
	return program
}

// goes waits for a group and its folder to be no more.
func goes(t *testing.T, folder string) {
	t.Helper()
	eventually(t, "the group ends", func() bool { return len(pids(t, filepath.Base(folder))) == 0 })
	eventually(t, "the folder goes", func() bool { _, err := os.Stat(folder); return os.IsNotExist(err) })
}

func TestAGuardEndsTheGroupOfAProgramThatWasKilled(t *testing.T) {
	folder := filepath.Join(t.TempDir(), process.NewGroup())
	program := startGuarded(t, folder)
	if err := program.Process.Signal(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	_ = program.Wait() // it was killed
	goes(t, folder)
}

// A run is a program of the demo's group and has a job server in a group of its
// own: whoever ends the first leaves the guard of the second to its work.
func TestAGuardOutlivesTheGroupOfItsProgram(t *testing.T) {
	outer, folder := process.NewGroup(), filepath.Join(t.TempDir(), process.NewGroup())
	program := startGuarded(t, folder, process.Variable+"="+outer)
	if alive := pids(t, outer); len(alive) != 1 || alive[0] != program.Process.Pid {
		t.Errorf("processes %v are of the outer group, want the program alone", alive)
	}
	guard, err := process.NewGuard(outer)
	if err != nil {
		t.Fatal(err)
	}
	guard.End()
	_ = program.Wait() // it was killed
	goes(t, folder)
}

func TestAGuardThatIsEndedHasDoneItsWork(t *testing.T) {
	group, folder := process.NewGroup(), filepath.Join(t.TempDir(), "folder")
	if err := os.Mkdir(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	guard, err := process.NewGuard(group, folder)
	if err != nil {
		t.Fatal(err)
	}
	start(t, group, "sleep", "1000")
	guard.End()
	guard.End() // once more does nothing
	if left := pids(t, group); len(left) != 0 {
		t.Errorf("processes %v are left", left)
	}
	if _, err := os.Stat(folder); !os.IsNotExist(err) {
		t.Errorf("the folder is left: %v", err)
	}
}

func TestTheTailBeginsWithAWholeLine(t *testing.T) {
	name := filepath.Join(t.TempDir(), "log")
	var log strings.Builder
	for i := range 2000 {
		fmt.Fprintf(&log, "line %04d\n", i)
	}
	if err := os.WriteFile(name, []byte(log.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	tail := process.Tail(name)
	lines := strings.Split(tail, "\n")
	if len(tail) > 4096 || lines[len(lines)-1] != "line 1999" || len(lines[0]) != len("line 0000") {
		t.Errorf("tail of %d bytes from %q to %q", len(tail), lines[0], lines[len(lines)-1])
	}
	if tail := process.Tail(filepath.Join(t.TempDir(), "none")); tail != "" {
		t.Errorf("tail of no file is %q", tail)
	}
}

func TestAProgramThatIsNotThereIsNamed(t *testing.T) {
	_, err := process.Start(process.Command{
		Name: "JobManager", Args: []string{"/no/such/java"}, Group: process.NewGroup(), Out: filepath.Join(t.TempDir(), "out"),
	})
	if err == nil || !strings.Contains(err.Error(), "start JobManager") || !strings.Contains(err.Error(), "/no/such/java") {
		t.Errorf("error %v does not name process and program", err)
	}
}
