package enrich

import (
	"errors"
	"sync/atomic"
)

// Holder holds the table in use, for all goroutines of a worker. The zero value
// holds none. A newer table replaces the older one at once and as a whole; who
// has got one goes on with it until it asks again, so get it once per block.
type Holder[T Table] struct {
	state atomic.Pointer[held[T]]
}

type held[T Table] struct {
	table T
	ok    bool
	etag  string
	err   error // of the last attempt to load, nil after a success
}

// ErrNoTable tells that nothing has been loaded.
var ErrNoTable = errors.New("reference data has not been loaded")

// Get returns the table in use, or why there is none.
func (h *Holder[T]) Get() (table T, err error) {
	s := h.state.Load()
	switch {
	case s == nil:
		return table, ErrNoTable
	case !s.ok:
		return table, s.err
	}
	return s.table, nil
}

// Refresh gives load the ETag of the table in use ("" for none) and takes what it
// returns. An unchanged source keeps the table; one that cannot be loaded keeps it
// too, and Err says why: old data is better than none, and its version tells.
func (h *Holder[T]) Refresh(load func(etag string) (table T, newETag string, unchanged bool, err error)) error {
	old := h.state.Load()
	if old == nil {
		old = &held[T]{}
	}
	table, etag, unchanged, err := load(old.etag)
	next := *old
	next.err = err
	if err == nil && !unchanged {
		next = held[T]{table: table, ok: true, etag: etag}
	}
	h.state.Store(&next)
	return err
}

// Err is why the last Refresh failed; nil when it did not.
func (h *Holder[T]) Err() error {
	if s := h.state.Load(); s != nil {
		return s.err
	}
	return nil
}
