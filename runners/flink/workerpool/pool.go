// Package workerpool runs a job's workers beside a TaskManager that cannot start
// them itself, as in a pod of Kubernetes: Flink asks it for a worker by Beam's
// protocol, and it fetches the job's program from the TaskManager and runs it. So
// one pool serves jobs of any build, one after another and several at a time.
//
// Beam's boot has such a pool, too. That one listens on all addresses and on one
// port only, forgets no worker that dies, and refuses the next of the same
// number: a TaskManager that was killed could not come back to it.
package workerpool

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync"

	fnpb "github.com/apache/beam/sdks/v2/go/pkg/beam/model/fnexecution_v1"
	"google.golang.org/grpc"

	"millrace/runners/flink/fault"
)

// Pool starts workers and ends them.
type Pool struct {
	fnpb.UnimplementedBeamFnExternalWorkerPoolServer

	listener net.Listener
	dir      string
	say      func(format string, a ...any)
	life     context.Context // of the pool, and so of its workers

	mu      sync.Mutex
	workers []*worker // that run or are about to
	number  int       // of the last one
	closed  bool
	running sync.WaitGroup // one for each of workers
}

// Listen takes an address, host:port, and makes a folder in TMPDIR for programs.
// Whoever reaches the address can have programs run, so it should be one of
// loopback. say, which must be safe for concurrent use, is told what becomes of
// workers.
func Listen(ctx context.Context, address string, say func(format string, a ...any)) (*Pool, error) {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
	if err != nil {
		return nil, &fault.Error{
			Doing: "start", Object: "the worker pool at " + address, Class: fault.ErrInvalid, Cause: err,
			Cure: "name a free port of this machine, for example 127.0.0.1:50000",
		}
	}
	dir, err := os.MkdirTemp("", "millrace-workers-")
	if err != nil {
		return nil, errors.Join(fmt.Errorf("starting the worker pool: %w", err), listener.Close())
	}
	return &Pool{listener: listener, dir: dir, say: say}, nil
}

// Address is the host:port that Flink reaches the pool at.
func (p *Pool) Address() string { return p.listener.Addr().String() }

// Serve serves until ctx ends, and then ends the workers and removes what the
// pool has on disk. It returns when none is left.
func (p *Pool) Serve(ctx context.Context) error {
	var stop context.CancelFunc
	p.life, stop = context.WithCancel(ctx)
	defer stop()
	server := grpc.NewServer()
	fnpb.RegisterBeamFnExternalWorkerPoolServer(server, p)
	served := make(chan error, 1)
	go func() { served <- server.Serve(p.listener) }()
	var err error
	select {
	case err = <-served:
	case <-ctx.Done():
	}
	p.mu.Lock()
	p.closed = true
	p.mu.Unlock()
	stop()
	p.running.Wait()
	server.Stop()
	if err = errors.Join(err, os.RemoveAll(p.dir)); err != nil {
		return fmt.Errorf("the worker pool at %s: %w", p.Address(), err)
	}
	return nil
}

// StartWorker starts a worker. What keeps it from that is in the answer: the job
// fails with it.
func (p *Pool) StartWorker(_ context.Context, r *fnpb.StartWorkerRequest) (*fnpb.StartWorkerResponse, error) {
	w, err := p.admit(r)
	if err == nil {
		if err = w.start(); err != nil {
			p.forget(w)
		}
	}
	if err != nil {
		err = fmt.Errorf("the worker pool at %s could not start worker %s: %w", p.Address(), r.GetWorkerId(), err)
		p.say("%v", err)
		return &fnpb.StartWorkerResponse{Error: err.Error()}, nil
	}
	p.say("worker %s has started, process %d", w.id, w.command.Process.Pid)
	go func() {
		how := w.wait()
		p.say("worker %s has ended, process %d: %s", w.id, w.command.Process.Pid, how)
		p.forget(w)
	}()
	return &fnpb.StartWorkerResponse{}, nil
}

// admit notes a worker before it is started: the pool may be ended meanwhile.
func (p *Pool) admit(r *fnpb.StartWorkerRequest) (*worker, error) {
	for name, endpoint := range map[string]string{
		"control": r.GetControlEndpoint().GetUrl(), "logging": r.GetLoggingEndpoint().GetUrl(), "provision": r.GetProvisionEndpoint().GetUrl(),
	} {
		if endpoint == "" {
			return nil, fmt.Errorf("it was given no %s endpoint", name)
		}
	}
	if r.GetControlEndpoint().GetAuthentication() != nil || r.GetLoggingEndpoint().GetAuthentication() != nil {
		return nil, errors.New("the runner asks for authentication, which workers in Go cannot give")
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return nil, errors.New("the pool is ending")
	}
	// The number alone tells nothing: each job and each TaskManager counts from 1.
	for _, w := range p.workers {
		if w.id == r.GetWorkerId() && w.control == r.GetControlEndpoint().GetUrl() {
			return nil, errors.New("it runs already")
		}
	}
	p.number++
	w := newWorker(p.life, r, filepath.Join(p.dir, strconv.Itoa(p.number)))
	p.workers = append(p.workers, w)
	p.running.Add(1)
	return w, nil
}

// forget lets go of a worker that has ended or was never started.
func (p *Pool) forget(w *worker) {
	p.mu.Lock()
	p.workers = slices.DeleteFunc(p.workers, func(other *worker) bool { return other == w })
	p.mu.Unlock()
	w.close()
	p.running.Done()
}

// StopWorker ends a worker and returns when it has ended. The request tells no
// more than its number: when several have that, each is left to end when its
// runner closes the connection to it, which comes next.
func (p *Pool) StopWorker(_ context.Context, r *fnpb.StopWorkerRequest) (*fnpb.StopWorkerResponse, error) {
	p.mu.Lock()
	named := slices.DeleteFunc(slices.Clone(p.workers), func(w *worker) bool { return w.id != r.GetWorkerId() })
	p.mu.Unlock()
	if len(named) == 1 {
		named[0].end()
	}
	return &fnpb.StopWorkerResponse{}, nil // one that has ended by itself is stopped
}
