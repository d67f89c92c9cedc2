package flink

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/apache/beam/sdks/v2/go/pkg/beam/core/runtime/graphx"
)

// Environment says where the Go workers run.
type Environment string

// Environments.
const (
	// Process has each TaskManager start them, with Beam's boot program.
	Process Environment = "process"
	// Loopback runs them in this process: for tests and a look around. A job dies
	// with it.
	Loopback Environment = "loopback"
	// External takes them from a worker pool that runs beside each TaskManager, as
	// a sidecar on Kubernetes does.
	External Environment = "external"
)

// Options of a submission.
type Options struct {
	Name        string // of the job, as Flink shows it
	JobServer   string // host:port of Beam's job server
	Parallelism int
	Streaming   bool
	Savepoint   string // to resume from; empty begins anew
	Environment Environment
	Boot        string // Process: path of boot on every TaskManager
	Pool        string // External: host:port of the worker pool
	Worker      string // program that workers run; this one when empty
	Prompt      bool   // bundles are short, as somebody waits for what comes out
	JobJar      string // write a job jar for `flink run` to this file instead of running
	// Extra are further pipeline options of the Flink runner by their names in
	// snake case; they win over ours.
	Extra map[string]string
}

// Checkpoints, bundles and restarts of a live job. Bundles are short as positions
// and watermarks move at their ends only; a checkpoint that fails is not the end.
const (
	checkpointEvery   = 10 * time.Second
	checkpointTimeout = 10 * time.Minute
	checkpointFaults  = 100
	bundleTime        = 200 * time.Millisecond
	promptBundle      = 100 * time.Millisecond
	// Of keyed state: a job cannot grow beyond it without losing its state. Each
	// return of a reader costs the TaskManager's heap some of it for each of these
	// key groups, on runners up to 2.70 (docs/adr/0006), so it is small.
	maxParallelism = 16
)

// MaxParallelism is the bound of a job's parallelism unless the option
// max_parallelism says otherwise.
func MaxParallelism(parallelism int) int { return max(maxParallelism, parallelism) }

// pipelineOptions are the runner's options by name.
func (o *Options) pipelineOptions() map[string]any {
	bundle := bundleTime
	if o.Prompt {
		bundle = promptBundle
	}
	m := map[string]any{
		"job_name":              o.Name, // else Beam makes one of its own of it
		"streaming":             o.Streaming,
		"max_bundle_time_mills": bundle.Milliseconds(),
		"max_parallelism":       MaxParallelism(o.Parallelism),
	}
	if o.Streaming {
		m["checkpointing_interval"] = checkpointEvery.Milliseconds()
		// Else the runner finishes the bundle within the checkpoint: it keeps what comes
		// out of it until the operator is called again, and sends the watermark ahead.
		// Rows come late then, and those of the pipeline's first step, which is not
		// called again, never (docs/adr/0009).
		m["finish_bundle_before_checkpointing"] = true
		m["checkpoint_timeout_millis"] = checkpointTimeout.Milliseconds()
		m["tolerable_checkpoint_failure_number"] = checkpointFaults
		// The runner this was tested with does not know the number, and sets it to 0
		// unless told so: one failed checkpoint would restart the job.
		m["fail_on_checkpointing_errors"] = false
		m["externalized_checkpoints_enabled"] = true
		m["retain_externalized_checkpoints_on_cancellation"] = true
	}
	if o.Savepoint != "" {
		m["savepoint_path"] = o.Savepoint
	}
	if o.JobJar != "" {
		m["output_executable_path"] = o.JobJar
	}
	for k, v := range o.Extra {
		m[k] = typed(v)
	}
	return m
}

// typed is an option's value as the runner takes it.
func typed(v string) any {
	if n, err := strconv.ParseInt(v, 10, 64); err == nil {
		return n
	}
	if b, err := strconv.ParseBool(v); err == nil {
		return b
	}
	return v
}

// environment is the urn and payload of where workers run.
func (o *Options) environment() (urn, config string, err error) {
	switch o.Environment {
	case Process:
		b, err := json.Marshal(map[string]any{"command": o.Boot, "env": passedOn(os.Environ())})
		return graphx.URNEnvProcess, string(b), err
	case External:
		return graphx.URNEnvExternal, o.Pool, nil
	case Loopback: // its workers are started here, before
	}
	return "", "", fmt.Errorf("workers cannot run in the environment %q; there are %s, %s and %s", o.Environment, Process, External, Loopback)
}

// passedOn are the variables of this environment that workers need to find what
// we found. None is secret: the Flink UI shows them. Credentials come from the
// environment or role of the TaskManagers.
func passedOn(environ []string) map[string]string {
	m := map[string]string{}
	for _, kv := range environ {
		k, v, _ := strings.Cut(kv, "=")
		if strings.HasPrefix(k, "AWS_ENDPOINT_URL") || slices.Contains([]string{"AWS_REGION", "AWS_DEFAULT_REGION", "AWS_CA_BUNDLE"}, k) {
			m[k] = v
		}
	}
	return m
}

// names lists options for an error.
func names(m map[string]any) string { return strings.Join(slices.Sorted(maps.Keys(m)), ", ") }
