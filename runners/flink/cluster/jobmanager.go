package cluster

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"

	"millrace/runners/flink/fault"
	"millrace/runners/flink/process"
)

// entryPoint is the class by which a JobManager is known.
const entryPoint = "org.apache.flink.runtime.entrypoint.StandaloneSessionClusterEntrypoint"

func isJobManager(m process.Member) bool { return slices.Contains(m.Args, entryPoint) }

// KillJobManager kills the JobManager without warning and returns when it is gone.
// Its jobs are lost with it, but for their checkpoints; TaskManagers stay, and look
// for it.
func (c *Cluster) KillJobManager(ctx context.Context) error {
	return process.End(ctx, c.group, 0, isJobManager)
}

// StartJobManager starts the JobManager again after it has died, at the addresses
// it had, and returns when it answers. Of earlier jobs it knows nothing.
func (c *Cluster) StartJobManager(ctx context.Context) error {
	java, err := findJava()
	if err != nil {
		return err
	}
	release, err := lock(c.dir)
	if err != nil {
		return err
	}
	defer release()
	s, err := load(c.dir)
	if err != nil {
		return err
	}
	members, err := process.Members(c.group)
	if err != nil {
		return err
	}
	if slices.ContainsFunc(members, isJobManager) {
		return &fault.Error{
			Doing: "start", Object: "the JobManager of " + c.dir, Class: fault.ErrBusy,
			Cause: errors.New("it runs"), Cure: "kill it first",
		}
	}
	manager, err := s.Options.startJobManager(java, s.Group)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, startTimeout, fmt.Errorf("it did not answer within %v", startTimeout))
	defer cancel()
	return c.await(ctx, s.Options, "jobmanager", manager.Ended(), func() (bool, error) {
		_, err := c.client.Overview(ctx)
		return err == nil, nil // it answers 503 until its dispatcher runs
	})
}

func (o Options) startJobManager(java, group string) (*process.Process, error) {
	return process.Start(process.Command{
		Name: "JobManager", Args: o.jobManager(java), Dir: o.Dir, Group: group, Out: o.outFile("jobmanager"),
		Env: []string{"TMPDIR=" + filepath.Join(o.Dir, "tmp")},
	})
}
