package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"testing"
)

// host is what the servers of tests start in, where there is no test: they end with it.
type host struct {
	testing.TB // nil; has a method that nobody else can have

	ctx     context.Context
	cancel  context.CancelFunc
	log     io.Writer
	cleanup []func()
	err     error
}

// hosted starts servers. An error of theirs ends those that had started.
func hosted(ctx context.Context, log io.Writer, start func(t testing.TB)) (*host, error) {
	h := &host{log: log}
	h.ctx, h.cancel = context.WithCancel(ctx)
	done := make(chan struct{})
	go func() { // which Fatal ends
		defer close(done)
		start(h)
	}()
	<-done
	if h.err != nil {
		h.Quit()
		return nil, h.err
	}
	return h, nil
}

// Quit ends what has started, the last first.
func (h *host) Quit() {
	h.cancel()
	for _, end := range slices.Backward(h.cleanup) {
		end()
	}
	h.cleanup = nil
}

func (h *host) Helper()                  {}
func (h *host) Context() context.Context { return h.ctx }
func (h *host) Output() io.Writer        { return h.log }
func (h *host) Cleanup(f func())         { h.cleanup = append(h.cleanup, f) }
func (h *host) Name() string             { return "benchsinks" }
func (h *host) Log(a ...any)             { fmt.Fprintln(h.log, a...) }
func (h *host) Logf(f string, a ...any)  { fmt.Fprintf(h.log, f+"\n", a...) }
func (h *host) Error(a ...any)           { h.err = errors.Join(h.err, errors.New(fmt.Sprint(a...))) }

func (h *host) Errorf(f string, a ...any) {
	h.err = errors.Join(h.err, fmt.Errorf(f, a...))
}

func (h *host) Fatal(a ...any) {
	h.Error(a...)
	runtime.Goexit()
}

func (h *host) Fatalf(f string, a ...any) {
	h.Errorf(f, a...)
	runtime.Goexit()
}

// Setenv sets a variable of this process and of those that it starts.
func (h *host) Setenv(name, value string) {
	if err := os.Setenv(name, value); err != nil {
		h.Fatal(err)
	}
}

func (h *host) TempDir() string {
	dir, err := os.MkdirTemp("", "millrace-benchsinks-")
	if err != nil {
		h.Fatal(err)
	}
	h.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			h.Log(err)
		}
	})
	return dir
}
