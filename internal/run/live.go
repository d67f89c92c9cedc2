package run

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"

	"millrace/internal/failure"
	"millrace/internal/progress"
	"millrace/internal/settings"
	"millrace/internal/version"
	"millrace/io/driver"
	"millrace/io/endpoint"
	"millrace/io/lakeio"
	"millrace/io/refusal"
	"millrace/jobs"
	"millrace/runners/prism"
	"millrace/schemas/raw"
	"millrace/transforms"
)

func init() {
	for _, j := range jobs.Catalogue {
		endpoint.KnowEventTime(j.Name, j.EventTime)
	}
}

// executeLive plans and carries out a run over a stream.
func executeLive(ctx context.Context, o Options, configDir string, w Watcher) (Result, error) {
	started := time.Now()
	p, err := makeLive(ctx, o, configDir)
	if err != nil {
		return Result{}, err
	}
	if p.NewKey {
		said, err := p.makeKey(configDir)
		if err != nil {
			return Result{}, err
		}
		if said != "" {
			w.Say("%s", said)
		}
	}
	for _, n := range p.Notes {
		w.Say("%s", n)
	}
	if err := p.noteKeys(ctx); err != nil {
		return Result{}, err
	}
	if err := p.noteBegun(ctx); err != nil {
		return Result{}, err
	}
	// What crashed workers left beside the lake, so long ago that no savepoint needs it.
	if err := lakeio.SweepLive(ctx, p.store, p.Run, 0); err != nil {
		w.Say("old segments could not be removed: %v", err)
	}
	w.Start(p.progress)
	defer w.Done()
	if err := p.follow(ctx, w); err != nil {
		if cause := context.Cause(ctx); cause != nil {
			err = cause
		}
		return Result{}, err
	}
	if p.req.Flink.Detach && p.onFlink() {
		return Result{Lake: p.Lake, Detached: p.name()}, nil
	}
	return p.settle(context.WithoutCancel(ctx), started, w)
}

// livePlan is what a live run would do.
type livePlan struct {
	Plan
	options live
	cursors []driver.Cursor
	attempt string   // of this submission
	begun   begun    // of a run that begins
	before  []string // runs that this one goes on behind
}

// makeLive checks the options and plans the run. It writes nothing.
func makeLive(ctx context.Context, o Options, configDir string) (*livePlan, error) {
	if o.Raw == "" {
		o.Raw = "sealed" // a stream forgets
	}
	req, err := check(o)
	if err != nil {
		return nil, err
	}
	o = req.Options
	p := &livePlan{Plan: Plan{Job: req.job.Name, Source: o.Source, Lake: o.Lake, req: req}, options: req.live}
	if p.store, err = lakeio.OpenStore(ctx, o.Lake); err != nil {
		return nil, &UsageError{err}
	}
	if err := p.resolveKey(ctx, configDir); err != nil {
		return nil, err
	}
	if err := p.resolveVaultKey(ctx); err != nil {
		return nil, err
	}
	if err := p.identifyLive(ctx); err != nil {
		return nil, err
	}
	if err := p.checkOwner(ctx); err != nil {
		return nil, err
	}
	if p.standing, err = lakeio.LoadStanding(ctx, p.store, p.schemas()); err != nil {
		return nil, err
	}
	if err := p.checkArchive(ctx); err != nil {
		return nil, err
	}
	stream, err := endpoint.OpenBootstrap(ctx, p.options.archive, p.options.until, p.options.source, p.options.stream)
	if err != nil {
		return nil, usageOrNot(err)
	}
	if p.before, err = p.continued(ctx); err != nil {
		return nil, err
	}
	p.cursors, err = p.begin(ctx, stream)
	if n, ok := stream.(driver.Noter); ok {
		p.Notes = append(p.Notes, n.Notes()...)
	}
	if err != nil {
		return nil, usageOrNot(err)
	}
	if p.attempt, err = attempt(); err != nil {
		return nil, err
	}
	return p, nil
}

