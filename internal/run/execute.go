package run

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"

	"millrace/internal/version"
	"millrace/io/endpoint"
	"millrace/io/lakeio"
	"millrace/runners/prism"
	"millrace/schemas/manifest"
	"millrace/transforms"
)

// Watcher is told how a run goes on.
type Watcher interface {
	Say(format string, a ...any) // one line worth telling
	Start(p *Plan)
	Done()
}

// Execute plans and carries out a run. It returns the manifest it wrote into the
// lake. An error means that the lake's data are as they were.
func Execute(ctx context.Context, o Options, configDir string, w Watcher) (m manifest.Manifest, err error) {
	started := time.Now()
	p, err := Make(ctx, o, configDir)
	if err != nil {
		return m, err
	}
	if p.NewKey {
		said, err := p.makeKey(configDir)
		if err != nil {
			return m, err
		}
		if said != "" {
			w.Say("%s", said)
		}
	}
	lease, err := lakeio.AcquireLease(ctx, p.store, p.Job, lakeio.Owner{Run: p.Run})
	if err != nil {
		return m, err
	}
	defer func() { err = errors.Join(err, lease.Release()) }()
	ctx = lease.Context()
	// What was planned before the lease was held may have changed since.
	if note, err := lakeio.Recover(ctx, p.store); err != nil {
		return m, err
	} else if note != "" {
		w.Say("%s", note)
	}
	if p, err = Make(ctx, o, configDir); err != nil {
		return m, err
	}
	for _, n := range p.Notes {
		w.Say("%s", n)
	}
	if err := p.clearStaging(); err != nil {
		return m, err
	}
	w.Start(p)
	sum, files, err := p.pipeline(ctx)
	w.Done()
	if err != nil {
		err = contextCause(ctx, err)
		if !errors.Is(err, context.Canceled) {
			os.RemoveAll(p.staging)
			p.removeEmpty()
		}
		return m, err
	}
	if err := lease.Check(ctx); err != nil {
		return m, err
	}
	return p.finish(ctx, sum, files, started)
}

// pipeline runs the job into the staging area.
func (p *Plan) pipeline(ctx context.Context) (sum endpoint.Closing, files []lakeio.File, err error) {
	pipe, s := beam.NewPipelineWithRoot()
	records, err := endpoint.Read(s, endpoint.Reading{Run: p.Run, URL: p.Source, Splits: p.Splits})
	if err != nil {
		return sum, nil, err
	}
	outputs := p.req.job.Build(s, p.req.settings, transforms.Common{
		Run: p.Run, KeyRef: p.KeyRef, Raw: p.req.Raw, From: p.req.from, To: p.req.to, Revisions: p.Revisions,
	}, records)
	var written []beam.PCollection
	for _, out := range p.req.job.Outputs {
		if !outputs.Rows[out.Name].IsValid() {
			continue
		}
		written = append(written, endpoint.Write(s, lakeio.Writing{
			Run: p.Run, Output: out.Name, Schema: out.Schema.ID(), Shards: p.req.job.Shards(p.req.settings),
			Staging: p.staging, Revisions: p.Revisions, Frozen: p.Frozen,
		}, outputs.Rows[out.Name]))
	}
	endpoint.Close(s, p.Run, p.staging, outputs.Ledger, written...)
	if err := prism.Run(ctx, pipe, runnerLog()); err != nil {
		if cause := endpoint.Failure(p.Run); cause != nil {
			return sum, nil, cause
		}
		return sum, nil, err
	}
	if sum, err = endpoint.ReadClosing(p.staging); err != nil {
		return sum, nil, err
	}
	files, err = lakeio.StagedFiles(p.staging)
	return sum, files, err
}

