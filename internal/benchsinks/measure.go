package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"time"

	"millrace/internal/machine"
)

// figures are what a client's process says of itself.
type figures struct {
	Wall time.Duration
	CPU  time.Duration // user and system, all threads, collector included
	Heap uint64        // peak beside the rows, when it is looked at
}

// beClient writes as one client, and prints its figures.
func beClient(ctx context.Context, o options) error {
	c, err := findClient(o.write)
	if err != nil {
		return err
	}
	write, err := c.prepare(o.rows)
	if err != nil {
		return err
	}
	var f figures
	if o.heap {
		f.Heap = machine.PeakHeap(func() { err = write(ctx, o.addr) })
	} else {
		cpu, begun := cpuTime(), time.Now()
		err = write(ctx, o.addr)
		f.Wall, f.CPU = time.Since(begun), cpuTime()-cpu+besides
	}
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(f)
}

// besides is what a process of a client's took besides this one.
var besides time.Duration

// cpuTime is what this process has taken.
func cpuTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// run is one run of a client.
type run struct {
	figures
	server time.Duration // CPU of the server meanwhile
}

// measure has a client write into an empty place, and makes sure that all is there.
func (b *bencher) measure(ctx context.Context, c contest, s server, cl client, heap bool) (r run, err error) {
	if err := s.Empty(ctx); err != nil {
		return r, err
	}
	self, err := os.Executable()
	if err != nil {
		return r, err
	}
	cmd := exec.CommandContext(ctx, self, "-write", c.name+"/"+cl.name, "-addr", s.Addr(), "-rows", fmt.Sprint(b.rows), fmt.Sprint("-heap=", heap))
	cmd.WaitDelay = 10 * time.Second
	var said, complaints bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &complaints
	before := machine.UsageOf(s.PID()).CPU
	if err := cmd.Run(); err != nil {
		return r, fmt.Errorf("%s: %w\n%s", cl.name, err, complaints.Bytes())
	}
	r.server = machine.UsageOf(s.PID()).CPU - before
	if err := json.Unmarshal(said.Bytes(), &r.figures); err != nil {
		return r, fmt.Errorf("%s: %w in %s", cl.name, err, said.Bytes())
	}
	n, err := s.Count(ctx)
	if err == nil && n != b.rows {
		err = fmt.Errorf("%s: %d of %d rows are there", cl.name, n, b.rows)
	}
	return r, err
}
