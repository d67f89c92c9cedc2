package testenv

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"millrace/internal/testenv/install"
	"millrace/runners/flink/cluster"
	"millrace/runners/flink/dist"
	"millrace/runners/flink/jobserver"
	"millrace/runners/flink/process"
)

// FlinkCluster is a Flink cluster of processes of their own: a JobManager and
// TaskManagers. Master and REST tell its addresses, Client speaks to it, Dir is
// its folder.
type FlinkCluster struct {
	*cluster.Cluster
	Dist dist.Distribution // Boot is the command of Beam's PROCESS environment
	Took time.Duration     // until it was up: a measure of what the machine has to do besides

	mu        sync.Mutex
	jobServer *jobserver.Server
}

// shared is the cluster that the tests of a process share.
var shared struct {
	once  sync.Once
	flink *FlinkCluster
	err   error
}

// Flink is the cluster that the tests of this process share: two TaskManagers
// with four slots each. It starts with the first test that wants it, which takes
// about five seconds, and ends with the process. Its workers see none of the
// test's AWS variables but its credentials; the program or WorkerEnv hands others
// over with a job.
//
// Jobs that a test leaves running are cancelled with it, which is why its tests
// cannot be parallel. A test that fails shows the last lines of the cluster's
// logs.
func Flink(t testing.TB) *FlinkCluster {
	t.Helper()
	distribution := flinkDistribution(t)
	shared.once.Do(func() {
		shared.flink, shared.err = startFlink(distribution, cluster.Options{TaskManagers: 2, Slots: 4, Env: append(withoutAWS(), credentials()...)})
	})
	if shared.err != nil {
		t.Fatal(shared.err)
	}
	cancelJobs(t, shared.flink)
	showLogs(t, shared.flink)
	return shared.flink
}

// OwnFlink is a cluster for one test, which may break it. change, unless nil,
// alters the options: one TaskManager with two slots. It ends with the test.
func OwnFlink(t testing.TB, change func(*cluster.Options)) *FlinkCluster {
	t.Helper()
	options := cluster.Options{}
	if change != nil {
		change(&options)
	}
	f, err := startFlink(flinkDistribution(t), options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := f.Down(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
	})
	showLogs(t, f) // before Down
	return f
}

