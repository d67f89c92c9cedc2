// Package jobserver runs Beam's job server for Flink: it takes pipelines from
// the Go SDK and turns them into Flink jobs. It is a program in Java, started
// when it is needed and stopped afterwards; a job runs on without it.
package jobserver

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"time"

	"millrace/runners/flink/dist"
	"millrace/runners/flink/fault"
	"millrace/runners/flink/process"
)

const (
	startTimeout = 2 * time.Minute
	stopGrace    = 10 * time.Second
	poll         = 50 * time.Millisecond
)

// Masters that are no address.
const (
	// Local gives each job a small cluster of its own inside the job server.
	Local = "[local]"
	// Auto leaves the cluster open: for jars that `flink run` submits.
	Auto = "[auto]"
)

// Options describe a job server. Zero means the default.
type Options struct {
	Dist   dist.Distribution // required
	Master string            // required: host:port of a JobManager's REST interface, Local or Auto
	Dir    string            // required: the folder of its log and of staged files, made when missing

	// Port is where it takes pipelines: any free one. Artifacts go to another
	// port that it tells its clients.
	Port    int
	Heap    int      // MiB: 900
	ConfDir string   // Flink's configuration for its jobs; may be empty
	Env     []string // NAME=value; with Local its workers inherit it
	JVM     []string // further flags

	// Group is a group of processes that it joins, to end with a cluster; one of
	// its own when empty.
	Group string
	// DieWithParent ends it when this program ends, in whatever way; for a server
	// that has joined a group, that is up to the group.
	DieWithParent bool
}

// Validate tells all that is wrong with the options.
func (o Options) Validate() error {
	var errs []error
	if o.Dist.JobServer == "" {
		errs = append(errs, errors.New("it needs a Flink distribution"))
	}
	if o.Dir == "" {
		errs = append(errs, errors.New("it needs a folder"))
	}
	if _, _, err := net.SplitHostPort(o.Master); err != nil && o.Master != Local && o.Master != Auto {
		errs = append(errs, fmt.Errorf("master %q is neither host:port nor %s nor %s", o.Master, Local, Auto))
	}
	if o.Port < 0 || o.Port > 65535 {
		errs = append(errs, fmt.Errorf("port %d is not in 0 to 65535", o.Port))
	}
	if o.Heap < 0 {
		errs = append(errs, fmt.Errorf("heap of %d MiB is negative", o.Heap))
	}
	if len(errs) == 0 {
		return nil
	}
	return &fault.Error{Doing: "start", Object: "the job server", Class: fault.ErrInvalid, Cause: errors.Join(errs...)}
}

// Server is a running job server.
type Server struct {
	address string
	log     string
	group   string
	joined  bool // the group has others
	process *process.Process
	guard   *process.Guard
}

// Address is the host:port to submit pipelines to.
func (s *Server) Address() string { return s.address }

// Log is the path of its log file.
func (s *Server) Log() string { return s.log }

// Group is the name that its processes carry; see package process.
func (s *Server) Group() string { return s.group }

// Ended is closed when the server has ended, asked or not.
func (s *Server) Ended() <-chan struct{} { return s.process.Ended() }

// Failure is the error for a server that has ended by itself, with the last
// lines of its log.
func (s *Server) Failure() error {
	return &fault.Error{
		Doing: "use", Object: "the job server at " + s.address, Class: fault.ErrUnavailable,
		Cause: fmt.Errorf("it has ended (%s); its last lines:\n%s", s.process.State(), process.Tail(s.log)),
		Cure:  "the whole log is " + s.log,
	}
}

