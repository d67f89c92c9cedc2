package cluster

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"time"

	"millrace/runners/flink/fault"
	"millrace/runners/flink/process"
	"millrace/runners/flink/rest"
)

const (
	startTimeout = 3 * time.Minute // JVMs on a machine that is busy with compilers
	stopGrace    = 10 * time.Second
	poll         = 50 * time.Millisecond
)

// Cluster is a running one. Its methods may be called from several programs,
// which take turns.
type Cluster struct {
	dir    string
	group  string
	rest   string // host:port
	client *rest.Client
	guard  *process.Guard // of a cluster that dies with this program, else nil
}

// Dir is the folder of the cluster.
func (c *Cluster) Dir() string { return c.dir }

// ConfDir is the folder of its Flink configuration.
func (c *Cluster) ConfDir() string { return filepath.Join(c.dir, "conf") }

// Group is the name that its processes carry; see package process.
func (c *Cluster) Group() string { return c.group }

// Master is the host:port that a job server takes as --flink-master.
func (c *Cluster) Master() string { return c.rest }

// REST is the URL of the JobManager's REST interface and user interface.
func (c *Cluster) REST() string { return c.client.Address() }

// Client speaks to the JobManager.
func (c *Cluster) Client() *rest.Client { return c.client }

// Up starts a cluster and returns when all its TaskManagers are registered.
// When that goes wrong it leaves no process.
func Up(ctx context.Context, o Options) (*Cluster, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	dir, err := filepath.Abs(o.Dir)
	if err != nil {
		return nil, fmt.Errorf("start a Flink cluster in %s: %w", o.Dir, err)
	}
	o.Dir = dir
	o = o.withDefaults()
	java, err := findJava()
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("start a Flink cluster: %w", err)
	}
	release, err := lock(dir)
	if err != nil {
		return nil, err
	}
	defer release()
	if err := vacate(dir); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, startTimeout, fmt.Errorf("it was not up within %v", startTimeout))
	defer cancel()
	c, err := up(ctx, o, java)
	if err != nil {
		return nil, err
	}
	return c, nil
}

func up(ctx context.Context, o Options, java string) (_ *Cluster, err error) {
	s := state{Version: stateVersion, Group: process.NewGroup(), Options: o}
	c := &Cluster{dir: o.Dir, group: s.Group}
	defer func() {
		if err != nil {
			err = errors.Join(err, c.end(context.WithoutCancel(ctx), 0))
		}
	}()
	if o.DieWithParent {
		if c.guard, err = process.NewGuard(s.Group, o.remains()...); err != nil {
			return nil, err
		}
	}
	if err := s.save(); err != nil { // before there is a process that Down would have to find
		return nil, err
	}
	if err := o.writeConfig(ports{rest: o.RestPort}); err != nil {
		return nil, err
	}
	manager, err := o.startJobManager(java, s.Group)
	if err != nil {
		return nil, err
	}
	if err := c.awaitJobManager(ctx, o, manager); err != nil {
		return nil, err
	}
	s.Rest = c.rest
	if err := c.tellPorts(ctx, o); err != nil {
		return nil, err
	}
	for range o.TaskManagers {
		if err := c.launch(&s, java); err != nil {
			return nil, err
		}
	}
	if err := s.save(); err != nil {
		return nil, err
	}
	for n := 1; n <= s.Last; n++ {
		if err := c.awaitTaskManager(ctx, o, taskManagerName(n)); err != nil {
			return nil, err
		}
	}
	return c, nil
}

// vacate makes the folder ready for a new cluster, unless one lives there.
func vacate(dir string) error {
	s, err := load(dir)
	if errors.Is(err, fault.ErrInvalid) {
		return err
	}
	if err == nil {
		members, err := process.Members(s.Group)
		if err != nil {
			return err
		}
		if len(members) > 0 {
			return &fault.Error{
				Doing: "start", Object: "a Flink cluster in " + dir, Class: fault.ErrBusy,
				Cause: fmt.Errorf("one is there already, at http://%s", s.Rest),
				Cure:  "use it, end it with `millrace cluster down`, or take another folder",
			}
		}
	}
	// The last cluster's logs stay until the next but one.
	if err := os.RemoveAll(filepath.Join(dir, "logs.old")); err != nil {
		return fmt.Errorf("start a Flink cluster: %w", err)
	}
	if err := os.Rename(filepath.Join(dir, "logs"), filepath.Join(dir, "logs.old")); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("start a Flink cluster: %w", err)
	}
	for _, name := range []string{"conf", "logs", "tmp", "checkpoints", "savepoints"} {
		if err := os.MkdirAll(filepath.Join(dir, name), 0o755); err != nil {
			return fmt.Errorf("start a Flink cluster: %w", err)
		}
	}
	return nil
}

