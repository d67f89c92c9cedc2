package testenv

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"runtime"
	"sync"
	"syscall"
	"testing"
	"time"
)

const (
	startTimeout = 60 * time.Second // a Python server on a loaded machine
	stopTimeout  = 20 * time.Second // a busy one that saves what it holds
)

// Server is a process that listens on a loopback address. Tests stop and start
// it to see how a client takes an outage.
type Server struct {
	// Addr is host:port.
	Addr string

	name    string
	command func() *exec.Cmd
	log     logBuffer
	process *os.Process
	ended   chan struct{} // closed when the process has been waited for
}

// newServer starts a server whose command listens on addr, and ends it with
// the test.
func newServer(t testing.TB, name, addr string, command func() *exec.Cmd) *Server {
	t.Helper()
	s := &Server{Addr: addr, name: name, command: command}
	t.Cleanup(s.Stop)
	s.Start(t)
	return s
}

// Start starts the server again after Stop, on the same address with the same
// data, and returns when it accepts connections.
func (s *Server) Start(t testing.TB) {
	t.Helper()
	if err := s.launch(); err != nil {
		t.Fatalf("start %s: %v", s.name, err)
	}
	deadline := time.Now().Add(startTimeout)
	for {
		if conn, err := net.DialTimeout("tcp", s.Addr, time.Second); err == nil {
			conn.Close()
			return
		}
		select {
		case <-s.ended:
			t.Fatalf("start %s: it ended at once; its log:\n%s", s.name, s.Log())
		case <-time.After(10 * time.Millisecond):
		}
		if time.Now().After(deadline) {
			t.Fatalf("start %s: nothing listens on %s after %v; its log:\n%s", s.name, s.Addr, startTimeout, s.Log())
		}
	}
}

// Stop ends the server and waits until it is gone; a stopped server stays so.
func (s *Server) Stop() {
	if s.process == nil {
		return
	}
	// The process may have ended by itself, which is as good.
	_ = s.process.Signal(syscall.SIGTERM)
	select {
	case <-s.ended:
	case <-time.After(stopTimeout):
		_ = s.process.Kill()
		<-s.ended
	}
	s.process = nil
}

// Log is what the server has written so far.
func (s *Server) Log() string { return s.log.String() }

// launch starts the process from a thread that lives as long as it: Linux
// sends the parent-death signal when the starting thread ends.
func (s *Server) launch() error {
	cmd := s.command()
	cmd.Stdout, cmd.Stderr = &s.log, &s.log
	cmd.WaitDelay = stopTimeout
	dieWithParent(cmd)
	started := make(chan error)
	s.ended = make(chan struct{})
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		started <- err
		if err == nil {
			if err := cmd.Wait(); err != nil {
				fmt.Fprintf(&s.log, "%s: %v\n", s.name, err)
			}
		}
		close(s.ended)
	}()
	if err := <-started; err != nil {
		return err
	}
	s.process = cmd.Process
	return nil
}

// logBuffer is written by a process and read by the test.
type logBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *logBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *logBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}
