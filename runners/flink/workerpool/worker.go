package workerpool

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/apache/beam/sdks/v2/go/container/tools"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/artifact"
	fnpb "github.com/apache/beam/sdks/v2/go/pkg/beam/model/fnexecution_v1"
	pipepb "github.com/apache/beam/sdks/v2/go/pkg/beam/model/pipeline_v1"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/util/grpcx"
	"google.golang.org/protobuf/proto"
)

// Variable is set for the workers of a pool. Their parent is the pool, and who
// started that is nothing to them.
const Variable = "MILLRACE_WORKER_POOL"

// grace is what a worker has to end when asked, before it is made to.
const grace = 5 * time.Second

// worker is a process that a runner asked for.
type worker struct {
	id      string // what the runner calls it
	control string // host:port, where it takes its work from
	dir     string // its own folder
	request *fnpb.StartWorkerRequest

	life    context.Context
	cancel  context.CancelFunc
	command *exec.Cmd
	closed  chan struct{}
}

func newWorker(life context.Context, r *fnpb.StartWorkerRequest, dir string) *worker {
	w := &worker{id: r.GetWorkerId(), control: r.GetControlEndpoint().GetUrl(), request: r, dir: dir, closed: make(chan struct{})}
	w.life, w.cancel = context.WithCancel(life)
	return w
}

// start fetches the program and its options, as Beam's boot does, and runs it.
func (w *worker) start() error {
	ctx := grpcx.WriteWorkerID(w.life, w.id)
	info, err := tools.ProvisionInfo(ctx, w.request.GetProvisionEndpoint().GetUrl())
	if err != nil {
		return fmt.Errorf("asking the runner at %s what to run: %w", w.request.GetProvisionEndpoint().GetUrl(), err)
	}
	program, err := w.fetch(ctx, info)
	if err != nil {
		return fmt.Errorf("fetching the job's program: %w", err)
	}
	options, err := tools.ProtoToJSON(info.GetPipelineOptions())
	if err != nil {
		return fmt.Errorf("the job's options: %w", err)
	}
	optionsFile := filepath.Join(w.dir, "options.json")
	if err := os.WriteFile(optionsFile, []byte(options), 0o600); err != nil {
		return err
	}
	c := exec.CommandContext(w.life, program,
		"--worker=true", "--id="+w.id, "--logging_endpoint="+w.request.GetLoggingEndpoint().GetUrl(), "--control_endpoint="+w.control, "--semi_persist_dir="+w.dir)
	c.Cancel = func() error { return c.Process.Signal(syscall.SIGTERM) }
	c.WaitDelay = grace
	c.Dir = w.dir
	c.Stdout, c.Stderr = os.Stderr, os.Stderr
	c.Env = append(os.Environ(), Variable+"=1", "PIPELINE_OPTIONS_FILE="+optionsFile,
		"STATUS_ENDPOINT="+info.GetStatusEndpoint().GetUrl(), "RUNNER_CAPABILITIES="+strings.Join(info.GetRunnerCapabilities(), " "))
	w.command = c
	return c.Start()
}

// fetch writes the job's program into the worker's folder.
func (w *worker) fetch(ctx context.Context, info *fnpb.ProvisionInfo) (string, error) {
	dir := filepath.Join(w.dir, "bin") // which the worker removes once it runs
	endpoint := info.GetArtifactEndpoint().GetUrl()
	if endpoint == "" {
		endpoint = w.request.GetArtifactEndpoint().GetUrl()
	}
	if endpoint == "" {
		return "", errors.New("the runner names no place for it")
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", err
	}
	files, err := artifact.Materialize(ctx, endpoint, info.GetDependencies(), info.GetRetrievalToken(), dir)
	if err != nil {
		return "", err
	}
	for _, f := range files {
		if len(files) > 1 && f.GetRoleUrn() != artifact.URNGoWorkerBinaryRole {
			continue
		}
		var payload pipepb.ArtifactFilePayload
		if err := proto.Unmarshal(f.GetTypePayload(), &payload); err != nil {
			return "", err
		}
		program := filepath.Join(dir, "worker")
		return program, os.Rename(filepath.Join(dir, filepath.FromSlash(payload.GetPath())), program)
	}
	return "", fmt.Errorf("the job has %d files, and none is a worker's program", len(files))
}

// wait waits for the process and tells how it ended.
func (w *worker) wait() string {
	_ = w.command.Wait() // the state tells
	return w.command.ProcessState.String()
}

// end asks the worker to end, makes it after a while, and returns when it has.
func (w *worker) end() {
	w.cancel()
	<-w.closed
}

// close removes what is left of a worker that does not run.
func (w *worker) close() {
	w.cancel()
	_ = os.RemoveAll(w.dir) // a matter of space, and the pool tries again
	close(w.closed)
}
