package cluster

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"millrace/runners/flink/fault"
	"millrace/runners/flink/process"
)

// nameVariable tells, in the environment of a TaskManager and of the workers it
// starts, which TaskManager it is.
const nameVariable = "MILLRACE_TASKMANAGER"

// TaskManager is a living one.
type TaskManager struct {
	Name    string // tm-1; also its id in Flink's REST answers and its log's name
	PID     int
	Workers []int // processes it has started: Beam's boot and our worker
}

func taskManagerName(n int) string { return fmt.Sprintf("tm-%d", n) }

// TaskManagers lists the living ones by name.
func (c *Cluster) TaskManagers() ([]TaskManager, error) {
	alive, _, err := c.look()
	return alive, err
}

// look tells the living TaskManagers and the workers whose TaskManager is dead.
func (c *Cluster) look() (alive []TaskManager, orphans []int, err error) {
	members, err := process.Members(c.group)
	if err != nil {
		return nil, nil, err
	}
	workers := map[string][]int{}
	for _, m := range members {
		name := m.Getenv(nameVariable)
		switch {
		case name == "": // the JobManager
		case isTaskManager(m):
			alive = append(alive, TaskManager{Name: name, PID: m.PID})
		default:
			workers[name] = append(workers[name], m.PID)
		}
	}
	slices.SortFunc(alive, func(a, b TaskManager) int { return strings.Compare(a.Name, b.Name) })
	for i := range alive {
		alive[i].Workers = workers[alive[i].Name]
		delete(workers, alive[i].Name)
	}
	for _, pids := range workers {
		orphans = append(orphans, pids...)
	}
	slices.Sort(orphans)
	return alive, orphans, nil
}

// isTaskManager tells the JVM from what it has started.
func isTaskManager(m process.Member) bool {
	return slices.Contains(m.Args, "taskmanager.resource-id="+m.Getenv(nameVariable))
}

// launch starts the next TaskManager and counts it in s.
func (c *Cluster) launch(s *state, java string) error {
	o := s.Options
	s.Last++
	name := taskManagerName(s.Last)
	tmp := filepath.Join(o.Dir, "tmp")
	// Beam's boot writes a file of a fixed name where it is started.
	work := filepath.Join(tmp, name)
	if err := os.MkdirAll(work, 0o755); err != nil {
		return fmt.Errorf("start TaskManager %s: %w", name, err)
	}
	_, err := process.Start(process.Command{
		Name: "TaskManager " + name, Args: o.taskManager(java, name), Dir: work, Group: c.group, Out: o.outFile(name),
		Env: append([]string{"TMPDIR=" + tmp, nameVariable + "=" + name}, o.Env...),
	})
	return err
}

// awaitTaskManager waits until the TaskManager is registered with its slots.
func (c *Cluster) awaitTaskManager(ctx context.Context, o Options, name string) error {
	return c.await(ctx, o, name, nil, func() (bool, error) {
		alive, _, err := c.look()
		if err != nil {
			return false, err
		}
		if !slices.ContainsFunc(alive, func(t TaskManager) bool { return t.Name == name }) {
			return false, &fault.Error{
				Doing: "start", Object: "Flink's " + name, Class: fault.ErrEnded,
				Cause: fmt.Errorf("%w; its last lines:\n%s\n%s", fault.ErrEnded, process.Tail(o.outFile(name)), process.Tail(o.logFile(name))),
				Cure:  "the whole log is " + o.logFile(name),
			}
		}
		registered, err := c.client.TaskManagers(ctx)
		if err != nil {
			return false, nil // asked again until the deadline
		}
		for _, t := range registered {
			if t.ID == name && t.Slots >= o.Slots {
				return true, nil
			}
		}
		return false, nil
	})
}

// StartTaskManager adds a TaskManager, as one does after one has died, and
// returns when it is registered. Workers of dead ones are ended first: they
// would go on writing beside their successors.
func (c *Cluster) StartTaskManager(ctx context.Context) (TaskManager, error) {
	java, err := findJava()
	if err != nil {
		return TaskManager{}, err
	}
	release, err := lock(c.dir)
	if err != nil {
		return TaskManager{}, err
	}
	defer release()
	s, err := load(c.dir)
	if err != nil {
		return TaskManager{}, err
	}
	if err := c.EndOrphans(ctx); err != nil {
		return TaskManager{}, err
	}
	if err := c.launch(&s, java); err != nil {
		return TaskManager{}, err
	}
	if err := s.save(); err != nil {
		return TaskManager{}, err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, startTimeout, fmt.Errorf("it was not registered within %v", startTimeout))
	defer cancel()
	name := taskManagerName(s.Last)
	if err := c.awaitTaskManager(ctx, s.Options, name); err != nil {
		return TaskManager{}, err
	}
	return c.taskManager(name)
}

// EndOrphans ends the workers whose TaskManager is dead.
func (c *Cluster) EndOrphans(ctx context.Context) error {
	_, orphans, err := c.look()
	if err != nil || len(orphans) == 0 {
		return err
	}
	return process.End(ctx, c.group, 0, func(m process.Member) bool { return slices.Contains(orphans, m.PID) })
}

// KillTaskManager kills a TaskManager without warning, as a lost machine would,
// and returns when it is gone. Its workers are left to themselves.
func (c *Cluster) KillTaskManager(ctx context.Context, name string) error {
	victim, err := c.taskManager(name)
	if err != nil {
		return err
	}
	return process.End(ctx, c.group, 0, func(m process.Member) bool { return m.PID == victim.PID })
}

// KillWorkers kills the workers of a TaskManager without warning and tells how
// many there were.
func (c *Cluster) KillWorkers(name string) (int, error) {
	victim, err := c.taskManager(name)
	if err != nil {
		return 0, err
	}
	killed := 0
	for _, pid := range victim.Workers {
		was, err := process.Signal(c.group, pid, syscall.SIGKILL)
		if err != nil {
			return killed, err
		}
		if was {
			killed++
		}
	}
	return killed, nil
}

func (c *Cluster) taskManager(name string) (TaskManager, error) {
	alive, err := c.TaskManagers()
	if err != nil {
		return TaskManager{}, err
	}
	var names []string
	for _, t := range alive {
		if t.Name == name {
			return t, nil
		}
		names = append(names, t.Name)
	}
	return TaskManager{}, &fault.Error{
		Doing: "find", Object: "TaskManager " + name, Class: fault.ErrNotFound,
		Cause: errors.New("it does not run"), Cure: "there are: " + strings.Join(names, ", "),
	}
}
