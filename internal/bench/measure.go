package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"syscall"
	"time"
)

// usage is what a process took.
type usage struct {
	wall time.Duration
	cpu  time.Duration // user and system, all threads
	rss  int64         // bytes, at its peak
	out  []byte        // standard output
}

type command struct{ *exec.Cmd }

// command makes a command that ends with ctx. It has a home of its own, so that
// no configuration or key of the user takes part.
func (b *bencher) command(ctx context.Context, name string, args ...string) command {
	c := exec.CommandContext(ctx, name, args...)
	c.Cancel = func() error { return c.Process.Signal(syscall.SIGTERM) }
	c.WaitDelay = 10 * time.Second // then it is killed
	if name != "go" {              // which keeps its caches at home
		home := filepath.Join(b.dir, "home")
		c.Env = append(os.Environ(), "HOME="+home, "XDG_CONFIG_HOME="+filepath.Join(home, ".config"))
	}
	return command{c}
}

// measure runs the command to its end.
func (c command) measure() (u usage, err error) {
	var stdout, stderr bytes.Buffer
	c.Stdout, c.Stderr = &stdout, &stderr
	start := time.Now()
	err = c.Run()
	u.wall, u.out = time.Since(start), stdout.Bytes()
	if err != nil {
		return u, fmt.Errorf("running %s: %w\n%s", filepath.Base(c.Path), err, stderr.Bytes())
	}
	state := c.ProcessState
	u.cpu = state.UserTime() + state.SystemTime()
	if r, ok := state.SysUsage().(*syscall.Rusage); ok {
		if u.rss = int64(r.Maxrss); runtime.GOOS != "darwin" {
			u.rss <<= 10 // Linux counts in KiB
		}
	}
	return u, nil
}

// weblogs runs the job.
func (b *bencher) weblogs(ctx context.Context, log, lake string, more ...string) (usage, error) {
	args := append([]string{"run", "weblogs", "--source", "file://" + log, "--lake", lake, "--raw", "off", "--quiet"}, more...)
	return b.command(ctx, b.binary, args...).measure()
}