// checkArchive refuses an archive that does not reach to where the stream is to
// take over, or that no key opens.
func (p *livePlan) checkArchive(ctx context.Context) error {
	if p.options.archive == "" {
		return nil
	}
	src, err := endpoint.OpenSource(ctx, p.options.archive, nil)
	if err != nil {
		return &UsageError{err}
	}
	if p.Splits, err = src.Splits(ctx); err != nil {
		return err
	}
	if err := p.checkSeals(); err != nil {
		return err
	}
	lake, ok := strings.CutSuffix(strings.TrimSuffix(p.options.archive, "/"), "/"+raw.Rows.Name)
	if !ok {
		return nil // a part of one, or another place: nobody knows how far it reaches
	}
	store, err := lakeio.OpenStore(ctx, lake)
	if err != nil {
		return &UsageError{err}
	}
	parts, err := lakeio.ReadLedger(ctx, store)
	if err != nil || len(parts) == 0 {
		return err
	}
	last := int64(0)
	for _, part := range parts {
		last = max(last, part.Close.LastArrival)
	}
	if end := time.UnixMilli(last).UTC(); p.options.until.After(end) {
		return usage("--until-archive %s: the archive ends at %s, and what arrived between would be missing; name that time or an earlier one", p.options.until.Format(time.RFC3339), end.Format("2006-01-02T15:04:05.000Z07:00"))
	}
	return nil
}

func usageOrNot(err error) error {
	if errors.Is(err, driver.ErrInvalid) {
		return &UsageError{err}
	}
	return err
}

// attempt is a name of its own for a submission.
func attempt() (string, error) {
	var b [4]byte
	_, err := rand.Read(b[:])
	return hex.EncodeToString(b[:]), err
}

func (p *Plan) onFlink() bool { return p.req.Runner == "flink" }

// readers is how many there are to be. Prism loses data of several.
func (p *livePlan) readers() int {
	if p.onFlink() {
		return cmp.Or(p.req.Flink.Readers, p.req.parallelism())
	}
	return 1
}

// identifyLive names the run by what decides its rows and by its lake: resumed or
// submitted again, it is the same run.
func (p *livePlan) identifyLive(ctx context.Context) error {
	fingerprint, err := p.req.job.Fingerprint(ctx, p.req.settings, true)
	if err != nil {
		return &UsageError{err}
	}
	p.Settings = map[string]string{}
	for _, s := range settings.Describe(p.req.settings) {
		p.Settings[s.Name] = s.Default // the value that holds
	}
	if err := p.req.describeLists(p.Settings); err != nil {
		return err
	}
	if err := p.namePolicy(); err != nil {
		return err
	}
	o := p.options
	decides := map[string]any{
		"job": p.Job, "program": version.Rows, "settings": p.Settings, "reference": fingerprint, "raw": p.req.Raw, "key": p.Key.Active().ID(),
		"disorder": o.stream.MaxDisorder, "lateness": o.stream.AllowedLateness, "idle": o.stream.IdleAfter,
		"roll_bytes": o.stream.RollBytes, "roll_every": o.stream.RollEvery, "seal": o.seal,
	}
	if p.req.Format != "" { // in the source's parameters it counts with them
		decides["format"] = p.req.Format
	}
	p.ConfigHash, err = hashJSON(p.withPolicy(decides))
	if err != nil {
		return err
	}
	id, err := hashJSON([]string{p.ConfigHash, p.Source, p.store.Name("")})
	if err != nil {
		return err
	}
	p.Run = p.Job + "-live-" + id[:12]
	return nil
}

func (p *livePlan) ending() endpoint.Ending {
	return endpoint.Ending{Lake: p.Lake, Run: p.Run, Attempt: p.attempt}
}

// name is the job's on Flink.
func (p *livePlan) name() string { return p.Run + "-" + p.attempt }

// noteKeys writes down what the lake is masked with, before its first row.
func (p *livePlan) noteKeys(ctx context.Context) error {
	keys, changed, err := p.knownKeys(ctx)
	if err == nil && changed {
		err = lakeio.WriteJSON(ctx, p.store, keysKey, keys)
	}
	return err
}

