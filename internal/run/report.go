package run

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"path"
	"path/filepath"
	"slices"

	"millrace/internal/report"
	"millrace/io/driver"
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
	info, err := src.store.Stat(ctx, key)
	if err != nil {
		return nil, err
	}
	return &object{ctx: ctx, store: src.store, info: info, chunks: map[int64][]byte{}}, nil
}

// object reads an object at random, a chunk at a time, and keeps the latest
// chunks: Parquet readers ask for many small pieces near one another.
type object struct {
	ctx    context.Context
	store  lakeio.Store
	info   lakeio.Info
	chunks map[int64][]byte
	order  []int64
}

const (
	chunkBytes = 1 << 20
	maxChunks  = 64
)

func (o *object) Size() int64  { return o.info.Size }
func (o *object) Close() error { return nil }

func (o *object) ReadAt(p []byte, off int64) (n int, err error) {
	if off < 0 {
		return 0, fmt.Errorf("%w: offset %d", driver.ErrInvalid, off)
	}
	for n < len(p) && off < o.info.Size {
		chunk, err := o.chunk(off / chunkBytes)
		if err != nil {
			return n, err
		}
		k := copy(p[n:], chunk[off%chunkBytes:])
		n, off = n+k, off+int64(k)
	}
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

func (o *object) chunk(i int64) ([]byte, error) {
	if c, ok := o.chunks[i]; ok {
		return c, nil
	}
	from := i * chunkBytes
	r, err := o.store.GetRange(o.ctx, o.info.Key, from, min(chunkBytes, o.info.Size-from), o.info.Version)
	if err != nil {
		return nil, err
	}
	c, err := io.ReadAll(r)
	if err := errors.Join(err, r.Close()); err != nil {
		return nil, fmt.Errorf("reading %s: %w", o.store.Name(o.info.Key), err)
	}
	if len(o.order) == maxChunks {
		delete(o.chunks, o.order[0])
		o.order = o.order[1:]
	}
	o.chunks[i] = c
	o.order = append(o.order, i)
	return c, nil
}
