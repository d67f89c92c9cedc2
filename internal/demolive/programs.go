package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"millrace/runners/flink/process"
)

// grace is how long a program has to end when the demo is interrupted.
const grace = 20 * time.Second

// program is a run of millrace.
type program struct {
	*exec.Cmd
	log   string
	ended chan struct{} // closed when the program has ended
	err   error         // it ended with; once it has
}

// start starts millrace. Its messages go to a log and to said, line by line; what
// it prints goes to out. Ctrl-C is not for it: the demo ends its programs itself.
func (d *demo) start(ctx context.Context, name string, out io.Writer, said func(string), args ...string) (*program, error) {
	c := exec.CommandContext(ctx, d.millrace, args...) //nolint:gosec // the program the user names
	c.Cancel = func() error { return c.Process.Signal(syscall.SIGTERM) }
	c.WaitDelay = grace // then it is killed
	c.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	c.Env = os.Environ()
	if cluster := d.servers.cluster; cluster != nil {
		c.Env = append(c.Env, process.Variable+"="+cluster.Group(), "TMPDIR="+filepath.Join(cluster.Dir(), "tmp"))
	}
	p := &program{Cmd: c, log: d.path("logs", name+".log"), ended: make(chan struct{})}
	log, err := os.Create(p.log)
	if err != nil {
		return nil, err
	}
	c.Stdout, c.Stderr = out, io.MultiWriter(log, &lines{each: said})
	if err := c.Start(); err != nil {
		_ = log.Close()
		return nil, fmt.Errorf("starting millrace %s: %w", args[0], err)
	}
	go func() {
		defer close(p.ended)
		err := c.Wait()
		_ = log.Close()
		if err != nil {
			p.err = fmt.Errorf("millrace %s ended with %w; its last lines:\n%s", strings.Join(args[:2], " "), err, process.Tail(p.log))
		}
	}()
	return p, nil
}

// quit ends the program and waits until it is gone.
func (p *program) quit() {
	_ = p.Process.Signal(syscall.SIGTERM) // it may have ended by itself
	select {
	case <-p.ended:
	case <-time.After(grace):
		_ = p.Process.Kill()
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

// silent is for programs whose messages the log is enough for.
func silent(string) {}
