package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"millrace/runners/flink/process"
)

// grace is how long a program has to end when the benchmark is interrupted.
const grace = 20 * time.Second

// program is a running program.
type program struct {
	stdout bytes.Buffer
	ended  chan error
}

// start starts a program that ends with ctx. Its messages go to a log.
func (b *bencher) start(ctx context.Context, name string, args ...string) (*program, error) {
	c := exec.CommandContext(ctx, args[0], args[1:]...) //nolint:gosec // the program that is measured
	c.Cancel = func() error { return c.Process.Signal(syscall.SIGTERM) }
	c.WaitDelay = grace // then it is killed
	c.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	c.Env = append(os.Environ(), process.Variable+"="+b.servers.cluster.Group())
	log, err := os.Create(b.path("logs", name+".log"))
	if err != nil {
		return nil, err
	}
	p := &program{ended: make(chan error, 1)}
	c.Stdout, c.Stderr = &p.stdout, log
	if err := c.Start(); err != nil {
		_ = log.Close()
		return nil, fmt.Errorf("starting %s: %w", name, err)
	}
	go func() {
		err := c.Wait()
		_ = log.Close()
		if cause := context.Cause(ctx); cause != nil {
			err = cause
		} else if err != nil {
			err = fmt.Errorf("%s ended with %w; its last lines:\n%s", name, err, process.Tail(log.Name()))
		}
		p.ended <- err
	}()
	return p, nil
}

// job starts the weblogs job on the cluster, into a fresh lake. parameters are
// those of the stream.
func (b *bencher) job(ctx context.Context, stream, parameters string, more ...string) (*program, error) {
	if err := os.RemoveAll(b.path("lake")); err != nil {
		return nil, err
	}
	args := []string{
		b.millrace, "run", "weblogs", "--source", "kinesis://" + stream + "?start=trim_horizon&" + parameters,
		"--lake", b.path("lake"), "--mask-key", b.key, "--runner", "flink", "--parallelism", fmt.Sprint(parallelism),
		"--flink-master", b.servers.cluster.Master(), "--flink-home", b.servers.flink.Dir, "--progress", "none", "--no-report",
	}
	b.step("millrace run: %s %s", parameters, strings.Join(more, " "))
	return b.start(ctx, "run", append(args, more...)...)
}

// farm starts the simulated server farm: lines in the order of their times, which
// run with the clock.
func (b *bencher) farm(ctx context.Context, stream string, rate int, length time.Duration) (*program, error) {
	return b.start(ctx, "generate", b.millrace, "generate", "weblog", "--to", "kinesis://"+stream,
		"--rate", fmt.Sprintf("%d/s", rate), "--for", length.String(), "--disorder", "-1s")
}
