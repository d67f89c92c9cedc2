package localservers

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"sync"
	"time"
)

// OpenSearch is a running node, of loopback alone.
type OpenSearch struct {
	Addr string // host:port of HTTP
	PID  int

	stdin io.Closer
	ended chan struct{}
	err   error // how it ended
}

const openSearchTimeout = 5 * time.Minute

var openSearchReady = regexp.MustCompile(`(?m)^READY (\S+)$`)

// StartOpenSearch runs the program that package install has put into a folder, with a
// heap of so many MiB and more options of the JVM, and returns when it serves. It keeps
// its data in another folder, which it removes when it ends: with Quit, or with this
// process, in whatever way that ends.
func StartOpenSearch(program, data string, heap int, log io.Writer, options ...string) (*OpenSearch, error) {
	classes := filepath.Join(program, "classes") + string(filepath.ListSeparator) + filepath.Join(program, "lib", "*")
	args := append([]string{"-Xms256m", fmt.Sprintf("-Xmx%dm", heap), "-XX:+UseSerialGC", "-Djava.net.preferIPv4Stack=true"}, options...)
	cmd := exec.Command("java", append(args, "-cp", classes, "Node", data)...) //nolint:gosec // installed by this checkout
	// Its end of the pipe closes with this process, and the node ends with it.
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("starting OpenSearch: %w", err)
	}
	watched := &readyLine{to: log, found: make(chan string, 1)}
	cmd.Dir, cmd.Stdout, cmd.Stderr = data, watched, watched
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("starting OpenSearch: %w", err)
	}
	n := &OpenSearch{PID: cmd.Process.Pid, stdin: stdin, ended: make(chan struct{})}
	go func() {
		n.err = cmd.Wait()
		close(n.ended)
	}()
	select {
	case n.Addr = <-watched.found:
		return n, nil
	case <-n.ended:
		return nil, fmt.Errorf("starting OpenSearch: it ended (%w)", errors.Join(n.err, os.RemoveAll(data)))
	case <-time.After(openSearchTimeout):
		return nil, fmt.Errorf("starting OpenSearch: it does not serve after %v (%w)", openSearchTimeout, cmd.Process.Kill())
	}
}

// Quit ends the node and returns when it is gone.
func (n *OpenSearch) Quit() {
	_ = n.stdin.Close()
	select {
	case <-n.ended:
	case <-time.After(grace):
		if p, err := os.FindProcess(n.PID); err == nil {
			_ = p.Kill()
		}
		<-n.ended
	}
}

// readyLine hands on what a node says, and where it serves once it says so.
type readyLine struct {
	mu    sync.Mutex
	to    io.Writer
	text  []byte // until it is found
	told  bool
	found chan string
}

func (r *readyLine) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.told {
		r.text = append(r.text, p...)
		if at := openSearchReady.FindSubmatch(r.text); at != nil {
			r.told, r.text = true, nil
			r.found <- string(at[1])
		}
	}
	return r.to.Write(p)
}
