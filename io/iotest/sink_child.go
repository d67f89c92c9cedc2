package iotest

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

const (
	childAddress = "MILLRACE_SINK_ADDRESS"
	childDies    = "MILLRACE_SINK_DIES"
)

// amidWriting is the step at which a child dies before it has written all rows.
const amidWriting = -1

func killedRows() (before, rows []SinkRow) { return makeRows(11, 1, 0, 1), makeRows(12, 2, 1, 2) }

// SinkChild is the writer that survivesKills starts in a process of its own. A
// driver's tests call it in a test that they name in SinkHarness.Child; attach
// finds a place that another process made.
func SinkChild(t *testing.T, attach func(t *testing.T, address string) SinkPlace) {
	address := os.Getenv(childAddress)
	if address == "" {
		t.Skip("is run by the suite")
	}
	dies, err := strconv.Atoi(os.Getenv(childDies))
	if err != nil {
		t.Fatal(err)
	}
	die := func() {
		if self, err := os.FindProcess(os.Getpid()); err == nil {
			_ = self.Kill()
		}
		select {} // the end is near
	}
	p := attach(t, address)
	_, rows := killedRows()
	w := p.open(t, "run-b")
	step := 0
	p.Watch(func() error {
		if step == dies {
			die()
		}
		step++
		return nil
	})
	list := batches(rows, 60)
	for i, b := range list {
		if dies == amidWriting && i == len(list)/2 {
			die()
		}
		if err := w.Write(t.Context(), b); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Finish(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// survivesKills kills a writer before each change of what is stored, and while
// it writes. The same run repeated ends as an undisturbed one.
func survivesKills(t *testing.T, h SinkHarness) {
	before, rows := killedRows()
	undisturbed := h.New(t)
	undisturbed.mustWrite(t, "run-a", before, 100)
	undisturbed.mustWrite(t, "run-b", rows, 100)
	want, after := undisturbed.bytes(t, h.Can), undisturbed.Read(t)
	for n := amidWriting; ; n++ {
		p := h.New(t)
		p.mustWrite(t, "run-a", before, 100)
		killed := runChild(t, h.Child, p.Address, n)
		if now := p.Read(t); h.Can.Whole && killed && len(sorted(now)) == len(before) {
			p.check(t, "after the kill", before)
		} else if h.Can.Whole {
			p.check(t, "after the kill", after)
		}
		if killed && p.Expire != nil {
			p.Expire(t)
		}
		p.mustWrite(t, "run-b", shuffled(uint64(n+2), rows), 100)
		p.checkWritten(t, h.Can, fmt.Sprintf("repeated after a kill at change %d", n), after)
		checkBytes(t, fmt.Sprintf("repeated after a kill at change %d", n), want, p.bytes(t, h.Can))
		if !killed {
			if n <= amidWriting+1 {
				t.Errorf("the child was not killed at change %d", n)
			}
			return
		}
	}
}

// runChild tells whether the child killed itself; otherwise it ended well.
func runChild(t *testing.T, test, address string, dies int) (killed bool) {
	t.Helper()
	binary, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), binary, "-test.run=^"+test+"$", "-test.v")
	cmd.Env = append(os.Environ(), childAddress+"="+address, childDies+"="+strconv.Itoa(dies))
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		if status, ok := exit.Sys().(syscall.WaitStatus); ok && status.Signaled() && status.Signal() == syscall.SIGKILL {
			return true
		}
	}
	if err != nil || !strings.Contains(string(out), "--- PASS: "+test) {
		t.Fatalf("the writer's process: %v\n%s", err, out)
	}
	return false
}
