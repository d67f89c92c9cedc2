package lakeio

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
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
	// Staging is the run's folder for spilled runs and finished files.
	Staging string
	// Revisions gives the revision of days that the lake holds already; a day
	// not named is new and has revision 0.
	Revisions map[int64]int32
	// Frozen names the days this run must not touch, each with the reason.
	Frozen map[int64]string
}

// String is the part as a key, unique and readable.
func (p Part) String() string { return fmt.Sprintf("%s/%s/%02d", p.Output, DayText(p.Day), p.Shard) }

// Spiller makes the spiller for one bundle.
func (w Writing) Spiller() (*Spiller, error) {
	s := NewSpiller(filepath.Join(w.Staging, "runs"), w.Output, w.Shards)
	s.frozen = w.Frozen
	return s, nil
}

// Merge turns the runs of one part into finished files and notes them for the
// commit. When an earlier attempt of the same run has done so, it does nothing.
// written is told of rows as they are written.
func (w Writing) Merge(ctx context.Context, runs []Run, written func(rows int)) error {
	if len(runs) == 0 {
		return nil
	}
	schema, ok := table.Lookup(w.Schema)
	if !ok {
		return fmt.Errorf("writing %s: unknown schema %s", w.Output, w.Schema)
	}
	part := runs[0].Part
	note := filepath.Join(w.Staging, "done", fmt.Sprintf("%s-%s-%02d.json", part.Output, DayText(part.Day), part.Shard))
	var rows int64
	for _, r := range runs {
		rows += int64(r.Rows)
	}
	if done, err := readNote(note); err == nil && done.complete(rows, w.Revisions[part.Day]) {
		written(int(rows))
		return removeRuns(runs)
	}
	// The order of runs decides between equal rows only; there are none, but a
	// fixed order costs nothing.
	slices.SortFunc(runs, func(a, b Run) int {
		return cmp.Or(cmp.Compare(a.First, b.First), cmp.Compare(a.Path, b.Path))
	})
	files, err := MergeRuns(ctx, schema, part, w.Revisions[part.Day], runs, filepath.Join(w.Staging, "files"), written)
	if err != nil {
		return err
	}
	for i := range files {
		files[i].Sources = sourcesOf(runs)
	}
	if err := writeNote(note, partNote{Part: part, Revision: w.Revisions[part.Day], Rows: rows, Files: files}); err != nil {
		return err
	}
	return removeRuns(runs)
}

// partNote records a finished part.
type partNote struct {
	Part     Part   `json:"part"`
	Revision int32  `json:"revision"`
	Rows     int64  `json:"rows"`
	Files    []File `json:"files"`
}

// complete tells whether the note stands for as many rows of the same revision
// and its files are still there, as long as they were.
func (n partNote) complete(rows int64, revision int32) bool {
	if n.Rows != rows || n.Revision != revision {
		return false
	}
	for _, f := range n.Files {
		if st, err := os.Stat(f.Staged); err != nil || st.Size() != f.Bytes {
			return false
		}
	}
	return true
}

func readNote(path string) (n partNote, err error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return n, err
	}
	return n, json.Unmarshal(b, &n)
}

func writeNote(path string, n partNote) error {
	b, err := json.Marshal(n)
	if err != nil {
		return err
	}
	err = os.WriteFile(path+".tmp", b, 0o644)
	if err == nil {
		err = os.Rename(path+".tmp", path)
	}
	return fileError("write to", filepath.Dir(path), err)
}

func sourcesOf(runs []Run) []string {
	var list []string
	for _, r := range runs {
		list = append(list, r.Sources...)
	}
	slices.Sort(list)
	return slices.Compact(list)
}

func removeRuns(runs []Run) error {
	var errs []error
	for _, r := range runs {
		if err := os.Remove(r.Path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// PrepareStaging makes the folders of a run's staging area. Spilled runs of an
// earlier attempt are thrown away; its finished parts are kept.
func PrepareStaging(dir string) error {
	if err := os.RemoveAll(filepath.Join(dir, "runs")); err != nil {
		return fileError("clear", dir, err)
	}
	for _, sub := range []string{"runs", "files", "done"} {
		if err := os.MkdirAll(filepath.Join(dir, sub), 0o755); err != nil {
			return fileError("create", filepath.Join(dir, sub), err)
		}
	}
	return nil
}

// ClearStaging removes from a folder of staging areas on this machine what runs
// other than keep have left. Live runs, whose rows wait there, and writes under way
// are spared.
func ClearStaging(ctx context.Context, dir, keep string) error {
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("clearing the staging area: %w", err)
	}
	for _, e := range entries {
		area := filepath.Join(dir, e.Name())
		switch {
		case !e.IsDir() || e.Name() == keep:
		case area == filepath.Join(filepath.Dir(dir), stagingDir):
			if err := newFileStore(filepath.Dir(dir)).Sweep(ctx); err != nil {
				return fmt.Errorf("clearing the staging area: %w", err)
			}
		case isLiveArea(area):
		default:
			if err := os.RemoveAll(area); err != nil {
				return fmt.Errorf("clearing the staging area: %w", err)
			}
		}
	}
	return nil
}

// isLiveArea tells whether a staging area is a live run's.
func isLiveArea(dir string) bool {
	for _, sub := range []string{segmentsName, closedName} {
		if st, err := os.Stat(filepath.Join(dir, sub)); err == nil && st.IsDir() {
			return true
		}
	}
	return false
}

// StagedFiles lists the finished files of a run, ordered by output, day and
// shard.
func StagedFiles(dir string) ([]File, error) {
	done := filepath.Join(dir, "done")
	entries, err := os.ReadDir(done)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("reading what was finished: %w", err)
	}
	var files []File
	for _, e := range entries {
		if filepath.Ext(e.Name()) != ".json" {
			continue // a note that was being written
		}
		n, err := readNote(filepath.Join(done, e.Name()))
		if err != nil {
			return nil, fmt.Errorf("reading what was finished: %w", err)
		}
		files = append(files, n.Files...)
	}
	slices.SortFunc(files, func(a, b File) int {
		return cmp.Or(cmp.Compare(a.Part.Output, b.Part.Output), cmp.Compare(a.Part.Day, b.Part.Day), cmp.Compare(a.Part.Shard, b.Part.Shard), cmp.Compare(a.Key, b.Key))
	})
	return files, nil
}
