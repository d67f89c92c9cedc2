package process

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
)

// Command is a process to start.
type Command struct {
	Name  string   // for errors: "JobManager"
	Args  []string // the program and its arguments
	Env   []string // NAME=value, over this program's own environment
	Dir   string   // its working directory
	Group string
	Out   string // the file its output is added to
}

// Process is a child of this program. It outlives the program unless a Guard
// watches its group.
type Process struct {
	PID   int
	ended chan struct{}
	state *os.ProcessState
}

// Start starts a process in a session of its own: no terminal that closes and
// no Ctrl-C meant for this program ends it.
func Start(c Command) (_ *Process, err error) {
	if err := os.MkdirAll(filepath.Dir(c.Out), 0o755); err != nil {
		return nil, fmt.Errorf("start %s: %w", c.Name, err)
	}
	output, err := os.OpenFile(c.Out, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", c.Name, err)
	}
	defer func() { err = errors.Join(err, output.Close()) }()
	cmd := exec.Command(c.Args[0], c.Args[1:]...) //nolint:gosec // the caller's program
	cmd.Dir = c.Dir
	cmd.Env = append(append(os.Environ(), c.Env...), Variable+"="+c.Group)
	cmd.Stdout, cmd.Stderr = output, output
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", c.Name, err)
	}
	p := &Process{PID: cmd.Process.Pid, ended: make(chan struct{})}
	go func() {
		_ = cmd.Wait() // the state tells how it ended
		p.state = cmd.ProcessState
		close(p.ended)
	}()
	return p, nil
}

// Ended is closed when the process has ended.
func (p *Process) Ended() <-chan struct{} { return p.ended }

// State tells how an ended process has ended: "exit status 1".
func (p *Process) State() string {
	<-p.ended
	return p.state.String()
}

// Tail is the last lines of a log file, 4 KiB at most, for an error message;
// empty when there is none.
func Tail(name string) string {
	file, err := os.Open(name)
	if err != nil {
		return ""
	}
	defer file.Close()
	const limit = 4096
	cut := false
	if info, err := file.Stat(); err == nil && info.Size() > limit {
		_, err := file.Seek(-limit, io.SeekEnd)
		cut = err == nil
	}
	content, err := io.ReadAll(io.LimitReader(file, limit))
	if err != nil {
		return ""
	}
	if i := bytes.IndexByte(content, '\n'); cut && i >= 0 {
		content = content[i+1:] // a line that begins in the middle
	}
	return string(bytes.TrimSpace(content))
}
