package lakeio

import (
	"bytes"
	"cmp"
	"context"
	"path"
	"slices"
	"sync"

	"github.com/google/uuid"

	"millrace/schemas/table"
)

// runsObject is about how much an object of runs holds, and what a spiller keeps in
// memory for it. It is below the size from which the S3 store sends parts, and
// large beside the time that an answer takes.
const runsObject = 12 << 20

// storeRuns writes runs into objects that hold runs of many parts. The runs of one
// part lie side by side, so that a merge gets them with one read.
type storeRuns struct {
	ctx   context.Context
	store Store
	limit int

	mu   sync.Mutex
	held []heldRun
	size int // bytes in held
}

// heldRun is a run that waits for its object.
type heldRun struct {
	Run
	frames []byte
}

func (w *storeRuns) write(b *table.Batch, parts []partRows, frame int) ([]Run, error) {
	var list []heldRun
	size := 0
	for _, p := range parts {
		var frames bytes.Buffer
		if err := writeFrames(&frames, b, p.rows, frame); err != nil {
			return nil, err
		}
		list = append(list, heldRun{p.run(b), bytes.Clone(frames.Bytes())}) // a buffer has room to grow
		size += frames.Len()
	}
	w.mu.Lock()
	w.held, w.size = append(w.held, list...), w.size+size
	var full []heldRun
	if w.size >= w.limit {
		full = w.take()
	}
	w.mu.Unlock()
	return w.put(full)
}

func (w *storeRuns) take() []heldRun {
	held := w.held
	w.held, w.size = nil, 0
	return held
}

func (w *storeRuns) flush() ([]Run, error) {
	w.mu.Lock()
	held := w.take()
	w.mu.Unlock()
	return w.put(held)
}

// put writes an object.
func (w *storeRuns) put(held []heldRun) ([]Run, error) {
	if len(held) == 0 {
		return nil, nil
	}
	slices.SortStableFunc(held, func(a, b heldRun) int {
		return cmp.Or(cmp.Compare(a.Part.Day, b.Part.Day), cmp.Compare(a.Part.Shard, b.Part.Shard))
	})
	key := path.Join(runsFolder, uuid.NewString())
	to, err := w.store.Create(w.ctx, key, PutOptions{})
	if err != nil {
		return nil, err
	}
	defer to.Abort()
	runs := make([]Run, len(held))
	at := int64(0)
	for i, h := range held {
		if _, err := to.Write(h.frames); err != nil {
			return nil, err
		}
		runs[i] = h.Run
		runs[i].Path, runs[i].Offset, runs[i].Length = key, at, int64(len(h.frames))
		at += runs[i].Length
		held[i].frames = nil // the store has a copy of its own
	}
	if _, err := to.Commit(w.ctx); err != nil {
		return nil, err
	}
	return runs, nil
}

func (w *storeRuns) discard(runs []Run) {
	w.mu.Lock()
	w.take()
	w.mu.Unlock()
	var keys []string
	for _, r := range runs {
		keys = append(keys, r.Path)
	}
	slices.Sort(keys)
	_ = w.store.Delete(w.ctx, slices.Compact(keys)...) // what stays goes with the area
}
