package lakeio

import (
	"context"
	"io"
	"sync/atomic"
)

// windows reads a file from an offset to its planned end through ranges opened
// as they are needed: the first as large as the reader thinks it will need, the
// others small. So a reader that stops early has asked for little too much, and
// a connection to S3 is not thrown away with half of an object in it.
type windows struct {
	ctx   context.Context
	tree  tree
	file  logFile
	at    int64 // where the next window begins
	next  int64 // its size
	body  io.ReadCloser
	taken atomic.Int64 // bytes read, for progress
}

const laterWindow = 1 << 20

func newWindows(ctx context.Context, t tree, f logFile, at, first int64) *windows {
	return &windows{ctx: ctx, tree: t, file: f, at: at, next: max(first, 1)}
}

// open opens the next window. Called before the first Read it shows errors early.
func (w *windows) open() error {
	n := min(w.next, w.file.size-w.at)
	body, err := w.tree.open(w.ctx, w.file.name, w.file.version, w.at, n)
	if err != nil {
		return err
	}
	w.body, w.next = body, laterWindow
	w.at += n
	return nil
}

func (w *windows) Read(p []byte) (int, error) {
	for {
		if w.body == nil {
			if w.at >= w.file.size {
				return 0, io.EOF
			}
			if err := w.open(); err != nil {
				return 0, err
			}
		}
		n, err := w.body.Read(p)
		w.taken.Add(int64(n))
		if err == io.EOF {
			w.body.Close()
			w.body, err = nil, nil
		}
		if n > 0 || err != nil || len(p) == 0 {
			return n, err
		}
	}
}

func (w *windows) Close() error {
	if w.body == nil {
		return nil
	}
	body := w.body
	w.body, w.at = nil, w.file.size
	return body.Close()
}
