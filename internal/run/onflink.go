package run

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"

	"millrace/internal/failure"
	"millrace/runners/flink"
	"millrace/runners/flink/dist"
	"millrace/runners/flink/jobserver"
)

// ServeWorker works for a runner if this process was started for that; else it
// returns.
func ServeWorker(args []string) {
	if flink.IsWorker(args) {
		flink.ServeWorker(args)
	}
}

// submit hands a pipeline to Flink and, unless it is to detach, follows the job.
func (p *Plan) submit(ctx context.Context, pipe *beam.Pipeline, name string, streaming bool, w Watcher) error {
	f := p.req.Flink
	extra, err := f.extra()
	if err != nil {
		return &UsageError{err}
	}
	o := flink.Options{
		Name: name, JobServer: f.JobServer, Parallelism: p.req.parallelism(), Streaming: streaming, Savepoint: f.Savepoint,
		Environment: flink.Environment(cmp.Or(f.Environment, string(flink.Process))), Boot: f.Boot, Pool: f.Pool, Worker: f.Worker, Extra: extra,
	}
	if o.JobServer == "" || (o.Environment == flink.Process && o.Boot == "") {
		home, err := dist.Find(f.Home)
		if err != nil {
			return &UsageError{err}
		}
		o.Boot = cmp.Or(o.Boot, home.Boot)
		if o.JobServer == "" {
			stop, err := startJobServer(ctx, home, cmp.Or(f.Master, DefaultMaster), &o)
			if err != nil {
				return err
			}
			defer stop()
		}
	}
	w.Say("submitting %s to Flink", name)
	job, err := flink.Submit(ctx, pipe, o)
	if err != nil {
		return err
	}
	defer job.Close()
	if f.Detach {
		w.Say("the job runs as %s; look after it with millrace status %s", job.ID, name)
		return nil
	}
	return p.watch(ctx, job, w)
}

// startJobServer starts a job server for one submission. It is not needed once
// the job runs, but to follow it.
func startJobServer(ctx context.Context, home dist.Distribution, master string, o *flink.Options) (stop func(), err error) {
	dir, err := os.MkdirTemp("", "millrace-job-server-")
	if err != nil {
		return nil, err
	}
	server, err := jobserver.Start(ctx, jobserver.Options{Dist: home, Master: master, Dir: dir, DieWithParent: true})
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	o.JobServer = server.Address()
	return func() {
		_ = server.Stop(context.WithoutCancel(ctx)) // it ends with us in any case
		_ = os.RemoveAll(dir)
	}, nil
}

// watch follows a job to its end; an interruption cancels it.
func (p *Plan) watch(ctx context.Context, job *flink.Job, w Watcher) error {
	err := job.Wait(ctx, func(text string) { w.Say("%s", text) })
	if ctx.Err() != nil {
		cancel, stop := context.WithTimeout(context.WithoutCancel(ctx), 30*time.Second)
		defer stop()
		if err := job.Cancel(cancel); err != nil {
			w.Say("the job could not be cancelled: %v", err)
		}
		return ctx.Err()
	}
	if cause := failure.Of(p.Run); err != nil && cause != nil {
		return cause
	}
	if failed := new(flink.FailedError); errors.As(err, &failed) {
		return fmt.Errorf("%w\nthe TaskManager's log has more", err)
	}
	return err
}