func flinkDistribution(t testing.TB) dist.Distribution {
	t.Helper()
	d, err := dist.Open(tool(t, install.Flink))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func startFlink(d dist.Distribution, o cluster.Options) (*FlinkCluster, error) {
	// t.TempDir would be gone with the first of the tests that share it.
	dir, err := os.MkdirTemp("", "millrace-flink-") // removed with the cluster
	if err != nil {
		return nil, fmt.Errorf("start a Flink cluster: %w", err)
	}
	o.Dir, o.Dist = dir, d
	o.QuickStart, o.DieWithParent, o.Temporary = true, true, true
	begun := time.Now()
	c, err := cluster.Up(context.Background(), o) // it serves more than one test
	if err != nil {
		return nil, err
	}
	return &FlinkCluster{Cluster: c, Dist: d, Took: time.Since(begun)}, nil
}

// JobServer is the host:port to submit pipelines for the cluster to. The server
// starts with the first test that wants it and ends with the cluster.
func (f *FlinkCluster) JobServer(t testing.TB) string {
	t.Helper()
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.jobServer == nil {
		f.startJobServer(t, 0)
	}
	return f.jobServer.Address()
}

func (f *FlinkCluster) startJobServer(t testing.TB, port int) {
	t.Helper()
	server, err := jobserver.Start(t.Context(), jobserver.Options{ // which runs on without it
		Dist: f.Dist, Master: f.Master(), Dir: filepath.Join(f.Dir(), "jobserver"), Port: port, Group: f.Group(),
		ConfDir: f.ConfDir(), JVM: cluster.QuickFlags,
	})
	if err != nil {
		t.Fatal(err)
	}
	f.jobServer = server
}

// KillJobServer kills the job server without warning, and returns what starts
// another at its address.
func (f *FlinkCluster) KillJobServer(t testing.TB) (again func()) {
	t.Helper()
	_, text, err := net.SplitHostPort(f.JobServer(t))
	if err != nil {
		t.Fatal(err)
	}
	port, err := strconv.Atoi(text)
	if err != nil {
		t.Fatal(err)
	}
	if err := process.End(t.Context(), f.Group(), 0, f.isJobServer); err != nil {
		t.Fatal(err)
	}
	return func() {
		t.Helper()
		f.mu.Lock()
		defer f.mu.Unlock()
		f.startJobServer(t, port)
	}
}

func (f *FlinkCluster) isJobServer(m process.Member) bool {
	return slices.Contains(m.Args, f.Dist.JobServer)
}

// Strangers are the processes of the cluster that are neither Flink's nor the job
// server: boot programs, workers, and whatever else these have left.
func (f *FlinkCluster) Strangers(t testing.TB) (left []string) {
	t.Helper()
	members, err := process.Members(f.Group())
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range members {
		if !f.isJobServer(m) && (len(m.Args) == 0 || filepath.Base(m.Args[0]) != "java") {
			left = append(left, fmt.Sprint(m.PID, " ", m.Args))
		}
	}
	return left
}

// Workers lists the workers of the cluster that live, those of dead TaskManagers
// too: process ids and TaskManagers.
func (f *FlinkCluster) Workers(t testing.TB) (workers []string) {
	t.Helper()
	members, err := process.Members(f.Group())
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range members {
		if slices.Contains(m.Args, "--worker=true") {
			workers = append(workers, fmt.Sprint(m.PID, " of ", m.Getenv("MILLRACE_TASKMANAGER")))
		}
	}
	return workers
}

// WorkerEnv are the AWS variables of the test, for the environment of its job's
// workers: they name the servers that the test has started.
func (f *FlinkCluster) WorkerEnv() map[string]string {
	env := map[string]string{}
	for _, variable := range os.Environ() {
		if name, value, _ := strings.Cut(variable, "="); strings.HasPrefix(name, "AWS_") {
			env[name] = value
		}
	}
	return env
}

// withoutAWS empties the AWS variables that the environment has.
func withoutAWS() []string {
	var env []string
	for _, variable := range os.Environ() {
		if name, _, _ := strings.Cut(variable, "="); strings.HasPrefix(name, "AWS_") {
			env = append(env, name+"=")
		}
	}
	return env
}

// credentials are those of the test servers. They come to workers from their
// TaskManager, for a job would show them.
func credentials() []string {
	return []string{
		"AWS_ACCESS_KEY_ID=" + AccessKey, "AWS_SECRET_ACCESS_KEY=" + SecretKey, "AWS_EC2_METADATA_DISABLED=true",
		"AWS_CONFIG_FILE=" + os.DevNull, "AWS_SHARED_CREDENTIALS_FILE=" + os.DevNull,
	}
}

// cancelJobs cancels, with the test, the jobs that run then: they would keep
// the slots that the next test needs.
func cancelJobs(t testing.TB, f *FlinkCluster) {
	t.Helper()
	t.Cleanup(func() {
		ctx := context.WithoutCancel(t.Context())
		jobs, err := f.Client().Jobs(ctx)
		if err != nil {
			t.Error(err)
		}
		for _, job := range jobs {
			if job.State.Ended() {
				continue
			}
			if err := f.Client().Cancel(ctx, job.ID); err != nil {
				t.Error(err)
			}
		}
	})
}

// showLogs shows the ends of the cluster's logs with a test that fails.
func showLogs(t testing.TB, f *FlinkCluster) {
	t.Helper()
	t.Cleanup(func() {
		if !t.Failed() {
			return
		}
		for _, pattern := range []string{"logs/*.log", "logs/*.out", "jobserver/*.log"} {
			files, err := filepath.Glob(filepath.Join(f.Dir(), filepath.FromSlash(pattern)))
			if err != nil {
				t.Log(err)
			}
			for _, file := range files {
				if text := process.Tail(file); text != "" {
					t.Logf("the end of %s:\n%s", file, text)
				}
			}
		}
	})
}
