package lakeio

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"millrace/internal/columns"
	"millrace/io/driver"
	"millrace/schemas/table"
)

// stagingName is the folder below a place where files wait for their commit. Like
// every folder that begins with _ it is no data.
const stagingName = "_staging"

// Parts of a staging area.
const (
	runsFolder  = "runs"  // sorted runs
	filesFolder = "files" // finished files
	doneFolder  = "done"  // a note of each part whose files are finished
)

// Staging is a run's staging area: its rows wait there for the commit, first in
// sorted runs, then in finished files. It lies in a folder or, where workers on
// any machine reach it, in an object store.
type Staging struct {
	location string
	stagingArea
}

// stagingArea is a kind of staging area. Names are relative to it and have slashes.
type stagingArea interface {
	// prepare makes sure that the area can be written to.
	prepare(ctx context.Context) error
	// read gives a small object; without one it is driver.ErrNotFound.
	read(ctx context.Context, name string) ([]byte, error)
	// write puts a small object, whole or not at all.
	write(ctx context.Context, name string, content []byte) error
	// list names the objects in a folder of the area.
	list(ctx context.Context, folder string) ([]string, error)
	// remove removes what is below a folder of the area, or all of it ("").
	remove(ctx context.Context, folder string) error

	// spill gives a writer of sorted runs.
	spill(ctx context.Context) runWriter
	// fetch makes runs of one part readable, until done is called.
	fetch(ctx context.Context, runs []Run) (sources []runSource, done func(), err error)
	// merged is told of runs that nobody needs any more.
	merged(runs []Run) error

	stagedFiles
	// holds tells whether a finished file is there.
	holds(ctx context.Context, f File) (bool, error)
	// open opens a finished file, until the function that it gives is called.
	open(ctx context.Context, f File) (columns.File, func() error, error)
	// place puts a finished file into a lake. It can be repeated.
	place(ctx context.Context, lake Store, f File) error
}

// StagingIn is the location of a staging area, or of a folder of such areas, in a
// place: below a name that no reader of the place looks at. The steps of it are
// names without slashes.
func StagingIn(location string, steps ...string) (string, error) {
	p, err := parsePlace(location)
	if err != nil {
		return "", err
	}
	below := path.Join(append([]string{stagingName}, steps...)...)
	if !p.onS3() {
		return filepath.Join(p.path, filepath.FromSlash(below)), nil
	}
	place, parameters, given := strings.Cut(location, "?")
	location = strings.TrimRight(place, "/") + "/" + below
	if given {
		location += "?" + parameters
	}
	return location, nil
}

// OpenStaging opens a staging area: a folder, or a place that OpenStore takes. It
// touches nothing.
func OpenStaging(ctx context.Context, location string) (*Staging, error) {
	if dir, ok := LocalDir(location); ok {
		return &Staging{location, folderStaging(dir)}, nil
	}
	s, err := OpenStore(ctx, location)
	if err != nil {
		return nil, err
	}
	return &Staging{location, storeStaging{s}}, nil
}

// Location is what OpenStaging takes.
func (s *Staging) Location() string { return s.location }

// Prepare makes the area ready for an attempt of the run. Sorted runs of an earlier
// attempt are thrown away; its finished parts are kept.
func (s *Staging) Prepare(ctx context.Context) error {
	if err := s.remove(ctx, runsFolder); err != nil {
		return err
	}
	return s.prepare(ctx)
}

// Remove removes the area.
func (s *Staging) Remove(ctx context.Context) error { return s.remove(ctx, "") }

// RemoveRuns removes all but finished parts.
func (s *Staging) RemoveRuns(ctx context.Context) error { return s.remove(ctx, runsFolder) }

// HasFinished tells whether there are finished parts.
func (s *Staging) HasFinished(ctx context.Context) bool {
	names, err := s.notes(ctx)
	return err == nil && len(names) > 0
}

