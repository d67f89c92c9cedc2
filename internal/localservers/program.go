package localservers

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"syscall"
	"time"

	"millrace/runners/flink/process"
)

// grace is how long a program has to end when it is told to.
const grace = 20 * time.Second

// Program is one that has been started.
type Program struct {
	Stdout bytes.Buffer // what it has printed, to be read once it has ended

	process *os.Process
	ended   chan struct{}
	err     error
}

// Start starts the program args[0]. Its messages go to the log NAME.log and, line
// by line, to said, unless that is nil. When ctx ends it is told to end. Ctrl-C is
// not for it: who has started it ends it.
func (p Place) Start(ctx context.Context, name string, said func(line string), args ...string) (*Program, error) {
	c := exec.CommandContext(ctx, args[0], args[1:]...) //nolint:gosec // the caller's program
	c.Cancel = func() error { return c.Process.Signal(syscall.SIGTERM) }
	c.WaitDelay = grace // then it is killed
	c.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	c.Env = os.Environ()
	if p.Group != "" {
		c.Env = append(c.Env, process.Variable+"="+p.Group)
	}
	if p.Temp != "" {
		c.Env = append(c.Env, "TMPDIR="+p.Temp)
	}
	log, err := os.Create(p.log(name))
	if err != nil {
		return nil, err
	}
	program := &Program{ended: make(chan struct{})}
	c.Stdout, c.Stderr = &program.Stdout, log
	if said != nil {
		c.Stderr = io.MultiWriter(log, &lines{each: said})
	}
	if err := c.Start(); err != nil {
		_ = log.Close()
		return nil, fmt.Errorf("starting %s: %w", name, err)
	}
	program.process = c.Process
	go func() {
		defer close(program.ended)
		err := c.Wait()
		_ = log.Close()
		if cause := context.Cause(ctx); cause != nil {
			program.err = cause
		} else if err != nil {
			program.err = fmt.Errorf("%s ended with %w; its last lines:\n%s", name, err, process.Tail(log.Name()))
		}
	}()
	return program, nil
}

// Ended is closed when the program has ended.
func (p *Program) Ended() <-chan struct{} { return p.ended }

// Wait waits for the end. The error tells how it ended and its last messages, or
// why its context ended.
func (p *Program) Wait() error {
	<-p.ended
	return p.err
}

// Quit ends the program and returns when it is gone.
func (p *Program) Quit() {
	_ = p.process.Signal(syscall.SIGTERM) // it may have ended by itself
	select {
	case <-p.ended:
	case <-time.After(grace):
		_ = p.process.Kill()
		<-p.ended
	}
}

// lines hands on what is written to it by the line.
type lines struct {
	each func(string)
	rest []byte
}

func (l *lines) Write(p []byte) (int, error) {
	l.rest = append(l.rest, p...)
	for {
		line, rest, whole := bytes.Cut(l.rest, []byte("\n"))
		if !whole {
			return len(p), nil
		}
		l.each(string(line))
		l.rest = rest
	}
}
