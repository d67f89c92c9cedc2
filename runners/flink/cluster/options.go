package cluster

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"millrace/runners/flink/dist"
	"millrace/runners/flink/fault"
)

// Options describe a cluster. Zero means the default.
type Options struct {
	Dir  string            // required: the cluster's folder, made when missing
	Dist dist.Distribution // required

	TaskManagers int // 1
	Slots        int // of each TaskManager: 2
	RestPort     int // of the JobManager: any free one

	// Memory, in MiB. A TaskManager takes the sum of its parts and about
	// 500 MiB more; workers are processes of their own and take theirs beside.
	JobManagerHeap int // 700
	TaskHeap       int // of a TaskManager, for operators: 700
	Managed        int // of a TaskManager, for RocksDB and batch sorting: 256
	Network        int // of a TaskManager, for shuffles: 256, enough for backfills at parallelism 2
	Metaspace      int // of each JVM, at most, for classes: 512

	StateBackend       string        // "hashmap" (the default) or "rocksdb"
	Checkpoints        string        // URL of the folder of checkpoints: below Dir
	Savepoints         string        // URL of the folder of savepoints: below Dir
	CheckpointInterval time.Duration // for jobs submitted with ConfDir that name none: 10s

	// Restarts and RestartDelay are how often a job is started again after a
	// failure, and after what pause. Without Restarts there is no end to it, and
	// the pause grows from 1s to 1min.
	Restarts     int
	RestartDelay time.Duration // 2s, with Restarts

	Config map[string]string // further settings of Flink; they win over all above
	Env    []string          // NAME=value for TaskManagers; their workers inherit it
	JVM    []string          // further flags of each JVM

	// QuickStart halves the start of the JVMs and what they take, at the cost of
	// their speed later: for tests.
	QuickStart bool
	// DieWithParent ends the cluster when this program ends, in whatever way.
	// Otherwise it stays until Down.
	DieWithParent bool
	// Temporary removes the whole of Dir with the cluster.
	Temporary bool
}

func (o Options) withDefaults() Options {
	number := func(n *int, value int) {
		if *n == 0 {
			*n = value
		}
	}
	number(&o.TaskManagers, 1)
	number(&o.Slots, 2)
	number(&o.JobManagerHeap, 700)
	number(&o.TaskHeap, 700)
	number(&o.Managed, 256)
	number(&o.Network, 256)
	number(&o.Metaspace, 512)
	if o.StateBackend == "" {
		o.StateBackend = "hashmap"
	}
	if o.Checkpoints == "" {
		o.Checkpoints = fileURL(filepath.Join(o.Dir, "checkpoints"))
	}
	if o.Savepoints == "" {
		o.Savepoints = fileURL(filepath.Join(o.Dir, "savepoints"))
	}
	if o.CheckpointInterval == 0 {
		o.CheckpointInterval = 10 * time.Second
	}
	if o.RestartDelay == 0 {
		o.RestartDelay = 2 * time.Second
	}
	return o
}

// Validate tells all that is wrong with the options.
func (o Options) Validate() error {
	var errs []error
	wrong := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if o.Dir == "" {
		wrong("a cluster needs a folder")
	}
	// Flink takes a list of folders where it is given one.
	if strings.ContainsAny(o.Dir, ",|:") {
		wrong("the folder %q has a comma, bar or colon, which Flink takes for a list", o.Dir)
	}
	if o.Dist.Dir == "" {
		wrong("a cluster needs a Flink distribution")
	}
	if strings.Contains(o.Dist.Dir, ":") {
		wrong("the folder %q has a colon, which Java takes for a list", o.Dist.Dir)
	}
	for _, n := range []struct {
		name  string
		value int
		most  int
	}{
		{"TaskManagers", o.TaskManagers, 100},
		{"slots", o.Slots, 1000},
		{"REST port", o.RestPort, 65535},
		{"JobManager heap (MiB)", o.JobManagerHeap, 1 << 20},
		{"task heap (MiB)", o.TaskHeap, 1 << 20},
		{"managed memory (MiB)", o.Managed, 1 << 20},
		{"network memory (MiB)", o.Network, 1 << 20},
		{"metaspace (MiB)", o.Metaspace, 1 << 20},
		{"restarts", o.Restarts, 1 << 30},
	} {
		if n.value < 0 || n.value > n.most {
			wrong("%s: %d is not in 0 to %d", n.name, n.value, n.most)
		}
	}
	if o.CheckpointInterval < 0 || o.RestartDelay < 0 {
		wrong("a duration is negative")
	}
	switch o.StateBackend {
	case "", "hashmap", "rocksdb":
	default:
		wrong("state backend %q is neither hashmap nor rocksdb", o.StateBackend)
	}
	for _, variable := range o.Env {
		if name, _, ok := strings.Cut(variable, "="); !ok || name == "" {
			wrong("environment %q is not NAME=value", name)
		}
	}
	if len(errs) == 0 {
		return nil
	}
	return &fault.Error{Doing: "start", Object: "a Flink cluster", Class: fault.ErrInvalid, Cause: errors.Join(errs...)}
}