// Put writes a note of the run, as JSON.
func (s *Staging) Put(ctx context.Context, name string, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return s.write(ctx, name, b)
}

// Get reads a note of the run.
func (s *Staging) Get(ctx context.Context, name string, into any) error {
	b, err := s.read(ctx, name)
	if err != nil {
		return err
	}
	return json.Unmarshal(b, into)
}

// ReadFile reads the rows of a finished file, see ReadRows.
func (s *Staging) ReadFile(ctx context.Context, f File, schema *table.Schema, each func(*table.Batch) error) error {
	in, done, err := s.open(ctx, f)
	if err != nil {
		return err
	}
	return errors.Join(ReadRows(ctx, in, schema, each), done())
}

// Files lists the finished files, ordered by output, day and shard.
func (s *Staging) Files(ctx context.Context) ([]File, error) {
	names, err := s.notes(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading what was finished: %w", err)
	}
	notes := make([]partNote, len(names))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(fetches)
	for i, name := range names {
		g.Go(func() error { return s.Get(ctx, name, &notes[i]) })
	}
	if err := g.Wait(); err != nil {
		return nil, fmt.Errorf("reading what was finished: %w", err)
	}
	var files []File
	for _, n := range notes {
		files = append(files, n.Files...)
	}
	slices.SortFunc(files, func(a, b File) int {
		return cmp.Or(cmp.Compare(a.Part.Output, b.Part.Output), cmp.Compare(a.Part.Day, b.Part.Day), cmp.Compare(a.Part.Shard, b.Part.Shard), cmp.Compare(a.Key, b.Key))
	})
	return files, nil
}

// notes names those of finished parts.
func (s *Staging) notes(ctx context.Context) (names []string, err error) {
	all, err := s.list(ctx, doneFolder)
	for _, name := range all {
		if path.Ext(name) == ".json" { // others were being written
			names = append(names, name)
		}
	}
	return names, err
}

// complete tells whether a note stands for as many rows of the same revision and
// its files are still there.
func (s *Staging) complete(ctx context.Context, n partNote, rows int64, revision int32) bool {
	if n.Rows != rows || n.Revision != revision {
		return false
	}
	for _, f := range n.Files {
		if there, err := s.holds(ctx, f); err != nil || !there {
			return false
		}
	}
	return true
}

// ClearStaging removes from a folder of staging areas what other runs of the job
// have left whose run keep is. Live runs, whose rows wait there, and writes under way
// are spared.
func ClearStaging(ctx context.Context, location, keep string) error {
	dir, local := LocalDir(location)
	if local {
		return clearFolder(ctx, dir, keep)
	}
	s, err := OpenStore(ctx, location)
	if err != nil {
		return err
	}
	return clearStore(ctx, s, keep)
}

// sameJob tells whether runs, or the areas called by them, are of one job. A job has
// one run at a time on a lake; those of others may be under way.
func sameJob(one, other string) bool {
	job := func(run string) string { return run[:strings.LastIndexByte(run, '-')+1] }
	return job(one) == job(other)
}

func clearStore(ctx context.Context, s Store, keep string) error {
	infos, err := s.List(ctx, "")
	if err != nil {
		return err
	}
	spared := map[string]bool{keep: true}
	for _, info := range infos {
		if run, rest, _ := strings.Cut(info.Key, "/"); strings.HasPrefix(rest, segmentsName+"/") || strings.HasPrefix(rest, closedName+"/") {
			spared[run] = true
		}
	}
	var gone []string
	for _, info := range infos {
		if run, _, _ := strings.Cut(info.Key, "/"); !spared[run] && sameJob(run, keep) {
			gone = append(gone, info.Key)
		}
	}
	if err := s.Delete(ctx, gone...); err != nil {
		return err
	}
	// Uploads that dead workers have left cost money and harm nobody: whoever may not
	// list them can run all the same.
	if err := s.Sweep(ctx); err != nil && !errors.Is(err, driver.ErrPermission) {
		return err
	}
	return nil
}
