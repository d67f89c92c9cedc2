package operate

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"millrace/runners/flink/cluster"
	"millrace/runners/flink/dist"
	"millrace/runners/flink/fault"
	"millrace/runners/flink/rest"
)

// usualMaster is where a cluster of this machine listens.
const usualMaster = "127.0.0.1:8081"

// DefaultDir is the folder of the local cluster when none is named: flink in the
// program's part of the user's cache folder. It is empty when there is no such
// folder.
func DefaultDir() string {
	cache, err := os.UserCacheDir()
	if err != nil {
		return ""
	}
	return filepath.Join(cache, "millrace", "flink")
}

// DefaultMaster is the host:port of the JobManager to use when none is named:
// that of the cluster in dir (DefaultDir when empty) if it is up, else
// 127.0.0.1:8081.
func DefaultMaster(dir string) string {
	if dir = cmp.Or(dir, DefaultDir()); dir == "" {
		return usualMaster
	}
	c, err := cluster.Open(dir)
	if err != nil || c.Master() == "" {
		return usualMaster
	}
	alive, err := c.TaskManagers()
	if err != nil || len(alive) == 0 {
		return usualMaster
	}
	return c.Master()
}

// Client speaks to a JobManager.
type Client = rest.Client

// Connect makes a client of the JobManager at master, or of DefaultMaster's.
func Connect(master string) (*Client, error) {
	return rest.New(cmp.Or(master, DefaultMaster("")))
}

// ClusterOptions describe a local cluster. Zero means the default.
type ClusterOptions struct {
	Dir          string // DefaultDir
	Home         string // of the Flink distribution, see dist.Find
	TaskManagers int
	Slots        int // of each
	RestPort     int // any free one
	TaskHeap     int // MiB of each TaskManager, for operators
	StateBackend string
	Config       map[string]string // further settings of Flink
	Env          []string          // NAME=value for the workers
}

// ClusterState is a local cluster as it is now.
type ClusterState struct {
	Dir          string `json:"dir"`
	Master       string `json:"master"` // host:port
	REST         string `json:"rest"`   // URL
	Flink        string `json:"flink"`  // version
	TaskManagers int    `json:"taskmanagers"`
	Slots        int    `json:"slots"`
	FreeSlots    int    `json:"free_slots"`
	Running      int    `json:"jobs_running"`
	Logs         string `json:"logs"`
	Savepoints   string `json:"savepoints"`
	Checkpoints  string `json:"checkpoints"`
}

// Up starts a local cluster that stays until Down.
func Up(ctx context.Context, o ClusterOptions) (ClusterState, error) {
	home, err := dist.Find(o.Home)
	if err != nil {
		return ClusterState{}, err
	}
	if o.Dir = cmp.Or(o.Dir, DefaultDir()); o.Dir == "" {
		return ClusterState{}, noDir()
	}
	c, err := cluster.Up(ctx, cluster.Options{
		Dir: o.Dir, Dist: home, TaskManagers: o.TaskManagers, Slots: o.Slots, RestPort: o.RestPort,
		TaskHeap: o.TaskHeap, StateBackend: o.StateBackend, Config: o.Config, Env: o.Env,
		// Each job that was ever submitted leaves classes behind.
		Metaspace: 1024,
	})
	if err != nil {
		return ClusterState{}, err
	}
	return stateOf(ctx, c)
}

// LookAt tells how the cluster in dir is doing.
func LookAt(ctx context.Context, dir string) (ClusterState, error) {
	c, err := open(dir)
	if err != nil {
		return ClusterState{}, err
	}
	if c.Client() == nil {
		return ClusterState{}, &fault.Error{
			Doing: "look at", Object: "the Flink cluster in " + c.Dir(), Class: fault.ErrUnavailable,
			Cause: errors.New("it is starting, or its start was broken off"), Cure: "wait a minute, or end it with millrace cluster down",
		}
	}
	return stateOf(ctx, c)
}

// Down ends the cluster in dir and tells how many jobs ran on it, as far as that
// can be told. One that is not there is an error, so that a mistyped folder shows.
func Down(ctx context.Context, dir string) (running int, where string, err error) {
	c, err := open(dir)
	if err != nil {
		return 0, "", err
	}
	if c.Client() != nil {
		if o, err := c.Client().Overview(ctx); err == nil {
			running = o.JobsRunning
		}
	}
	return running, c.Dir(), c.Down(context.WithoutCancel(ctx)) // half down is worse than down
}

func open(dir string) (*cluster.Cluster, error) {
	if dir = cmp.Or(dir, DefaultDir()); dir == "" {
		return nil, noDir()
	}
	return cluster.Open(dir)
}

func stateOf(ctx context.Context, c *cluster.Cluster) (ClusterState, error) {
	o, err := c.Client().Overview(ctx)
	if err != nil {
		return ClusterState{}, err
	}
	return ClusterState{
		Dir: c.Dir(), Master: c.Master(), REST: c.REST(), Flink: o.FlinkVersion, TaskManagers: o.TaskManagers,
		Slots: o.SlotsTotal, FreeSlots: o.SlotsAvailable, Running: o.JobsRunning, Logs: filepath.Join(c.Dir(), "logs"),
		Savepoints: filepath.Join(c.Dir(), "savepoints"), Checkpoints: filepath.Join(c.Dir(), "checkpoints"),
	}, nil
}

func noDir() error {
	return &fault.Error{
		Doing: "choose", Object: "a folder for the Flink cluster", Class: fault.ErrInvalid,
		Cause: fmt.Errorf("there is no cache folder for this user"), Cure: "set HOME or XDG_CACHE_HOME, or give --dir",
	}
}
