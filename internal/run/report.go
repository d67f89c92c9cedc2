package run

import (
	"context"
	"fmt"
	"maps"
	"path"
	"path/filepath"
	"slices"

	"millrace/internal/report"
	"millrace/io/lakeio"
	"millrace/schemas/manifest"
)

const reportKey = "report.html"

// Report draws the report of a lake into the lake and returns where it lies.
func Report(ctx context.Context, lake string) (string, error) {
	s, err := lakeio.OpenStore(ctx, lake)
	if err != nil {
		return "", &UsageError{err}
	}
	m, err := latest(ctx, s)
	if err != nil {
		return "", err
	}
	return writeReport(ctx, s, lake, m)
}

// latest is the manifest of the run that wrote last.
func latest(ctx context.Context, s lakeio.Store) (m manifest.Manifest, err error) {
	infos, err := s.List(ctx, "_runs/")
	if err != nil {
		return m, err
	}
	found := false
	for _, info := range infos {
		if path.Ext(info.Key) != ".json" {
			continue
		}
		var one manifest.Manifest
		if err := lakeio.ReadJSON(ctx, s, info.Key, &one); err != nil {
			return m, err
		}
		if one.State == manifest.Done && (!found || one.Started.After(m.Started)) {
			m, found = one, true
		}
	}
	if !found {
		return m, usage("%s holds no finished run: it is no lake of millrace, or nothing was written to it yet", s.Name(""))
	}
	return m, nil
}

func writeReport(ctx context.Context, s lakeio.Store, lake string, m manifest.Manifest) (string, error) {
	src, err := reportSource(ctx, s, lake)
	if err != nil {
		return "", fmt.Errorf("drawing the report: %w", err)
	}
	d, err := report.Collect(ctx, src)
	if err != nil {
		return "", fmt.Errorf("drawing the report: %w", err)
	}
	d.Run = &report.Run{Job: m.Job, ID: m.Run, Version: m.Version, Started: m.Started, Seconds: m.Seconds}
	for _, in := range m.Inputs {
		d.Run.Sources = append(d.Run.Sources, path.Base(in.Name))
	}
	if m.Seconds > 0 {
		d.Run.LinesPerSecond = float64(m.Ledger.In) / m.Seconds
	}
	l := m.Ledger
	d.Ledger = &report.Ledger{In: l.In, Events: l.Events, Bad: l.Bad, Late: l.Late, Duplicate: l.Duplicate, Skipped: l.Skipped, Balanced: l.Balanced}
	w, err := s.Create(ctx, reportKey, lakeio.PutOptions{})
	if err != nil {
		return "", err
	}
	defer w.Abort()
	if err := report.Write(w, d); err != nil {
		return "", fmt.Errorf("drawing the report: %w", err)
	}
	if _, err := w.Commit(ctx); err != nil {
		return "", err
	}
	return s.Name(reportKey), nil
}

// reportSource lets the report read a lake, by what its outputs consist of now,
// with the files of live runs.
func reportSource(ctx context.Context, s lakeio.Store, lake string) (report.Source, error) {
	outputs, err := lakeio.LoadOutputs(ctx, s)
	if err != nil {
		return nil, err
	}
	src := storeSource{s, outputs}
	if dir, ok := lakeio.LocalDir(lake); ok {
		return localSource{src, report.Dir(dir)}, nil
	}
	return src, nil
}

type storeSource struct {
	store   lakeio.Store
	outputs map[string]lakeio.Current
}

// localSource opens files of this machine without a detour.
type localSource struct {
	storeSource
	dir report.Source
}

func (src localSource) Open(ctx context.Context, key string) (report.File, error) {
	if !filepath.IsLocal(filepath.FromSlash(key)) {
		return nil, fmt.Errorf("file %q is not inside the lake", key)
	}
	return src.dir.Open(ctx, key)
}

func (src storeSource) Files(_ context.Context, output string) ([]string, error) {
	c := src.outputs[output]
	var keys []string
	for _, day := range slices.Sorted(maps.Keys(c.Days)) {
		for _, f := range c.Days[day].Files {
			keys = append(keys, f.Key)
		}
	}
	return keys, nil
}

func (src storeSource) Open(ctx context.Context, key string) (report.File, error) {
	o, err := lakeio.OpenObject(ctx, src.store, key)
	if err != nil {
		return nil, err
	}
	return o, nil
}
