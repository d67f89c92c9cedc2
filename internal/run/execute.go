package run

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"time"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"

	"millrace/internal/failure"
	"millrace/internal/progress"
	"millrace/internal/version"
	"millrace/io/endpoint"
	"millrace/io/lakeio"
	"millrace/io/refusal"
	"millrace/runners/prism"
	"millrace/schemas/badrow"
	"millrace/schemas/late"
	"millrace/schemas/manifest"
	refusedRows "millrace/schemas/refused"
	"millrace/schemas/table"
	"millrace/transforms"
)

// Watcher is told how a run goes on.
type Watcher interface {
	Say(format string, a ...any) // one line worth telling
	Start(now func() progress.Snapshot)
	Done()
}

// Result is what a run that succeeded leaves behind.
type Result struct {
	manifest.Manifest
	Lake   string // as it was given
	Report string // where the report lies; empty when none was drawn
	// Detached names a job that goes on on Flink; the rest but Lake is empty then.
	Detached string
}

// Execute plans and carries out a run. After an error the lake is as it was; a
// lake that did not exist still does not. A run that is cancelled keeps the days
// it finished in its staging area, where the same run finds them.
func Execute(ctx context.Context, o Options, configDir string, w Watcher) (r Result, err error) {
	if endpoint.IsStream(o.Source) {
		return executeLive(ctx, o, configDir, w)
	}
	started := time.Now()
	p, err := Make(ctx, o, configDir)
	if err != nil {
		return r, err
	}
	if p.NewKey {
		said, err := p.makeKey(configDir)
		if err != nil {
			return r, err
		}
		if said != "" {
			w.Say("%s", said)
		}
	}
	made := newFolders(o.Lake)
	// The lease outlives a cancellation, so that a commit is carried through.
	lease, err := lakeio.AcquireLease(context.WithoutCancel(ctx), p.store, p.Job, lakeio.Owner{Run: p.Run})
	if err != nil {
		made.removeEmpty()
		return r, err
	}
	defer func() {
		released := lease.Release()
		if err == nil {
			err = released
			return
		}
		made.removeEmpty()
	}()
	ctx, cancel := cancelledBy(ctx, lease.Context())
	defer cancel()
	// What was planned before the lease was held may have changed since.
	if note, err := lakeio.Recover(ctx, p.store); err != nil {
		return r, err
	} else if note != "" {
		w.Say("%s", note)
	}
	if p, err = Make(ctx, o, configDir); err != nil {
		return r, err
	}
	for _, n := range p.Notes {
		w.Say("%s", n)
	}
	w.Start(p.progress)
	defer w.Done()
	r, err = p.carryOut(ctx, lease, started, w)
	if err == nil {
		return r, nil
	}
	if cause := context.Cause(ctx); cause != nil {
		err = cause // rather than what it led to
	}
	err = lakeio.FileError("write to", p.staging.Location(), err)
	p.clearAfter(ctx, err)
	return r, err
}

// cancelledBy is a context under the lease's that also ends, with
// context.Canceled, when the user's does.
func cancelledBy(user, lease context.Context) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(lease)
	stop := context.AfterFunc(user, func() { cancel(context.Canceled) })
	return ctx, func() { stop(); cancel(context.Canceled) }
}

