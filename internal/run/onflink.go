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
	"millrace/internal/progress"
	"millrace/io/endpoint"
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

// patience is how long a job may take until its first read before that is said.
const patience = 2 * time.Minute

// handing is a pipeline as it is handed to Flink, once: each submission has a name
// of its own.
type handing struct {
	pipe *beam.Pipeline
	name string // of the job
	// ending is that of a live job, nil for a backfill.
	ending *endpoint.Ending
}

// submit hands a pipeline to Flink and, unless it is to detach, follows the job.
// One that is recycled, or supervised and lost, is handed over again.
//
// A stream with an end does not end its job: Flink keeps it running when its last
// source has finished, so the job is cancelled once everything is sealed.
func (p *Plan) submit(ctx context.Context, next func() (handing, error), w Watcher) error {
	v := vigil{from: p.req.Flink.Savepoint}
	for first := true; ; first = false {
		h, err := next()
		if err != nil {
			return err
		}
		err = p.submitOnce(ctx, h, w)
		recycled, lost := new(recycledError), new(lostError)
		switch {
		case errors.As(err, &recycled):
			v = vigil{from: recycled.savepoint}
			w.Say("stopped with savepoint %s, and resuming from it", recycled.savepoint)
		case errors.As(err, &lost) && lost.id == "" && first:
			return p.explain(lost.cause) // it was never there: this is about what we were asked
		case errors.As(err, &lost):
			if sealed, err := h.ending.Sealed(ctx); sealed || err != nil {
				return err
			}
			if err := v.await(ctx, lost, p.master(), w); err != nil {
				return err
			}
		default:
			return err
		}
		if err := h.ending.Forget(ctx); err != nil {
			return err
		}
		p.req.Flink.Savepoint = v.from
	}
}

// recycledError says that a job was stopped to be resumed: on runners up to 2.70
// each call of a reader leaves something behind in the TaskManager, which a new
// job takes into use again (docs/adr/0006).
type recycledError struct{ savepoint string }

func (e *recycledError) Error() string { return "the job was stopped with savepoint " + e.savepoint }

// master is where the JobManager listens.
func (p *Plan) master() string { return cmp.Or(p.req.Flink.Master, operate.DefaultMaster("")) }

func (p *Plan) submitOnce(ctx context.Context, h handing, w Watcher) error {
	f, name := p.req.Flink, h.name
	extra, err := f.extra()
	if err != nil {
		return &UsageError{err}
	}
	o := flink.Options{
		Name: name, JobServer: f.JobServer, Parallelism: p.req.parallelism(), Streaming: h.ending != nil, Savepoint: f.Savepoint,
		Environment: flink.Environment(cmp.Or(f.Environment, string(flink.Process))), Boot: f.Boot, Pool: f.Pool, Worker: f.Worker, Extra: extra, Prompt: h.ending != nil && p.prompt(),
	}
	master := p.master()
	if o.JobServer == "" || (o.Environment == flink.Process && o.Boot == "") {
		home, err := dist.Find(f.Home)
		if err != nil {
			return &UsageError{err}
		}
		o.Boot = cmp.Or(o.Boot, home.Boot)
		if o.JobServer == "" {
			keep := p.programFolder()
			if f.Detach {
				keep = artifactsDir(name)
			}
			stop, err := startJobServer(ctx, home, master, keep, &o)
			if err != nil {
				return err
			}
			defer stop()
		}
	}
	w.Say("submitting %s to Flink", name)
	job, err := flink.Submit(ctx, h.pipe, o)
	if err != nil {
		return err
	}
	defer job.Close()
	s := p.submission(name, master)
	if f.Detach {
		if err := p.submitted(ctx, job, s, h.ending != nil); err != nil {
			return err
		}
		w.Say("the job runs; look after it with millrace status %s", name)
		return nil
	}
	if h.ending != nil {
		beside, stop := context.WithCancel(ctx)
		defer stop()
		go s.noteWhenThere(beside, w)
		go p.observe(beside, master, name)
	}
	return p.watch(ctx, watched{job, master, name}, h.ending, w)
}

// observed is how often the counters of a job are read, which takes dozens of calls.
const observed = 15 * time.Second

// observe reads the counters of a live job, which its workers elsewhere keep, for
// the run's progress. That Flink does not answer is for others to tell.
func (p *Plan) observe(ctx context.Context, master, name string) {
	c, err := operate.Connect(master)
	if err != nil {
		return
	}
	reader := operate.Reader{Client: c}
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(observed):
		}
		if s, err := reader.Read(ctx, name); err == nil {
			p.counted.Store(&progress.Snapshot{Bytes: s.Read.Bytes, Lines: s.Ledger.In})
		}
	}
}

// watched is a job with what Flink itself knows it by: the job server's own cancel
// leaves the job running.
type watched struct {
	*flink.Job
	master, name string
}

func (j watched) cancel(ctx context.Context) error {
	c, id, err := j.find(ctx)
	if err != nil {
		return err
	}
	return c.Cancel(ctx, id)
}

// stop stops the job with a savepoint, in the cluster's folder for them.
func (j watched) stop(ctx context.Context) (savepoint string, err error) {
	c, id, err := j.find(ctx)
	if err != nil {
		return "", err
	}
	return c.Stop(ctx, id, "")
}

func (j watched) find(ctx context.Context) (c *operate.Client, id string, err error) {
	if c, err = operate.Connect(j.master); err != nil {
		return nil, "", err
	}
	found, err := operate.Find(ctx, c, j.name)
	return c, found.ID, err
}

// startJobServer starts a job server for one submission. It is not needed once
// the job runs, but to follow it. The workers' program that was staged is: boot
// reads it from the server's folder whenever Flink starts a worker. So that of a
// job which nobody follows is kept in the folder keep, where that of a backfill goes
// with its staging area; otherwise it goes with the server.
func startJobServer(ctx context.Context, home dist.Distribution, master, keep string, o *flink.Options) (stop func(), err error) {
	dir, remove := keep, func() error { return nil }
	if keep == "" {
		if dir, err = os.MkdirTemp("", "millrace-job-server-"); err != nil {
			return nil, err
		}
		remove = func() error { return os.RemoveAll(dir) }
	}
	server, err := jobserver.Start(ctx, jobserver.Options{Dist: home, Master: master, Dir: dir, DieWithParent: true})
	if err != nil {
		return nil, errors.Join(err, remove())
	}
	o.JobServer = server.Address()
	return func() {
		_ = server.Stop(context.WithoutCancel(ctx)) // it ends with us in any case
		_ = remove()
	}, nil
}

// watch follows a job to its end; an interruption cancels it.
func (p *Plan) watch(ctx context.Context, job watched, ending *endpoint.Ending, w Watcher) error {
	followed := &following{plan: p, job: job, ending: ending, w: w, submitted: time.Now()}
	ended := followed.wait(ctx)
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
		if ending == nil {
			continue // a backfill's job ends by itself
		}
		if over, err := followed.look(ctx); over {
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
