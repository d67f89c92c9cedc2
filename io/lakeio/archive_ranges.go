package lakeio

import (
	"context"
	"io"
	"sync"
)

// ranges reads a file at any place, as it was planned. What keep has read is not
// read again. It remembers the first error, as readers above may lose it.
type ranges struct {
	ctx  context.Context
	tree tree
	file logFile

	kept []keptRange

	mu    sync.Mutex
	first error
	taken int64 // bytes read, for progress
}

type keptRange struct {
	off  int64
	data []byte
}

// keep reads up to n bytes at an offset and holds them.
func (r *ranges) keep(off, n int64) ([]byte, error) {
	data := make([]byte, min(n, r.file.size-off))
	if _, err := r.ReadAt(data, off); err != nil {
		return nil, err
	}
	r.kept = append(r.kept, keptRange{off, data})
	return data, nil
}

// ReadAt implements io.ReaderAt.
func (r *ranges) ReadAt(p []byte, off int64) (int, error) {
	if off < 0 || off >= r.file.size {
		return 0, io.EOF
	}
	short := int64(len(p)) > r.file.size-off
	p = p[:min(int64(len(p)), r.file.size-off)]
	n, err := r.readAt(p, off)
	if err == nil && short {
		err = io.EOF
	}
	return n, err
}

func (r *ranges) readAt(p []byte, off int64) (int, error) {
	for _, k := range r.kept {
		if off >= k.off && off+int64(len(p)) <= k.off+int64(len(k.data)) {
			return copy(p, k.data[off-k.off:]), nil
		}
	}
	if len(p) == 0 {
		return 0, nil
	}
	body, err := r.tree.open(r.ctx, r.file.name, r.file.version, off, int64(len(p)))
	n := 0
	if err == nil {
		n, err = io.ReadFull(body, p)
		_ = body.Close()
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.taken += int64(n)
	if err != nil && r.first == nil {
		r.first = err
	}
	return n, err
}

func (r *ranges) fault() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.first
}

func (r *ranges) progress() int64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.taken
}
