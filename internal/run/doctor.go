package run

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"time"

	"millrace/internal/progress"
	"millrace/io/driver"
	"millrace/io/endpoint"
	"millrace/io/lakeio"
	"millrace/runners/flink/dist"
	"millrace/runners/flink/rest"
)

// Diagnosis is one thing that Diagnose has looked at.
type Diagnosis struct {
	Place string // "lake", "output events"
	What  string // "reach", "write"
	Found string // when it is well
	Note  bool   // Err is no fault of the configuration, and passes
	Err   error  // nil when it is well
}

// Diagnose looks at everything that a run would need, by what it is given: the
// settings, the masking key, source, lake and sinks, and Flink. It writes no row;
// into the lake it puts a small object and removes it. All faults are told, each
// within patience. It returns whether a run can be begun.
func Diagnose(ctx context.Context, o Options, configDir string, patience time.Duration, tell func(Diagnosis)) (healthy bool) {
	d := doctor{patience: patience, healthy: true}
	d.tell = func(f Diagnosis) {
		d.healthy = d.healthy && (f.Err == nil || f.Note)
		tell(f)
	}
	d.look(ctx, o, configDir)
	return d.healthy
}

type doctor struct {
	patience time.Duration
	tell     func(Diagnosis)
	healthy  bool
}

func (d *doctor) look(ctx context.Context, o Options, configDir string) {
	req, err := check(o)
	if err != nil {
		var joined interface{ Unwrap() []error }
		if !errors.As(err, &joined) {
			d.tell(Diagnosis{Place: "configuration", What: "check", Err: err})
			return
		}
		for _, fault := range joined.Unwrap() {
			d.tell(Diagnosis{Place: "configuration", What: "check", Err: fault})
		}
		return
	}
	d.tell(Diagnosis{Place: "configuration", What: "check", Found: fmt.Sprintf("job %s, %s besides the lake", req.job.Name, progress.Of(int64(len(req.sinks())), "sink"))})
	p := &livePlan{Plan: Plan{Job: req.job.Name, Source: req.Source, Lake: req.Lake, req: req}, options: req.live}
	d.timed(ctx, func(ctx context.Context) { d.lake(ctx, p, configDir) })
	d.timed(ctx, func(ctx context.Context) { d.source(ctx, p) })
	for _, to := range req.sinks() {
		d.timed(ctx, func(ctx context.Context) { d.sink(ctx, to) })
	}
	if req.Runner == "flink" {
		d.timed(ctx, func(ctx context.Context) { d.flink(ctx, p) })
	}
}

// timed bounds a look.
func (d *doctor) timed(ctx context.Context, look func(ctx context.Context)) {
	ctx, cancel := context.WithTimeoutCause(ctx, d.patience, fmt.Errorf("no answer within %v", d.patience))
	defer cancel()
	look(ctx)
}

func (d *doctor) add(place, what, found string, err error) {
	d.tell(Diagnosis{Place: place, What: what, Found: found, Err: err})
}

// lake looks at the key, at what the lake holds, and whether it can be written.
func (d *doctor) lake(ctx context.Context, p *livePlan, configDir string) {
	var err error
	if p.store, err = lakeio.OpenStore(ctx, p.Lake); err != nil {
		d.add("lake", "open", "", err)
		return
	}
	key := ""
	if err = p.resolveKey(ctx, configDir); err == nil {
		key = p.keyText()
	}
	d.add("masking key", "resolve", key, err)
	standing, err := lakeio.LoadStanding(ctx, p.store, p.schemas())
	days := map[string]bool{}
	for _, c := range standing {
		for day := range c.Days {
			days[day] = true
		}
	}
	d.add("lake", "read", fmt.Sprintf("%s holds %s", p.store.Name(""), progress.Of(int64(len(days)), "day")), err)
	made := newFolders(p.Lake)
	defer made.removeEmpty()
	d.add("lake", "write", "objects can be put, under a condition, and removed", probe(ctx, p.store))
	if endpoint.IsStream(p.Source) {
		return
	}
	lease, err := lakeio.AcquireLease(ctx, p.store, p.Job, lakeio.Owner{Run: "doctor"})
	if err == nil {
		err = lease.Release()
	}
	d.tell(Diagnosis{Place: "lake", What: "lease", Found: "nobody else writes it", Err: err, Note: errors.Is(err, driver.ErrBusy)})
}