// carryOut runs the pipeline and commits what it wrote.
func (p *Plan) carryOut(ctx context.Context, lease *lakeio.Lease, started time.Time, w Watcher) (Result, error) {
	r := Result{Lake: p.Lake}
	if err := p.clearStaging(ctx); err != nil {
		return r, err
	}
	sum, files, err := p.pipeline(ctx, w)
	if err != nil {
		return r, err
	}
	p.closing.Store(true)
	r.Manifest = p.manifest(sum, files, started)
	counted := []string{badrow.Rows.Name, late.Rows.Name}
	if events := p.req.job.EventsOutput(); !p.req.leavesOut(events) {
		counted = append(counted, events)
	}
	if fault := imbalance(r.Manifest, sum.Written, counted); fault != "" {
		return r, &UnbalancedError{fault}
	}
	if err := lease.Check(ctx); err != nil {
		return r, err
	}
	if err := context.Cause(ctx); err != nil {
		return r, err
	}
	if err := p.withdraw(ctx, files, w); err != nil {
		return r, err
	}
	if err := p.commit(lease.Context(), r.Manifest, files); err != nil {
		return r, err
	}
	// From here on the rows are in the lake, so nothing is an error any more.
	if err := p.removeStaging(lease.Context()); err != nil {
		w.Say("the staging area could not be removed: %v", err)
	}
	if p.req.NoReport {
		return r, nil
	}
	if r.Report, err = writeReport(lease.Context(), p.store, p.Lake, r.Manifest); err != nil {
		r.Report = ""
		w.Say("the rows are in the lake, but its report is not drawn: %v; then: millrace report --lake %s", err, p.Lake)
	}
	return r, nil
}

// commit makes the files appear, with everything that tells of them.
func (p *Plan) commit(ctx context.Context, m manifest.Manifest, files []lakeio.File) error {
	notes := map[string]any{manifest.Key(p.Run): m}
	keys, changed, err := p.knownKeys(ctx)
	if err != nil {
		return err
	}
	if changed {
		notes[keysKey] = keys
	}
	return lakeio.Commit(ctx, p.store, lakeio.Change{
		Run: p.Run, Standing: p.standing, Schemas: p.schemas(), Touched: touched(files), Kept: p.kept, Revisions: p.Revisions, Staging: p.staging.Location(), Files: files, Notes: notes,
	})
}

// progress is how far the run is.
func (p *Plan) progress() progress.Snapshot {
	now := endpoint.ProgressOf(p.Run)
	return progress.Snapshot{Total: p.Bytes, Bytes: now.Bytes, Lines: now.Records, Spilled: now.Spilled, Merged: now.Merged, Closing: p.closing.Load(), Waiting: now.Waiting, Waited: now.Waited}
}

// pipeline runs the job into the staging area.
func (p *Plan) pipeline(ctx context.Context, w Watcher) (sum endpoint.Closing, files []lakeio.File, err error) {
	pipe, s := beam.NewPipelineWithRoot()
	records, err := endpoint.Read(s, endpoint.Reading{Run: p.Run, URL: p.Source, Splits: p.Splits})
	if err != nil {
		return sum, nil, err
	}
	common := p.masking(transforms.Common{Run: p.Run, KeyRef: p.KeyRef, Raw: p.req.Raw, From: p.req.from, To: p.req.to, Revisions: p.Revisions, Replay: p.req.replay(p.Source), Only: p.req.only})
	if !p.onFlink() { // where memory is what shuffles take
		common.Spill = filepath.Join(p.spill.Location(), "runs")
	}
	outputs := p.req.job.Build(s, p.req.settings, common, records)
	write := func(output string, schema *table.Schema, rows beam.PCollection) beam.PCollection {
		return endpoint.Write(s, lakeio.Writing{
			Run: p.Run, Output: output, Schema: schema.ID(), Shards: p.req.job.Shards(p.req.settings),
			Staging: p.staging.Location(), Revisions: p.Revisions, Frozen: p.Frozen,
		}, rows)
	}
	var written []beam.PCollection
	for _, out := range p.req.job.Outputs {
		if !outputs.Rows[out.Name].IsValid() || p.req.leavesOut(out.Name) {
			continue
		}
		written = append(written, write(out.Name, out.Schema, outputs.Rows[out.Name]))
	}
	var refused []beam.PCollection
	for _, to := range p.req.sinks() {
		said, not := endpoint.Send(s.Scope("output."+to.Name), endpoint.Sending{
			Run: p.Run, Sink: to.Name, Output: to.Output.Name, Schema: to.Output.Schema.ID(), URL: to.URL,
		}, outputs.Rows[to.Output.Name])
		written, refused = append(written, said), append(refused, not)
	}
	if len(refused) > 0 {
		written = append(written, write(refusal.Output, refusedRows.Rows, beam.Flatten(s.Scope(refusal.Output), refused...)))
	}
	endpoint.Close(s, p.Run, p.staging.Location(), outputs.Ledger, written...)
	run := func() error { return prism.Run(ctx, pipe, runnerLog()) }
	if p.onFlink() {
		run = func() error {
			return p.submit(ctx, func() (handing, error) { return handing{pipe: pipe, name: p.Run}, nil }, w)
		}
	}
	if err := await(ctx, failure.Noted(p.Run), run); err != nil {
		if cause := failure.Of(p.Run); cause != nil {
			return sum, nil, cause
		}
		return sum, nil, err
	}
	if sum, err = endpoint.ReadClosing(ctx, p.staging.Staging); err != nil {
		return sum, nil, err
	}
	files, err = p.staging.Files(ctx)
	return sum, files, err
}

