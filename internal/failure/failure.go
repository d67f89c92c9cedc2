// Package failure keeps the first error of a run in this process. Runners pass
// errors on as text, wrapped in words of their own; this one keeps its class and
// says what its user can do.
package failure

import (
	"sync"
	"sync/atomic"
)

type run struct {
	first atomic.Pointer[error]
	noted chan struct{} // closed with the first
}

var runs sync.Map // run -> *run

func of(name string) *run {
	r, _ := runs.LoadOrStore(name, &run{noted: make(chan struct{})})
	return r.(*run)
}

// Note remembers the first error of a run, and returns err; nil is none.
func Note(name string, err error) error {
	if r := of(name); err != nil && r.first.CompareAndSwap(nil, &err) {
		close(r.noted)
	}
	return err
}

// Of is the first error of a run, nil when there was none.
func Of(name string) error {
	if err := of(name).first.Load(); err != nil {
		return *err
	}
	return nil
}

// Noted is closed when the run has failed.
func Noted(name string) <-chan struct{} { return of(name).noted }
