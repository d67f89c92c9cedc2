package lakeio

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"

	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"

	"millrace/internal/columns"
	"millrace/io/driver"
)

// storeStaging is a staging area in an object store. Sorted runs are many and most
// are small, so objects hold those of many batches, for many parts; they stay until
// the area goes.
type storeStaging struct{ store Store }

// begunName is an object that shows at once whether an area can be written to.
const begunName = "begun"

func (a storeStaging) prepare(ctx context.Context) error {
	return a.write(ctx, begunName, nil)
}

func (a storeStaging) read(ctx context.Context, name string) ([]byte, error) {
	b, _, err := ReadAll(ctx, a.store, name, maxJSON)
	return b, err
}

func (a storeStaging) write(ctx context.Context, name string, content []byte) error {
	_, err := a.store.Put(ctx, name, strings.NewReader(string(content)), PutOptions{})
	return err
}

func (a storeStaging) list(ctx context.Context, folder string) ([]string, error) {
	infos, err := a.store.List(ctx, folder+"/")
	return keysOf(infos), err
}

func (a storeStaging) remove(ctx context.Context, folder string) error {
	if folder != "" {
		folder += "/"
	}
	infos, err := a.store.List(ctx, folder)
	if err != nil {
		return err
	}
	return a.store.Delete(ctx, keysOf(infos)...)
}

func (a storeStaging) spill(ctx context.Context) runWriter {
	return &storeRuns{ctx: ctx, store: a.store, limit: runsObject}
}

// fetch copies runs to this machine: a merge reads them in any order, and all at
// once if need be. Those of one part lie side by side in their objects.
func (a storeStaging) fetch(ctx context.Context, runs []Run) (sources []runSource, done func(), err error) {
	copied, err := newScratch()
	if err != nil {
		return nil, nil, err
	}
	defer func() {
		if err != nil {
			_ = copied.Close()
		}
	}()
	spans := map[string]*span{}
	for _, r := range runs {
		sp := spans[r.Path]
		if sp == nil {
			sp = &span{from: r.Offset, to: r.Offset}
			spans[r.Path] = sp
		}
		sp.from, sp.to = min(sp.from, r.Offset), max(sp.to, r.Offset+r.Length)
	}
	g, fetching := errgroup.WithContext(ctx)
	g.SetLimit(fetches)
	at := int64(0)
	for object, sp := range spans {
		sp.at = at
		at += sp.to - sp.from
		g.Go(func() error { return copied.copy(fetching, a.store, object, sp.from, sp.to-sp.from, sp.at) })
	}
	if err := g.Wait(); err != nil {
		return nil, nil, fmt.Errorf("fetching spilled rows: %w", err)
	}
	for _, r := range runs {
		sp := spans[r.Path]
		section := io.NewSectionReader(copied.f, sp.at+r.Offset-sp.from, r.Length)
		sources = append(sources, runSource{
			Run:    r,
			frames: func() (io.ReadCloser, int64, error) { return io.NopCloser(section), section.Size(), nil },
		})
	}
	return sources, func() { _ = copied.Close() }, nil
}

// span is a range of an object, and where it was copied to.
type span struct{ from, to, at int64 }

func (a storeStaging) merged([]Run) error { return nil }

func (a storeStaging) create(ctx context.Context) (destination, error) {
	key := path.Join(filesFolder, uuid.NewString()+".parquet")
	w, err := a.store.Create(ctx, key, PutOptions{})
	return stagedObject{w, ctx, key}, err
}

func (a storeStaging) discard(ctx context.Context, staged string) {
	_ = a.store.Delete(ctx, staged) // what stays goes with the area
}

func (a storeStaging) holds(ctx context.Context, f File) (bool, error) {
	info, err := a.store.Stat(ctx, f.Staged)
	if errors.Is(err, driver.ErrNotFound) {
		return false, nil
	}
	return err == nil && info.Size == f.Bytes, err
}

// copier is a Store that can copy an object of another by itself.
type copier interface {
	// copyFrom does so, or tells that the object has to pass through here.
	copyFrom(ctx context.Context, from Store, object, key string) (done bool, err error)
}

func (a storeStaging) place(ctx context.Context, lake Store, f File) error {
	if c, ok := lake.(copier); ok {
		if done, err := c.copyFrom(ctx, a.store, f.Staged, f.Key); done || err != nil {
			return err
		}
	}
	r, _, err := a.store.Get(ctx, f.Staged)
	if err != nil {
		return err
	}
	defer r.Close()
	_, err = lake.Put(ctx, f.Key, r, PutOptions{SHA256: f.SHA256})
	return err
}

// stagedObject waits in a store, by its key.
type stagedObject struct {
	Writer
	ctx context.Context
	key string
}

func (o stagedObject) finish() error {
	_, err := o.Commit(o.ctx)
	return err
}

func (o stagedObject) abandon()       { o.Abort() }
func (o stagedObject) staged() string { return o.key }

func (a storeStaging) open(ctx context.Context, f File) (columns.File, func() error, error) {
	o, err := OpenObject(ctx, a.store, f.Staged)
	if err != nil {
		return nil, nil, err
	}
	return o, o.Close, nil
}
