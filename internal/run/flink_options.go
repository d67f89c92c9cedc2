package run

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"millrace/runners/flink"
)

// FlinkOptions say how a job gets to Flink and runs there.
type FlinkOptions struct {
	Parallelism int
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
	for _, option := range f.Options {
		name, value, ok := strings.Cut(option, "=")
		if !ok || name == "" {
			return nil, fmt.Errorf("%q: write name=value with a pipeline option of the Flink runner, for example state_backend=rocksdb", option)
		}
		m[strings.ReplaceAll(name, "-", "_")] = value
	}
	return m, nil
}