func (o Options) writeConfig(p ports) error {
	for name, content := range map[string][]byte{"config.yaml": render(o.settings(p)), "log4j.properties": []byte(logging)} {
		if err := os.WriteFile(filepath.Join(o.Dir, "conf", name), content, 0o600); err != nil {
			return fmt.Errorf("write the configuration of the cluster: %w", err)
		}
	}
	return nil
}

// The JobManager chooses its ports itself, so none is lost between choosing and
// using it, and tells the one of its REST interface in the log.
var listening = regexp.MustCompile(`Web frontend listening at http://[^:\s]+:(\d+)\.`)

func (c *Cluster) awaitJobManager(ctx context.Context, o Options, manager *process.Process) error {
	return c.await(ctx, o, "jobmanager", manager.Ended(), func() (bool, error) {
		log, err := os.ReadFile(o.logFile("jobmanager"))
		if err != nil {
			return false, nil // not written yet
		}
		found := listening.FindSubmatch(log)
		if found == nil {
			return false, nil
		}
		if c.client == nil {
			c.rest = "127.0.0.1:" + string(found[1])
			if c.client, err = rest.New(c.rest); err != nil {
				return false, err
			}
		}
		_, err = c.client.Overview(ctx)
		return err == nil, nil // it answers 503 until its dispatcher runs
	})
}

// tellPorts writes the configuration anew with the ports that the JobManager
// has chosen, for TaskManagers and job servers.
func (c *Cluster) tellPorts(ctx context.Context, o Options) error {
	config, err := c.client.Config(ctx)
	if err != nil {
		return err
	}
	rpc, err := strconv.Atoi(config["jobmanager.rpc.port"])
	if err != nil {
		return fmt.Errorf("start a Flink cluster: the JobManager's port for TaskManagers: %w", err)
	}
	_, port, err := net.SplitHostPort(c.rest)
	if err != nil {
		return fmt.Errorf("start a Flink cluster: %w", err)
	}
	restPort, err := strconv.Atoi(port)
	if err != nil {
		return fmt.Errorf("start a Flink cluster: the JobManager's port for clients: %w", err)
	}
	return o.writeConfig(ports{rest: restPort, rpc: rpc})
}

// await polls until ready, or until the process that is to become so has ended.
func (c *Cluster) await(ctx context.Context, o Options, name string, ended <-chan struct{}, ready func() (bool, error)) error {
	failed := func(class, cause error) error {
		return &fault.Error{
			Doing: "start", Object: "Flink's " + name, Class: class,
			Cause: fmt.Errorf("%w; its last lines:\n%s\n%s", cause, process.Tail(o.outFile(name)), process.Tail(o.logFile(name))),
			Cure:  "the whole log is " + o.logFile(name),
		}
	}
	for {
		ok, err := ready()
		if err != nil {
			return err
		}
		if ok {
			return nil
		}
		select {
		case <-ended:
			return failed(fault.ErrEnded, fault.ErrEnded)
		case <-ctx.Done():
			return failed(fault.ErrUnavailable, context.Cause(ctx))
		case <-time.After(poll):
		}
	}
}

// Open finds the cluster that was started in dir, perhaps by another program.
func Open(dir string) (*Cluster, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("open the Flink cluster in %s: %w", dir, err)
	}
	s, err := load(dir)
	if err != nil {
		return nil, err
	}
	c := &Cluster{dir: dir, group: s.Group, rest: s.Rest}
	if s.Rest == "" { // Up has not come far; Down can end it
		return c, nil
	}
	if c.client, err = rest.New(s.Rest); err != nil {
		return nil, err
	}
	return c, nil
}

// Down ends the cluster and everything its processes have started. Jobs that
// run are ended without a savepoint. A cluster that is down stays so.
func (c *Cluster) Down(ctx context.Context) error {
	if _, err := os.Stat(c.dir); errors.Is(err, os.ErrNotExist) {
		return nil // it was temporary
	}
	release, err := lock(c.dir)
	if err != nil {
		return err
	}
	defer release()
	return c.end(ctx, stopGrace)
}

func (c *Cluster) end(ctx context.Context, grace time.Duration) error {
	if err := process.End(ctx, c.group, grace, nil); err != nil {
		return err
	}
	c.guard.End()
	s, err := load(c.dir)
	if errors.Is(err, fault.ErrNotFound) || err == nil && s.Group != c.group {
		return nil // it is down, and a new one may be in its folder
	}
	if err != nil {
		return err
	}
	var errs []error
	for _, name := range s.Options.remains() {
		errs = append(errs, os.RemoveAll(name))
	}
	return errors.Join(errs...)
}

// remains are the files and folders that go with the cluster.
func (o Options) remains() []string {
	if o.Temporary {
		return []string{o.Dir}
	}
	return []string{filepath.Join(o.Dir, "tmp"), stateFile(o.Dir)}
}
