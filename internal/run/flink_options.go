package run

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"millrace/runners/flink"
)

// FlinkOptions say how a job gets to Flink and runs there.
type FlinkOptions struct {
	Parallelism int
	// MaxParallelism bounds it for as long as the job's state is kept: by it state is
	// dealt out. A submission notes it; 0 is what flink.MaxParallelism says.
	MaxParallelism int
	Readers        int // of a stream; 0 is one for each unit of parallelism
	// Unchained jobs have no operators in one task. Flink names state by what is
	// chained, and of a job with a parallelism of 1 other operators are: so one that
	// is to grow begins unchained. A submission notes it.
	Unchained   bool
	Master      string   // host:port of the JobManager's REST API
	JobServer   string   // host:port of a Beam job server; one is started when empty
	Home        string   // folder with the pinned pieces, see package dist
	Environment string   // process, loopback or external
	Boot        string   // path of boot on the TaskManagers
	Pool        string   // host:port of a worker pool
	Worker      string   // program for the workers; this one when empty
	Options     []string // further options, name=value
	Savepoint   string   // to resume from
	Detach      bool     // return once the job runs
	// RecycleAfter, a duration, is how long a live job runs until it is stopped with
	// a savepoint and resumed from it.
	RecycleAfter string
	// Supervise has a live job that is lost begin again from its newest checkpoint.
	Supervise bool
}

// DefaultMaster is where a cluster of this machine listens.
const DefaultMaster = "127.0.0.1:8081"

func (f FlinkOptions) check(o Options) (faults []error) {
	if _, err := f.extra(); err != nil {
		faults = append(faults, fmt.Errorf("%s: %w", o.at("flink_option"), err))
	}
	if f.Parallelism < 0 || f.Parallelism > 128 {
		faults = append(faults, fmt.Errorf("%s %d: must be from 1 to 128", o.at("parallelism"), f.Parallelism))
	}
	if f.Readers < 0 || f.Readers > maxReaders {
		faults = append(faults, fmt.Errorf("%s %d: must be from 1 to %d", o.at("readers"), f.Readers, maxReaders))
	}
	if bound := f.Bound(); f.Parallelism > bound {
		faults = append(faults, fmt.Errorf("%s %d: it is more than the job's max_parallelism, %d", o.at("parallelism"), f.Parallelism, bound))
	}
	if f.RecycleAfter != "" {
		if d, err := time.ParseDuration(f.RecycleAfter); err != nil || d < leastRecycle {
			faults = append(faults, fmt.Errorf("%s %s: not a duration of at least %v; write for example 6h", o.at("recycle_after"), f.RecycleAfter, leastRecycle))
		}
		if f.Detach {
			faults = append(faults, errors.New("--recycle-after needs a run that stays with its job: leave --detach out"))
		}
	}
	if f.Supervise && f.Detach {
		faults = append(faults, errors.New("--supervise needs a run that stays with its job: leave --detach out"))
	}
	if f.Supervise && o.Runner != "flink" {
		faults = append(faults, errors.New("--supervise looks after a job on Flink: add --runner flink"))
	}
	switch flink.Environment(f.Environment) {
	case "", flink.Process, flink.Loopback:
	case flink.External:
		if f.Pool == "" {
			faults = append(faults, errors.New("--worker-pool is missing: --environment external needs host:port of the pool, for example localhost:50000"))
		}
	default:
		faults = append(faults, fmt.Errorf("%s %s: there are process, loopback and external", o.at("environment"), f.Environment))
	}
	return faults
}

// maxReaders is more than the parallelism that a job can grow to.
const maxReaders = 1024

// Bound is the greatest parallelism that the job can have: the option
// max_parallelism, what was noted at its first submission, or what holds for a new
// job.
func (f FlinkOptions) Bound() int {
	extra, err := f.extra()
	if n, fault := strconv.Atoi(extra["max_parallelism"]); err == nil && fault == nil {
		return n
	}
	return cmp.Or(f.MaxParallelism, flink.MaxParallelism(f.Parallelism))
}

// unchained tells whether the job's operators are: as the option operator_chaining
// says, as was noted at its first submission, or because it has readers to spread.
func (f FlinkOptions) unchained() bool {
	for _, option := range slices.Backward(f.Options) {
		if value, is := strings.CutPrefix(strings.ReplaceAll(option, "-", "_"), "operator_chaining="); is {
			return value == "false"
		}
	}
	return f.Unchained || max(f.Parallelism, 1) == 1 && f.Readers > 1
}

// Resize is why a job whose state is kept cannot go from this parallelism to
// another, nil if it can.
func (f FlinkOptions) Resize(to int) error {
	from, bound := max(f.Parallelism, 1), f.Bound()
	switch to = max(to, 1); {
	case to > bound:
		return fmt.Errorf("its state is dealt out over %d key groups, its max_parallelism, so resume it with %d at most", bound, bound)
	case from == to || f.unchained() || from > 1 && to > 1:
		return nil
	case from == 1:
		return errors.New("it was started with a parallelism of 1 and not to grow, which --readers of 2 or more says; Flink does not find its state with another then")
	}
	return fmt.Errorf("it runs with %d, and Flink does not find its state with 1; resume it with 2 or more", from)
}

// leastRecycle keeps a job from spending its time on savepoints.
const leastRecycle = 10 * time.Second

// recycle is RecycleAfter, checked; 0 is never.
func (f FlinkOptions) recycle() time.Duration {
	d, _ := time.ParseDuration(f.RecycleAfter)
	return d
}

// extra are the further options by name.
func (f FlinkOptions) extra() (map[string]string, error) {
	m := map[string]string{}
	if f.MaxParallelism > 0 {
		m["max_parallelism"] = strconv.Itoa(f.MaxParallelism)
	}
	if f.unchained() {
		m["operator_chaining"] = "false"
	}
	for _, option := range f.Options {
		name, value, ok := strings.Cut(option, "=")
		if !ok || name == "" {
			return nil, fmt.Errorf("%q: write name=value with a pipeline option of the Flink runner, for example state_backend=rocksdb", option)
		}
		m[strings.ReplaceAll(name, "-", "_")] = value
	}
	return m, nil
}
