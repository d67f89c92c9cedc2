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
	"millrace/internal/operate"
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
//
// A stream with an end does not end its job: Flink keeps it running when its last
// source has finished. So over, for streaming jobs, tells whether everything is
// done, and the job is cancelled then.
func (p *Plan) submit(ctx context.Context, pipe *beam.Pipeline, name string, over func(context.Context) (bool, error), w Watcher) error {
	f := p.req.Flink
	extra, err := f.extra()
	if err != nil {
		return &UsageError{err}
	}
	o := flink.Options{
		Name: name, JobServer: f.JobServer, Parallelism: p.req.parallelism(), Streaming: over != nil, Savepoint: f.Savepoint,
		Environment: flink.Environment(cmp.Or(f.Environment, string(flink.Process))), Boot: f.Boot, Pool: f.Pool, Worker: f.Worker, Extra: extra,
	}
	master := cmp.Or(f.Master, operate.DefaultMaster(""))
	if o.JobServer == "" || (o.Environment == flink.Process && o.Boot == "") {
		home, err := dist.Find(f.Home)
		if err != nil {
			return &UsageError{err}
		}
		o.Boot = cmp.Or(o.Boot, home.Boot)
		if o.JobServer == "" {
			stop, err := startJobServer(ctx, home, master, &o)
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
	s := p.submission(name, master)
	if f.Detach {
		if err := p.submitted(ctx, job, s, over != nil); err != nil {
			return err
		}
		w.Say("the job runs; look after it with millrace status %s", name)
		return nil
	}
	if over != nil {
		noting, stop := context.WithCancel(ctx)
		defer stop()
		go s.noteWhenThere(noting, w)
	}
	return p.watch(ctx, watched{job, master, name}, over, w)
}

// watched is a job with what Flink itself knows it by: the job server's own cancel
// leaves the job running.
type watched struct {
	*flink.Job
	master, name string
}

func (j watched) cancel(ctx context.Context) error {
	c, err := operate.Connect(j.master)
	if err != nil {
		return err
	}
	found, err := operate.Find(ctx, c, j.name)
	if err != nil {
		return err
	}
	return c.Cancel(ctx, found.ID)
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
func (p *Plan) watch(ctx context.Context, job watched, over func(context.Context) (bool, error), w Watcher) error {
	ended := make(chan error, 1)
	go func() { ended <- job.Wait(ctx, func(text string) { w.Say("%s", text) }) }()
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case err := <-ended:
			if ctx.Err() != nil {
				return p.cancel(ctx, job, w)
			}
			return p.explain(err)
		case <-ctx.Done():
			return p.cancel(ctx, job, w)
		case <-tick.C:
		}
		if over == nil {
			continue
		}
		if done, err := over(ctx); err != nil || done {
			if err == nil && ctx.Err() == nil {
				err = job.cancel(ctx)
			}
			return err
		}
	}
}

func (p *Plan) explain(err error) error {
	if cause := failure.Of(p.Run); err != nil && cause != nil {
		return cause
	}
	if failed := new(flink.FailedError); errors.As(err, &failed) {
		return fmt.Errorf("%w\nthe TaskManager's log has more", err)
	}
	return err
}

// cancel ends a job whose run was interrupted.
func (p *Plan) cancel(ctx context.Context, job watched, w Watcher) error {
	cancel, stop := context.WithTimeout(context.WithoutCancel(ctx), 30*time.Second)
	defer stop()
	if err := job.cancel(cancel); err != nil {
		w.Say("the job could not be cancelled: %v", err)
	}
	return context.Cause(ctx)
}
