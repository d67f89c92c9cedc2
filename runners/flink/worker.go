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
	go exitWithParents()
	beam.Init()
	os.Exit(0) //nolint:revive // not reached: Init serves and exits
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

// exitWithParents ends the worker when boot or the TaskManager that started it is
// gone: a killed TaskManager leaves both behind otherwise, and they would go on
// reading. A worker of a pool has the pool for its only parent.
func exitWithParents() {
	boot := os.Getppid()
	manager := 0
	if os.Getenv(workerpool.Variable) == "" {
		manager = parentOf(boot)
	}
	for range time.Tick(time.Second) {
		if os.Getppid() != boot || (manager > 1 && parentOf(boot) != manager) {
			fmt.Fprintln(os.Stderr, "millrace: worker: what started it is gone")
			os.Exit(1) //nolint:revive // this is the worker's main
		}
	}
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