// imbalance says what does not add up: the ledger itself, or the ledger against
// the rows that the sinks were given and that the finished files hold. outputs have a row
// for each record that the ledger counts so: bad rows, late ones, and any other events.
func imbalance(m manifest.Manifest, written map[string]int64, outputs []string) string {
	if !m.Ledger.Balanced {
		return m.Ledger.String()
	}
	for _, output := range outputs {
		counted := m.Ledger.Events
		switch output {
		case badrow.Rows.Name:
			counted = m.Ledger.Bad
		case late.Rows.Name:
			counted = m.Ledger.Late
		}
		if stored := m.Outputs[output].Rows; written[output] != counted || stored != counted {
			return fmt.Sprintf("%s counts %d in the ledger, the sink was given %d rows, its files hold %d", output, counted, written[output], stored)
		}
	}
	refused := int64(0)
	for _, sink := range m.Sinks {
		refused += sink.Refused
	}
	if stored := m.Outputs[refusal.Output].Rows; m.Sinks != nil && (written[refusal.Output] != refused || stored != refused) {
		return fmt.Sprintf("sinks refused %d rows, the lake was given %d of them, its files hold %d", refused, written[refusal.Output], stored)
	}
	return ""
}

func (p *Plan) manifest(sum endpoint.Closing, files []lakeio.File, started time.Time) manifest.Manifest {
	m := manifest.Manifest{
		Run: p.Run, Job: p.Job, State: manifest.Done, Version: version.Build(), ConfigHash: p.ConfigHash, Settings: p.Settings,
		KeyID: p.Key.Active().ID(), MaskPolicy: p.policy(), Source: p.Source, From: p.req.From, To: p.req.To, Started: started.UTC(), Seconds: time.Since(started).Seconds(),
		Inputs: p.Inputs, Outputs: map[string]manifest.Output{}, Ledger: manifest.Ledger{Ledger: sum.Ledger, Balanced: sum.Ledger.Balanced()},
	}
	m.Sinks = p.sinks(sum)
	for _, f := range files {
		o := m.Outputs[f.Part.Output]
		o.Rows += f.Rows
		o.Bytes += f.Bytes
		o.Files++
		m.Outputs[f.Part.Output] = o
		m.Files = append(m.Files, manifest.File{Key: f.Key, Rows: f.Rows, Bytes: f.Bytes, SHA256: f.SHA256})
	}
	for _, day := range touched(files) {
		m.Days = append(m.Days, lakeio.DayText(day))
	}
	return m
}

// sinks counts what went to sinks, by the name of the sink.
func (p *Plan) sinks(sum endpoint.Closing) map[string]manifest.Sink {
	if len(p.req.Outputs) == 0 {
		return nil
	}
	all := map[string]manifest.Sink{}
	for _, to := range p.req.sinks() {
		all[to.Name] = manifest.Sink{Output: to.Output.Name, URL: to.URL, Sent: sum.Sent[to.Name], Refused: sum.Refused[to.Name]}
	}
	return all
}

func touched(files []lakeio.File) []int64 {
	var days []int64
	for _, f := range files {
		days = append(days, f.Part.Day)
	}
	slices.Sort(days)
	return slices.Compact(days)
}
