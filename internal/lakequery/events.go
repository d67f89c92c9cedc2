// Package lakequery asks the events that a lake holds what the job asks lines: how far
// visitors get in funnels, and what their sessions are. Funnels that were thought of
// later need no logs then, and no second run. Only the columns that are needed are
// read, row groups on all cores; rows, fragments and what follows from them are those
// of the job (packages funnels and sessions).
package lakequery

import (
	"context"
	"fmt"
	"maps"
	"runtime"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"

	"millrace/io/lakeio"
	"millrace/schemas/table"
	"millrace/schemas/weblog"
)

// Events are those of some days of a lake.
type Events struct {
	store lakeio.Store
	files []string
	cores int
}

// Options say which events are asked.
type Options struct {
	From, To string // days, YYYY-MM-DD, both included; empty: no bound
	Cores    int    // all of the process when zero
}

// Open finds the events of a lake. Nothing may write the lake meanwhile.
func Open(ctx context.Context, store lakeio.Store, opt Options) (*Events, error) {
	current, err := lakeio.LoadCurrent(ctx, store, "events")
	if err != nil {
		return nil, err
	}
	e := &Events{store: store, cores: opt.Cores}
	if e.cores == 0 {
		e.cores = runtime.GOMAXPROCS(0)
	}
	for _, day := range slices.Sorted(maps.Keys(current.Days)) {
		if opt.From != "" && day < opt.From || opt.To != "" && day > opt.To {
			continue
		}
		for _, f := range current.Days[day].Files {
			e.files = append(e.files, f.Key)
		}
	}
	return e, nil
}

// Files is the number of files the events lie in.
func (e *Events) Files() int { return len(e.files) }

// piece is a row group of a file.
type piece struct {
	number int
	file   string
	group  int
}

// scan reads columns of all row groups, each core into a batch of its own, and hands
// each to the user of that core; use is made once for each core.
func (e *Events) scan(ctx context.Context, wanted []int, use func() (func(int, *table.Batch) error, error)) error {
	g, ctx := errgroup.WithContext(ctx)
	pieces := make(chan piece)
	g.Go(func() error { return e.pieces(ctx, wanted, pieces) })
	for range e.cores {
		g.Go(func() error {
			take, err := use()
			if err != nil {
				return err
			}
			r := reader{events: e, wanted: wanted, batch: table.NewBatch(weblog.Events)}
			for p := range pieces {
				if err := r.read(ctx, p, take); err != nil {
					return fmt.Errorf("reading %s: %w", e.store.Name(p.file), err)
				}
			}
			return nil
		})
	}
	return g.Wait()
}

// pieces lists the row groups.
func (e *Events) pieces(ctx context.Context, wanted []int, to chan<- piece) error {
	defer close(to)
	number := 0
	for _, name := range e.files {
		f, err := e.open(ctx, name, wanted)
		if err != nil {
			return fmt.Errorf("reading %s: %w", e.store.Name(name), err)
		}
		for group := range f.Groups() {
			select {
			case to <- piece{number, name, group}:
				number++
			case <-ctx.Done():
				return context.Cause(ctx)
			}
		}
	}
	return nil
}

func (e *Events) open(ctx context.Context, name string, wanted []int) (*lakeio.ColumnFile, error) {
	file, err := lakeio.OpenObject(ctx, e.store, name)
	if err != nil {
		return nil, err
	}
	return lakeio.OpenColumns(file, weblog.Events, wanted)
}

// reader is what a core reads with.
type reader struct {
	events *Events
	wanted []int
	batch  *table.Batch
	name   string
	file   *lakeio.ColumnFile
}

func (r *reader) read(ctx context.Context, p piece, take func(int, *table.Batch) error) (err error) {
	if r.name != p.file {
		if r.file, err = r.events.open(ctx, p.file, r.wanted); err != nil {
			return err
		}
		r.name = p.file
	}
	r.batch.Reset()
	if err := r.file.ReadGroup(ctx, p.group, r.batch); err != nil {
		return err
	}
	return take(p.number, r.batch)
}

// shards divide visitors: those of one are put together at one place.
const shards = 64

// collected are encoded fragments by shard, and by the pieces they are of.
type collected struct {
	mu    sync.Mutex
	blobs [shards][]numbered
}

type numbered struct {
	piece int
	blob  []byte
}

func (c *collected) add(piece, shard int, blob []byte) {
	c.mu.Lock()
	c.blobs[shard] = append(c.blobs[shard], numbered{piece, blob})
	c.mu.Unlock()
}

// of gives the fragments of a shard in the order of the pieces, so that what is in
// order in the lake need not be sorted again.
func (c *collected) of(shard int) (blobs [][]byte) {
	slices.SortStableFunc(c.blobs[shard], func(a, b numbered) int { return a.piece - b.piece })
	for _, n := range c.blobs[shard] {
		blobs = append(blobs, n.blob)
	}
	return blobs
}

// each gives the fragments of all shards, to one user a core.
func (c *collected) each(ctx context.Context, cores int, use func() (func(blobs [][]byte) error, error)) error {
	g, ctx := errgroup.WithContext(ctx)
	next := make(chan int)
	g.Go(func() error {
		defer close(next)
		for shard := range shards {
			select {
			case next <- shard:
			case <-ctx.Done():
				return context.Cause(ctx)
			}
		}
		return nil
	})
	for range cores {
		g.Go(func() error {
			take, err := use()
			if err != nil {
				return err
			}
			for shard := range next {
				if err := take(c.of(shard)); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return g.Wait()
}
