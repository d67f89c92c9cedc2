package lakeio

import (
	"cmp"
	"context"
	"fmt"
	"path"
	"slices"

	"millrace/schemas/table"
)

// Writing says how a run writes one output into a lake. It travels with the
// pipeline.
type Writing struct {
	Run    string
	Output string
	Schema string // table.Schema.ID
	Shards int    // files of a day that can be written side by side; 1 when zero
	// Staging is the location of the run's staging area, see OpenStaging.
	Staging string
	// Revisions gives the revision of days that the lake holds already; a day
	// not named is new and has revision 0.
	Revisions map[int64]int32
	// Frozen names the days this run must not touch, each with the reason.
	Frozen map[int64]string
}

// String is the part as a key, unique and readable.
func (p Part) String() string { return fmt.Sprintf("%s/%s/%02d", p.Output, DayText(p.Day), p.Shard) }

// OutputWriter writes one output into a run's staging area, on a worker.
type OutputWriter struct {
	Writing
	schema  *table.Schema
	staging *Staging
}

// Open opens the staging area. It touches nothing.
func (w Writing) Open(ctx context.Context) (*OutputWriter, error) {
	schema, ok := table.Lookup(w.Schema)
	if !ok {
		return nil, fmt.Errorf("writing %s: unknown schema %s", w.Output, w.Schema)
	}
	staging, err := OpenStaging(ctx, w.Staging)
	return &OutputWriter{w, schema, staging}, err
}

// Spiller makes the spiller for one bundle, which ends before ctx does.
func (w *OutputWriter) Spiller(ctx context.Context) *Spiller {
	s := newSpiller(w.staging.spill(ctx), w.Output, w.Shards)
	s.frozen = w.Frozen
	return s
}

// Merge turns the runs of one part into finished files and notes them for the
// commit. When an earlier attempt of the same run has done so, it does nothing.
// written is told of rows as they are written.
func (w *OutputWriter) Merge(ctx context.Context, runs []Run, written func(rows int)) error {
	if len(runs) == 0 {
		return nil
	}
	part := runs[0].Part
	note := path.Join(doneFolder, fmt.Sprintf("%s-%s-%02d.json", part.Output, DayText(part.Day), part.Shard))
	now := partNote{Part: part, Revision: w.Revisions[part.Day]}
	for _, r := range runs {
		now.Rows += int64(r.Rows)
	}
	var done partNote
	if err := w.staging.Get(ctx, note, &done); err == nil && w.staging.complete(ctx, done, now.Rows, now.Revision) {
		written(int(now.Rows))
		return w.staging.merged(runs)
	}
	var err error
	if now.Files, err = w.merge(ctx, now, runs, written); err != nil {
		return err
	}
	if err := w.staging.Put(ctx, note, now); err != nil {
		return err
	}
	return w.staging.merged(runs)
}

// merge makes the files.
func (w *OutputWriter) merge(ctx context.Context, part partNote, runs []Run, written func(rows int)) ([]File, error) {
	// The order of runs decides between equal rows only; there are none, but a
	// fixed order costs nothing.
	slices.SortFunc(runs, func(a, b Run) int {
		return cmp.Or(cmp.Compare(a.First, b.First), cmp.Compare(a.Path, b.Path), cmp.Compare(a.Offset, b.Offset))
	})
	sources, done, err := w.staging.fetch(ctx, runs)
	if err != nil {
		return nil, err
	}
	defer done()
	m := &fileMerger{ctx: ctx, cut: lakeCut, schema: w.schema, part: part.Part, revision: part.Revision, to: w.staging, written: written}
	files, err := m.merge(sources)
	for i := range files {
		files[i].Sources = sourcesOf(runs)
	}
	return files, err
}

// partNote records a finished part.
type partNote struct {
	Part     Part   `json:"part"`
	Revision int32  `json:"revision"`
	Rows     int64  `json:"rows"`
	Files    []File `json:"files"`
}

func sourcesOf(runs []Run) []string {
	var list []string
	for _, r := range runs {
		list = append(list, r.Sources...)
	}
	slices.Sort(list)
	return slices.Compact(list)
}
