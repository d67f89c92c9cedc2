package lakeio

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"millrace/internal/columns"
)

// folderStaging is a staging area in a folder. All workers must see it.
type folderStaging string

func (d folderStaging) path(name string) string {
	return filepath.Join(string(d), filepath.FromSlash(name))
}

func (d folderStaging) prepare(context.Context) error {
	for _, sub := range []string{runsFolder, filesFolder, doneFolder} {
		if err := os.MkdirAll(d.path(sub), 0o755); err != nil {
			return fileError("create", d.path(sub), err)
		}
	}
	return nil
}

func (d folderStaging) read(_ context.Context, name string) ([]byte, error) {
	b, err := os.ReadFile(d.path(name))
	return b, fileError("read", d.path(name), err)
}

func (d folderStaging) write(_ context.Context, name string, content []byte) error {
	to := d.path(name)
	err := os.WriteFile(to+".tmp", content, 0o644)
	if err == nil {
		err = os.Rename(to+".tmp", to)
	}
	return fileError("write to", filepath.Dir(to), err)
}

func (d folderStaging) list(_ context.Context, folder string) (names []string, err error) {
	entries, err := os.ReadDir(d.path(folder))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fileError("list", d.path(folder), err)
	}
	for _, e := range entries {
		names = append(names, path.Join(folder, e.Name()))
	}
	return names, nil
}

// remove may meet workers of a run that failed, who still write.
func (d folderStaging) remove(_ context.Context, folder string) (err error) {
	for range 20 {
		if err = os.RemoveAll(d.path(folder)); err == nil || errors.Is(err, syscall.ENOTDIR) {
			err = nil // a file above is for those to tell of who write
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	if err == nil && folder == "" {
		err = d.prune()
	}
	return fileError("clear", d.path(folder), err)
}

// prune removes the folders of staging areas that hold none any more.
func (d folderStaging) prune() error {
	if !slices.Contains(strings.Split(filepath.ToSlash(string(d)), "/"), stagingName) {
		return nil
	}
	for dir := string(d); filepath.Base(dir) != stagingName; {
		dir = filepath.Dir(dir)
		err := os.Remove(dir)
		if errors.Is(err, syscall.ENOTEMPTY) || errors.Is(err, fs.ErrExist) {
			return nil
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

func (d folderStaging) spill(context.Context) runWriter { return folderRuns(d.path(runsFolder)) }

func (d folderStaging) fetch(_ context.Context, runs []Run) (sources []runSource, done func(), err error) {
	return localRuns(runs), func() {}, nil
}

// localRuns are runs that are files of their own.
func localRuns(runs []Run) []runSource {
	sources := make([]runSource, len(runs))
	for i, r := range runs {
		sources[i] = runSource{Run: r, frames: r.open}
	}
	return sources
}

func (d folderStaging) merged(runs []Run) error {
	var errs []error
	for _, r := range runs {
		if err := os.Remove(r.Path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

func (d folderStaging) create(ctx context.Context) (destination, error) {
	return folderFiles(d.path(filesFolder)).create(ctx)
}

func (d folderStaging) discard(ctx context.Context, staged string) {
	folderFiles(d.path(filesFolder)).discard(ctx, staged)
}

func (d folderStaging) holds(_ context.Context, f File) (bool, error) {
	st, err := os.Stat(f.Staged)
	return err == nil && st.Size() == f.Bytes, nil
}

// place moves the file where that is possible.
func (d folderStaging) place(ctx context.Context, lake Store, f File) error {
	if a, ok := lake.(adopter); ok {
		if err := os.Chmod(f.Staged, modeOf(f.Key)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fileError("change the mode of", f.Staged, err)
		}
		if err := a.adopt(f.Staged, f.Key); !errors.Is(err, syscall.EXDEV) {
			return err
		}
	}
	r, err := os.Open(f.Staged)
	if err != nil {
		return fileError("read", f.Staged, err)
	}
	defer r.Close()
	if _, err := lake.Put(ctx, f.Key, r, PutOptions{SHA256: f.SHA256}); err != nil {
		return err
	}
	if err := os.Remove(f.Staged); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fileError("remove", f.Staged, err)
	}
	return nil
}

// folderFiles are finished files in a folder, by their paths.
type folderFiles string

func (d folderFiles) create(context.Context) (destination, error) {
	f, err := os.CreateTemp(string(d), "*.parquet")
	if err != nil {
		return nil, newFileError(string(d), err)
	}
	return stagedFile{f}, nil
}

func (d folderFiles) discard(_ context.Context, staged string) { _ = os.Remove(staged) }

// stagedFile waits in a folder of this machine.
type stagedFile struct{ *os.File }

func (f stagedFile) finish() error { return errors.Join(f.Chmod(0o644), f.Sync(), f.Close()) }

func (f stagedFile) abandon() {
	_ = f.Close()
	_ = os.Remove(f.Name())
}

func (f stagedFile) staged() string { return f.Name() }

func clearFolder(ctx context.Context, dir, keep string) error {
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fileError("clear", dir, err)
	}
	for _, e := range entries {
		area := filepath.Join(dir, e.Name())
		switch {
		case !e.IsDir() || e.Name() == keep:
		case area == filepath.Join(filepath.Dir(dir), stagingDir):
			if err := newFileStore(filepath.Dir(dir)).Sweep(ctx); err != nil {
				return err
			}
		case !sameJob(e.Name(), keep), isLiveArea(area):
		default:
			if err := os.RemoveAll(area); err != nil {
				return fileError("clear", area, err)
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

func (d folderStaging) open(_ context.Context, f File) (columns.File, func() error, error) {
	file, err := os.Open(f.Staged)
	if err != nil {
		return nil, nil, fileError("read", f.Staged, err)
	}
	return sized{file, f.Bytes}, file.Close, nil
}

// sized is a file whose size is known.
type sized struct {
	*os.File
	size int64
}

func (s sized) Size() int64 { return s.size }
