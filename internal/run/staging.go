package run

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"millrace/io/lakeio"
)

// staging is where a run's unfinished files lie: in the lake's own folder when
// it is on a file system (so that they can be moved into place), else in the
// user's cache folder.
func staging(lake, run string) string {
	if dir, ok := lakeio.LocalDir(lake); ok {
		return lakeio.StagingDir(dir, run)
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		cache = os.TempDir()
	}
	name := strings.Map(func(r rune) rune {
		if r == '/' || r == ':' || r == '?' {
			return '_'
		}
		return r
	}, lake)
	return filepath.Join(cache, "millrace", "staging", name, run)
}

// clearStaging throws away what other runs left and prepares this one's area.
func (p *Plan) clearStaging(ctx context.Context) error {
	if err := lakeio.ClearStaging(ctx, filepath.Dir(p.staging), filepath.Base(p.staging)); err != nil {
		return err
	}
	return lakeio.PrepareStaging(p.staging)
}

// clearAfter removes what a run that ended in err leaves in its staging area: all
// of it, but after a cancellation the days that are finished, which the same run
// need not write again.
func (p *Plan) clearAfter(err error) {
	if errors.Is(err, context.Canceled) && p.finishedDays() {
		removeAll(filepath.Join(p.staging, "runs"))
		return
	}
	removeAll(p.staging)
	_ = p.removeEmpty() // the error to tell of is the run's
}

func (p *Plan) finishedDays() bool {
	notes, err := filepath.Glob(filepath.Join(p.staging, "done", "*.json"))
	return err == nil && len(notes) > 0
}

// removeAll removes a folder although the workers of a run that failed may still
// be writing into it.
func removeAll(dir string) {
	for range 20 {
		if os.RemoveAll(dir) == nil {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// removeEmpty removes the folder of all staging areas when nothing is left in it.
func (p *Plan) removeEmpty() error {
	err := os.Remove(filepath.Dir(p.staging))
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTEMPTY) {
		return nil
	}
	return err
}

// folders are folders that did not exist before a run, the innermost first.
type folders []string

// newFolders lists the folders that writing to a lake would make.
func newFolders(lake string) (list folders) {
	dir, ok := lakeio.LocalDir(lake)
	if !ok {
		return nil
	}
	for dir = filepath.Join(dir, "_lease"); ; {
		if _, err := os.Lstat(dir); !errors.Is(err, fs.ErrNotExist) {
			return list
		}
		list = append(list, dir)
		dir = filepath.Dir(dir)
	}
}

// removeEmpty removes those that nothing was put into.
func (f folders) removeEmpty() {
	for _, dir := range f {
		_ = os.Remove(dir) // refused when it is not empty, as it should be
	}
}
