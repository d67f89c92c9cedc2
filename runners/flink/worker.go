package flink

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	harness "github.com/apache/beam/sdks/v2/go/pkg/beam/core/runtime/harness/init"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/util/grpcx"

	"millrace/runners/flink/workerpool"
)

// IsWorker tells whether this process was started as a worker of a runner: boot
// and worker pools write it so. --worker PROGRAM is a flag of ours.
func IsWorker(args []string) bool { return slices.Contains(args, "--worker=true") }

// ServeWorker works for a runner until that ends. It does not return.
func ServeWorker(args []string) {
	if err := flag.CommandLine.Parse(args); err != nil {
		fmt.Fprintln(os.Stderr, "millrace: worker:", err)
		os.Exit(2) //nolint:revive // this is the worker's main
	}
	removeCopy()
	starters := findStarters()
	go func() {
		for range time.Tick(time.Second) {
			starters.exitWithout()
		}
	}()
	grpcx.Dial = dialer{lost: func(err error) {
		fmt.Fprintf(os.Stderr, "millrace: worker: a connection to Flink broke, and what was under way on it is lost: %v; Flink starts it again\n", err)
		starters.end()
	}}.dial
	harness.ShutdownMode = harness.Return
	beam.Init() // returns when the runner cannot be reached any more
	starters.end()
}

// removeCopy removes the copy of this program that boot made for this worker and
// would leave behind: a running program does not need its file.
func removeCopy() {
	exe, err := os.Executable()
	if err != nil || filepath.Base(exe) != "worker" || !strings.HasPrefix(filepath.Base(filepath.Dir(exe)), "bin") {
		return
	}
	_ = os.RemoveAll(filepath.Dir(exe)) // it is a matter of space only
}

// starters are what a worker cannot go on without: boot, and the TaskManager that
// started it. A killed TaskManager leaves both boot and worker behind otherwise, and
// they would go on reading. A worker of a pool has the pool for its only parent.
type starters struct{ boot, manager int } // process ids; 0 for no TaskManager

func findStarters() starters {
	s := starters{boot: os.Getppid()}
	if os.Getenv(workerpool.Variable) == "" {
		s.manager = parentOf(s.boot)
	}
	return s
}

// exitWithout ends the worker when one of them is gone, and boot when its TaskManager
// is: it would try for minutes to tell that of the worker's end.
func (s starters) exitWithout() {
	alone := os.Getppid() != s.boot
	if !alone && (s.manager <= 1 || parentOf(s.boot) == s.manager) {
		return
	}
	fmt.Fprintln(os.Stderr, "millrace: worker: what started it is gone")
	if boot, err := os.FindProcess(s.boot); err == nil && !alone {
		_ = boot.Kill() // it may have ended by itself
	}
	os.Exit(1) //nolint:revive // this is the worker's main
}

// end ends the worker, whose connections are gone. A TaskManager that dies closes them
// a moment before it is gone itself.
func (s starters) end() {
	for range 20 {
		s.exitWithout()
		time.Sleep(50 * time.Millisecond)
	}
	os.Exit(1) //nolint:revive // this is the worker's main, and there is no other way to tell the runner
}

// parentOf reads the parent of a process from /proc; 0 when that cannot be told.
func parentOf(pid int) int {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0
	}
	_, rest, ok := strings.Cut(string(b), ") ") // the name before may hold anything but this
	fields := strings.Fields(rest)
	if !ok || len(fields) < 2 {
		return 0
	}
	parent, _ := strconv.Atoi(fields[1])
	return parent
}
