package lakeio

import (
	"context"
	"errors"
	"fmt"
	"io"

	"millrace/io/driver"
)

// Object reads an object of a store at random, a chunk at a time, and keeps the latest
// chunks: Parquet readers ask for many small pieces near one another.
type Object struct {
	ctx    context.Context
	store  Store
	info   Info
	chunks map[int64][]byte
	order  []int64
}

const (
	chunkBytes = 1 << 20
	maxChunks  = 64
)

// OpenObject opens an object as it is now; a change while it is read is an error.
func OpenObject(ctx context.Context, s Store, key string) (*Object, error) {
	info, err := s.Stat(ctx, key)
	if err != nil {
		return nil, err
	}
	return &Object{ctx: ctx, store: s, info: info, chunks: map[int64][]byte{}}, nil
}

// Size is its size in bytes.
func (o *Object) Size() int64 { return o.info.Size }

// Close ends the reading; there is nothing to end.
func (o *Object) Close() error { return nil }

// ReadAt implements io.ReaderAt.
func (o *Object) ReadAt(p []byte, off int64) (n int, err error) {
	if off < 0 {
		return 0, fmt.Errorf("%w: offset %d", driver.ErrInvalid, off)
	}
	for n < len(p) && off < o.info.Size {
		chunk, err := o.chunk(off / chunkBytes)
		if err != nil {
			return n, err
		}
		k := copy(p[n:], chunk[off%chunkBytes:])
		n, off = n+k, off+int64(k)
	}
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

func (o *Object) chunk(i int64) ([]byte, error) {
	if c, ok := o.chunks[i]; ok {
		return c, nil
	}
	from := i * chunkBytes
	r, err := o.store.GetRange(o.ctx, o.info.Key, from, min(chunkBytes, o.info.Size-from), o.info.Version)
	if err != nil {
		return nil, err
	}
	c := make([]byte, min(chunkBytes, o.info.Size-from))
	_, err = io.ReadFull(r, c)
	if err := errors.Join(err, r.Close()); err != nil {
		return nil, fmt.Errorf("reading %s: %w", o.store.Name(o.info.Key), err)
	}
	if len(o.order) == maxChunks {
		delete(o.chunks, o.order[0])
		o.order = o.order[1:]
	}
	o.chunks[i] = c
	o.order = append(o.order, i)
	return c, nil
}