// probe puts an object and removes it again. A second put must lose: commits of a
// lake depend on that.
func probe(ctx context.Context, s lakeio.Store) (err error) {
	key := "_doctor/" + strings.ToLower(rand.Text())
	defer func() { err = errors.Join(err, s.Delete(context.WithoutCancel(ctx), key)) }()
	only := lakeio.PutOptions{IfNoneMatch: true}
	if _, err := s.Put(ctx, key, bytes.NewReader([]byte("doctor\n")), only); err != nil {
		return err
	}
	if _, err := s.Put(ctx, key, bytes.NewReader([]byte("again\n")), only); !errors.Is(err, driver.ErrConflict) {
		return &driver.Error{
			Doing: "write to", Object: s.Name(key), Class: driver.ErrInvalid, Cause: fmt.Errorf("a put under the condition that nothing is there did not fail for what is there (%w)", orFine(err)),
			Cure: "use a store with conditional writes, as Amazon S3 has them",
		}
	}
	return nil
}

func orFine(err error) error {
	if err == nil {
		return errors.New("it succeeded")
	}
	return err
}

// source lists the files, or reads for a moment from the stream.
func (d *doctor) source(ctx context.Context, p *livePlan) {
	if !endpoint.IsStream(p.Source) {
		err := p.planSource(ctx)
		d.add("source", "list", fmt.Sprintf("%s, %s", progress.Of(int64(len(p.Inputs)), "file"), progress.Bytes(p.Bytes)), err)
		return
	}
	d.add("source", "archive", orNone(p.options.archive), p.checkArchive(ctx))
	stream, err := endpoint.OpenStream(ctx, p.options.source, p.options.stream)
	if err != nil {
		d.add("source", "open", "", err)
		return
	}
	cursors, err := stream.Begin(ctx, 1)
	if err != nil {
		d.add("source", "begin", "", err)
		return
	}
	found, err := d.taste(ctx, stream, cursors[0])
	d.add("source", "read", found, err)
}

// tasteFor is how long a stream is read from.
const tasteFor = 3 * time.Second

// taste reads for a moment.
func (d *doctor) taste(ctx context.Context, stream driver.Stream, at driver.Cursor) (found string, err error) {
	r, err := stream.Read(ctx, at)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	moment, cancel := context.WithTimeout(ctx, min(tasteFor, d.patience))
	defer cancel()
	records := 0
	for moment.Err() == nil && !r.Done() {
		block, err := r.Next(moment)
		if err != nil && moment.Err() == nil {
			return "", err
		}
		if block != nil {
			records += block.Records()
			break
		}
	}
	shards := r.Status()
	for _, s := range shards {
		if s.Fault != "" {
			return "", fmt.Errorf("reading %s: %s", s.Shard, s.Fault)
		}
	}
	if records == 0 {
		return fmt.Sprintf("%s, no record within %v", progress.Of(int64(len(shards)), "shard"), tasteFor), nil
	}
	return fmt.Sprintf("%s, and they give records", progress.Of(int64(len(shards)), "shard")), nil
}

// sink asks a sink whether it would take rows.
func (d *doctor) sink(ctx context.Context, to sinkOf) {
	for _, c := range endpoint.CheckSink(ctx, to.URL, to.Output.Schema) {
		d.add("output "+to.Name, c.What, c.Found, c.Err)
	}
}

// flink looks at the cluster and at what a submission needs here.
func (d *doctor) flink(ctx context.Context, p *livePlan) {
	client, err := rest.New(p.master())
	var seen rest.Overview
	if err == nil {
		seen, err = client.Overview(ctx)
	}
	slots := p.req.parallelism()
	if err == nil && seen.SlotsAvailable < slots {
		err = fmt.Errorf("%d of %d slots are free, and the job wants %d; end other jobs, start another TaskManager, or lower --parallelism", seen.SlotsAvailable, seen.SlotsTotal, slots)
	}
	d.add("flink", "cluster", fmt.Sprintf("Flink %s at %s, %d of %d slots free", seen.FlinkVersion, p.master(), seen.SlotsAvailable, seen.SlotsTotal), err)
	if p.req.Flink.JobServer != "" {
		return
	}
	home, err := dist.Find(p.req.Flink.Home)
	if err == nil && seen.FlinkVersion != "" && home.Versions.Flink != seen.FlinkVersion {
		err = fmt.Errorf("the cluster is Flink %s, and the job server here is for %s; see docs/flink-versions.md", seen.FlinkVersion, home.Versions.Flink)
	}
	d.add("flink", "job server", fmt.Sprintf("for Flink %s, Beam's runner %s", home.Versions.Flink, home.Versions.Runner), err)
}