// Start starts a job server and returns when it takes pipelines.
func Start(ctx context.Context, o Options) (_ *Server, err error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	java, err := exec.LookPath("java")
	if err != nil {
		return nil, &fault.Error{
			Doing: "start", Object: "the job server", Class: fault.ErrNotFound, Cause: errors.New("java is not on the PATH"),
			Cure: "install a JDK, 17 or newer (Debian: apt-get install openjdk-17-jdk-headless)",
		}
	}
	dir, err := filepath.Abs(o.Dir)
	if err != nil {
		return nil, fmt.Errorf("start the job server: %w", err)
	}
	artifacts := filepath.Join(dir, "artifacts")
	if err := os.MkdirAll(artifacts, 0o755); err != nil {
		return nil, fmt.Errorf("start the job server: %w", err)
	}
	s := &Server{log: filepath.Join(dir, "jobserver.log"), group: o.Group, joined: o.Group != ""}
	if !s.joined {
		s.group = process.NewGroup()
	}
	if err := os.RemoveAll(s.log); err != nil { // of an earlier server: its port is told in it
		return nil, fmt.Errorf("start the job server: %w", err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.end(context.WithoutCancel(ctx), 0))
		}
	}()
	if o.DieWithParent && !s.joined {
		if s.guard, err = process.NewGuard(s.group); err != nil {
			return nil, err
		}
	}
	s.process, err = process.Start(process.Command{
		Name: "job server", Args: o.command(java, artifacts), Env: o.Env, Dir: dir, Group: s.group, Out: s.log,
	})
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, startTimeout, fmt.Errorf("it was not up within %v", startTimeout))
	defer cancel()
	if err := s.await(ctx); err != nil {
		return nil, err
	}
	return s, nil
}

func (o Options) command(java, artifacts string) []string {
	heap := o.Heap
	if heap == 0 {
		heap = 900 // it holds its own jar of 160 MB while it sends it to Flink
	}
	line := []string{
		java, o.Dist.Local(), fmt.Sprintf("-Xmx%dm", heap),
		"-Dorg.slf4j.simpleLogger.showDateTime=true", "-Dorg.slf4j.simpleLogger.dateTimeFormat=yyyy-MM-dd'T'HH:mm:ss.SSSX",
	}
	if o.Master == Local {
		line = append(line, "--add-opens=java.base/java.lang=ALL-UNNAMED", "--add-opens=java.base/java.util=ALL-UNNAMED",
			"--add-opens=java.base/java.nio=ALL-UNNAMED", "--add-opens=java.base/java.time=ALL-UNNAMED")
	}
	line = append(line, o.JVM...)
	line = append(line,
		"-jar", o.Dist.JobServer,
		"--job-host=127.0.0.1", "--job-port="+strconv.Itoa(o.Port),
		"--artifact-port=0", "--expansion-port=-1", // Go pipelines expand nothing in Java
		"--artifacts-dir="+artifacts, "--flink-master="+o.Master)
	if o.ConfDir != "" {
		line = append(line, "--flink-conf-dir="+o.ConfDir)
	}
	return line
}

var started = regexp.MustCompile(`JobService started on [^\s:]+:(\d+)`)

// await returns when the server has told its port and answers there.
func (s *Server) await(ctx context.Context) error {
	failed := func(class, cause error) error {
		return &fault.Error{
			Doing: "start", Object: "the job server", Class: class,
			Cause: fmt.Errorf("%w; its last lines:\n%s", cause, process.Tail(s.log)), Cure: "the whole log is " + s.log,
		}
	}
	for {
		if log, err := os.ReadFile(s.log); err == nil {
			if found := started.FindSubmatch(log); found != nil {
				s.address = "127.0.0.1:" + string(found[1])
				if conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", s.address); err == nil {
					return conn.Close()
				}
			}
		}
		select {
		case <-s.process.Ended():
			return failed(fault.ErrEnded, fmt.Errorf("%w (%s)", fault.ErrEnded, s.process.State()))
		case <-ctx.Done():
			return failed(fault.ErrUnavailable, context.Cause(ctx))
		case <-time.After(poll):
		}
	}
}

// Stop ends the server and, with Local, the workers of its jobs. A server that
// is stopped stays so.
func (s *Server) Stop(ctx context.Context) error { return s.end(ctx, stopGrace) }

func (s *Server) end(ctx context.Context, grace time.Duration) error {
	var chosen func(process.Member) bool
	if s.joined {
		chosen = func(m process.Member) bool { return s.process != nil && m.PID == s.process.PID }
	}
	if err := process.End(ctx, s.group, grace, chosen); err != nil {
		return err
	}
	s.guard.End()
	return nil
}