// build makes the pipeline.
func (p *livePlan) build() *beam.Pipeline {
	pipe, s := beam.NewPipelineWithRoot()
	ending := p.ending()
	records := endpoint.Follow(s, endpoint.Following{Run: p.Run, URL: p.options.source, Job: p.Job, Archive: p.options.archive, Until: p.options.until, Options: p.options.stream, Readers: p.cursors, Prompt: p.prompt(), Ending: ending})
	common := p.masking(transforms.Common{
		Run: p.Run, KeyRef: p.KeyRef, Raw: p.req.Raw, Replay: p.replay(),
		Live: &transforms.Live{Bucket: p.options.seal, Provisional: map[string]bool{}},
	})
	for name := range p.req.Outputs {
		common.Live.Provisional[name] = true
	}
	outputs := p.req.job.Build(s, p.req.settings, common, records)
	lake := endpoint.LiveLake{
		Writing:   lakeio.LiveWriting{Run: p.Run, Lake: p.Lake, Schemas: map[string]string{}, Events: p.req.job.EventsOutput(), Before: p.before},
		Raw:       p.req.Raw != "off",
		Appended:  []string{refusal.Output},
		SealAfter: time.Minute, // as timers are rounded up
	}
	for _, out := range p.req.job.Outputs {
		lake.Writing.Schemas[out.Name] = out.Schema.ID()
		if out.PerRecord {
			lake.Rolled = append(lake.Rolled, out.Name)
		}
	}
	if p.req.Raw == "off" {
		delete(outputs.Rows, "raw")
	}
	var written, refused []beam.PCollection
	for _, to := range p.req.sinks() {
		rows := []beam.PCollection{outputs.Rows[to.Output.Name]}
		if !to.Output.PerRecord {
			rows = outputs.Provisional
		}
		for i, r := range rows {
			said, not := endpoint.Send(s.Scope("output."+to.Name+"."+strconv.Itoa(i)), endpoint.Sending{
				Run: p.Run, Sink: to.Name, Output: to.Output.Name, Schema: to.Output.Schema.ID(), URL: to.URL, Lake: p.Lake, Bucket: p.options.seal,
			}, r)
			written, refused = append(written, said), append(refused, not)
		}
	}
	if len(refused) > 0 {
		outputs.Rows[refusal.Output] = beam.Flatten(s.Scope(refusal.Output), refused...)
	}
	written = append(written, endpoint.WriteLive(s, lake, outputs.Rows, outputs.Ledger))
	endpoint.End(s, ending, written...)
	return pipe
}

// prompt tells whether somebody waits for rows as they come: a sink does, the lake does not.
func (p *Plan) prompt() bool { return len(p.req.Outputs) > 0 }

// replay begins the command that computes rows again from the archive; there is none
// without one.
func (p *livePlan) replay() string {
	if p.req.Raw == "off" || p.store == nil {
		return ""
	}
	return p.req.replay(p.store.Name(raw.Rows.Name))
}

// follow runs the pipeline until the stream or the run ends.
func (p *livePlan) follow(ctx context.Context, w Watcher) error {
	if p.onFlink() {
		return p.submit(ctx, p.handing, w)
	}
	pipe := p.build()
	err := await(ctx, failure.Noted(p.Run), func() error { return prism.RunStateful(ctx, pipe, runnerLog()) })
	if cause := failure.Of(p.Run); err != nil && cause != nil {
		return cause
	}
	return err
}

// handing is the pipeline of one more submission.
func (p *livePlan) handing() (h handing, err error) {
	if p.attempt, err = attempt(); err != nil {
		return h, err
	}
	ending := p.ending()
	return handing{p.build(), p.name(), &ending}, nil
}

func (p *livePlan) progress() progress.Snapshot {
	if now := p.counted.Load(); now != nil {
		return *now
	}
	now := endpoint.ProgressOf(p.Run)
	return progress.Snapshot{Bytes: now.Bytes, Lines: now.Records, Waiting: now.Waiting, Waited: now.Waited}
}

// parallelism is that of the run, 1 when none was asked for.
func (r *request) parallelism() int { return max(r.Flink.Parallelism, 1) }