// finish checks the ledger, commits and writes the manifest.
func (p *Plan) finish(ctx context.Context, sum endpoint.Closing, files []lakeio.File, started time.Time) (manifest.Manifest, error) {
	m := p.manifest(sum, files, started)
	if fault := imbalance(m, sum.Written); fault != "" {
		m.State = manifest.Unbalanced
		m.Files, m.Outputs = nil, nil
		return m, errors.Join(&UnbalancedError{fault}, lakeio.WriteJSON(ctx, p.store, manifest.Key(p.Run), m), os.RemoveAll(p.staging))
	}
	if err := p.rememberKey(ctx); err != nil {
		return m, err
	}
	if err := lakeio.Commit(ctx, p.store, p.Run, p.standing, p.schemas(), touched(files), p.Revisions, files); err != nil {
		return m, err
	}
	m.Seconds = time.Since(started).Seconds()
	if err := lakeio.WriteJSON(ctx, p.store, manifest.Key(p.Run), m); err != nil {
		return m, err
	}
	if err := p.writeViews(ctx); err != nil {
		return m, err
	}
	if !p.req.NoReport {
		if _, err := writeReport(ctx, p.store, p.Lake, m); err != nil {
			return m, err
		}
	}
	return m, errors.Join(os.RemoveAll(p.staging), p.removeEmpty())
}

// imbalance says what does not add up: the ledger itself, or the ledger against
// the rows that the sinks were given and that the finished files hold.
func imbalance(m manifest.Manifest, written map[string]int64) string {
	if !m.Ledger.Balanced {
		return m.Ledger.String()
	}
	for output, counted := range map[string]int64{"events": m.Ledger.Events, "bad_rows": m.Ledger.Bad, "late": m.Ledger.Late} {
		if stored := m.Outputs[output].Rows; written[output] != counted || stored != counted {
			return fmt.Sprintf("%s counts %d in the ledger, the sink was given %d rows, its files hold %d", output, counted, written[output], stored)
		}
	}
	return ""
}

func (p *Plan) manifest(sum endpoint.Closing, files []lakeio.File, started time.Time) manifest.Manifest {
	m := manifest.Manifest{
		Run: p.Run, Job: p.Job, State: manifest.Done, Version: version.Build(), ConfigHash: p.ConfigHash, Settings: p.Settings,
		KeyID: p.Key.Active().ID(), Source: p.Source, From: p.req.From, To: p.req.To, Started: started.UTC(), Seconds: time.Since(started).Seconds(),
		Inputs: p.Inputs, Outputs: map[string]manifest.Output{}, Ledger: manifest.Ledger{Ledger: sum.Ledger, Balanced: sum.Ledger.Balanced()},
	}
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

func touched(files []lakeio.File) []int64 {
	var days []int64
	for _, f := range files {
		days = append(days, f.Part.Day)
	}
	slices.Sort(days)
	return slices.Compact(days)
}

// writeViews puts SQL beside the state it describes.
func (p *Plan) writeViews(ctx context.Context) error {
	var outputs []lakeio.Current
	for _, out := range p.req.job.Outputs {
		c, err := lakeio.LoadCurrent(ctx, p.store, out.Name)
		if err != nil {
			return err
		}
		outputs = append(outputs, c)
	}
	_, err := p.store.Put(ctx, "_current/views.sql", strings.NewReader(lakeio.Views(p.store.Name(""), outputs)), lakeio.PutOptions{})
	return err
}

// clearStaging throws away what other runs left and prepares this one's area.
func (p *Plan) clearStaging() error {
	parent := filepath.Dir(p.staging)
	entries, err := os.ReadDir(parent)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("preparing the staging area: %w", err)
	}
	for _, e := range entries {
		if e.IsDir() && e.Name() != filepath.Base(p.staging) {
			if err := os.RemoveAll(filepath.Join(parent, e.Name())); err != nil {
				return fmt.Errorf("clearing the staging area: %w", err)
			}
		}
	}
	return lakeio.PrepareStaging(p.staging)
}

// removeEmpty removes the folder of all staging areas when nothing is left in it.
func (p *Plan) removeEmpty() error {
	if err := os.Remove(filepath.Dir(p.staging)); err != nil && !errors.Is(err, os.ErrNotExist) && !isNotEmpty(err) {
		return err
	}
	return nil
}

func isNotEmpty(err error) bool { return strings.Contains(err.Error(), "not empty") }

