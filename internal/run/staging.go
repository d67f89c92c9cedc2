package run

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"millrace/io/driver"
	"millrace/io/lakeio"
)

// staging is a run's staging area, and the folder of such areas that it lies in.
type staging struct {
	folder string
	*lakeio.Staging
}

// openStaging decides where a run's unfinished files lie. It touches nothing.
func (p *Plan) openStaging(ctx context.Context) (err error) {
	place, steps, err := p.stagingPlace(ctx)
	if err == nil {
		p.staging, err = stagingIn(ctx, place, p.Run, steps...)
	}
	if err != nil {
		return &UsageError{p.stagingError(err)}
	}
	p.spill = p.staging
	if _, local := lakeio.LocalDir(place); !local {
		p.spill, err = stagingIn(ctx, cacheFolder(p.Lake), p.Run)
	}
	return err
}

// stagingPlace is the place that the user named; else the lake itself, when it is
// in a folder, so that files can be moved into place, or when workers run on other
// machines; else the user's cache folder, as a disk is faster than S3. Steps tell
// areas of this lake from those of others there.
func (p *Plan) stagingPlace(ctx context.Context) (place string, steps []string, err error) {
	place = p.req.Staging
	if place == "" {
		if _, local := lakeio.LocalDir(p.Lake); local || p.onFlink() {
			return p.Lake, nil, nil
		}
		return cacheFolder(p.Lake), nil, nil
	}
	store, err := lakeio.OpenStore(ctx, place)
	if err != nil {
		return "", nil, err
	}
	// Runs of two lakes can have one name.
	if lake := root(p.store); root(store) != lake {
		sum := sha256.Sum256([]byte(lake))
		steps = []string{hex.EncodeToString(sum[:6])}
	}
	return absolute(place), steps, nil
}

func root(s lakeio.Store) string { return strings.TrimRight(absolute(s.Name("")), "/") }

func stagingIn(ctx context.Context, place, run string, steps ...string) (s staging, err error) {
	if s.folder, err = lakeio.StagingIn(place, steps...); err != nil {
		return s, err
	}
	area, err := lakeio.StagingIn(place, append(steps, run)...)
	if err != nil {
		return s, err
	}
	s.Staging, err = lakeio.OpenStaging(ctx, area)
	return s, err
}

// cacheFolder is a place on this machine for a lake that lies elsewhere.
func cacheFolder(lake string) string {
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
	return filepath.Join(cache, "millrace", "staging", name)
}

// stagingError says which of the places that a run was given is at fault. The error
// names it, without what has no place in a message.
func (p *Plan) stagingError(err error) error {
	if err == nil || p.req.Staging == "" {
		return err
	}
	return fmt.Errorf("%s: %w", p.req.at("staging"), err)
}

// areas are those that the run writes to: workers on Flink spill nothing here.
func (p *Plan) areas() []staging {
	if p.onFlink() || p.spill == p.staging {
		return []staging{p.staging}
	}
	return []staging{p.staging, p.spill}
}

// clearStaging throws away what other runs left and prepares this one's areas.
func (p *Plan) clearStaging(ctx context.Context) error {
	for _, area := range p.areas() {
		err := lakeio.ClearStaging(ctx, area.folder, p.Run)
		if err == nil {
			err = area.Prepare(ctx)
		}
		if err != nil {
			return p.stagingError(err)
		}
	}
	return nil
}

// removeStaging removes the run's areas.
func (p *Plan) removeStaging(ctx context.Context) error {
	var errs []error
	for _, area := range p.areas() {
		errs = append(errs, area.Remove(ctx))
	}
	return errors.Join(errs...)
}

// tidying bounds how long a run that failed clears up: what is left is for the next.
const tidying = 30 * time.Second

// clearAfter removes what a run that ended in err leaves in its staging areas: all
// of it, but after a cancellation the days that are finished, which the same run
// need not write again. When the lake is another's by now, so may be the areas: the
// same run, begun elsewhere, has the same ones.
func (p *Plan) clearAfter(ctx context.Context, err error) {
	if errors.Is(err, driver.ErrLeaseLost) {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), tidying)
	defer cancel()
	if !errors.Is(err, context.Canceled) || !p.staging.HasFinished(ctx) {
		_ = p.removeStaging(ctx) // the error to tell of is the run's
		return
	}
	for _, area := range p.areas() {
		_ = area.RemoveRuns(ctx)
	}
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
