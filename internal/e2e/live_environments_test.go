package e2e

import (
	"net"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"millrace/internal/testenv"
	"millrace/io/lakeio"
)

// jobJar packages a run for the cluster. The jar is what flink run takes.
func jobJar(t *testing.T, e env, f *testenv.FlinkCluster, stream, lake string) string {
	t.Helper()
	writeFile(t, filepath.Join(e.home, "mask.key"), []byte(maskKey+"\n"))
	jar := e.in("job.jar")
	r := mustRun(t, e, "package", "weblogs", "--source", "kinesis://"+stream+"?"+everything, "--lake", lake, "--idle", "hold", "--raw", "plain",
		"--mask-key", "file://"+filepath.Join(e.home, "mask.key"), "--parallelism", "2", "--flink-master", f.Master(), "--flink-home", f.Dist.Dir,
		"--boot", f.Dist.Boot, "--flink-option", "checkpointing_interval=500", "--out", jar)
	t.Log(r.stdout)
	return jar
}

// awaitMark waits until everything of a stream with an end is sealed. Nobody
// follows the job of a jar: it marks that itself.
func awaitMark(t *testing.T, f *testenv.FlinkCluster, lake string) {
	t.Helper()
	for deadline := time.Now().Add(5 * time.Minute); len(hashGlob(lake, "_live/*/ended-*")) == 0; time.Sleep(200 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the job did not come to the end of its stream")
		}
		jobs, err := f.Client().Jobs(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, job := range jobs {
			if job.State == "FAILED" {
				t.Fatalf("job %s failed", job.Name)
			}
		}
	}
}

// settled draws the views of a lake that a job has left which nobody followed.
func settled(t *testing.T, lake string) {
	t.Helper()
	store, err := lakeio.OpenStore(t.Context(), lake)
	if err == nil {
		err = lakeio.RefreshViews(t.Context(), store)
	}
	if err != nil {
		t.Fatal(err)
	}
}

var submitted = regexp.MustCompile(`Job has been submitted with JobID ([0-9a-f]{32})`)

func TestAJobJarIsRunByFlinksCommand(t *testing.T) {
	server := testenv.Kinesis(t)
	f := testenv.Flink(t)
	e := newEnv(t)
	lines := putDemo(t, server, "demo")
	lake := e.in("demo")
	jar := jobJar(t, e, f, "demo", lake)

	// What bin/flink runs, with this cluster's configuration.
	cli := command(t, e.with("FLINK_CONF_DIR="+f.ConfDir()), "java", "-cp", f.Dist.ClassPath(),
		"org.apache.flink.client.cli.CliFrontend", "run", "-d", jar).end(t)
	id := submitted.FindStringSubmatch(cli.stdout)
	if cli.code != 0 || id == nil {
		t.Fatalf("flink run -d: exit code %d\nstdout: %s\nstderr: %s", cli.code, cli.stdout, cli.stderr)
	}
	awaitMark(t, f, lake)
	if r := mustRun(t, e, "status", "weblogs", "--flink-master", f.Master(), "--lake", lake); !strings.Contains(r.stdout, id[1]) {
		t.Errorf("status does not know job %s: %s", id[1], r.stdout)
	}
	mustRun(t, e, "cancel", "weblogs", "--flink-master", f.Master())
	allEnded(t, f)
	noWorkers(t, f)
	settled(t, lake)
	mustRun(t, e, weblogs(filepath.Join(lake, "raw"), e.in("batch"))...)
	same(t, lake, e.in("batch"), least(t, demoRows))
	if l := accounts(t, lake); l.In != int64(len(lines)) || l.Late != 0 {
		t.Errorf("%d lines were put, ledger %s", len(lines), l)
	}
}

// startPool starts a worker pool and returns when it takes requests.
func startPool(t *testing.T, e env, pool *testenv.WorkerPool) *process {
	t.Helper()
	p := start(t, e.with(pool.Env()), "worker-pool", "--listen", pool.Address)
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(50 * time.Millisecond) {
		if conn, err := net.Dial("tcp", pool.Address); err == nil {
			conn.Close()
			return p
		}
		if !alive(p) || time.Now().After(deadline) {
			t.Fatalf("no pool at %s: %+v", pool.Address, p.end(t))
		}
	}
}

// noPoolWorkers waits until the last has ended.
func noPoolWorkers(t *testing.T, pool *testenv.WorkerPool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); len(pool.Workers(t)) > 0; time.Sleep(100 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("workers are left: %v", pool.Workers(t))
		}
	}
}

// TestWorkersOfAPoolLoseNothing is a pod of Kubernetes: a TaskManager that starts no
// worker itself, and a pool beside it. Each of them is lost once.
func TestWorkersOfAPoolLoseNothing(t *testing.T) {
	server := testenv.Kinesis(t)
	f := testenv.OwnFlink(t, nil)
	e := newEnv(t)
	feed := newFeed(t, server, "web")
	pool := testenv.NewWorkerPool(t)
	serving := startPool(t, e, pool)
	end := time.Now().Add(90 * time.Second)
	p := start(t, e, onFlink(t, e, f, live("web", "start=trim_horizon&until="+end.UTC().Format(time.RFC3339), e.in("lake"), "--raw", "plain", "--roll", "1MiB,5s"),
		"--flink-option", "checkpointing_interval=2000", "--environment", "external", "--worker-pool", pool.Address)...)

	loseWorker := func() { pool.KillWorker(t) }
	loseManager := func() {
		managers, err := f.TaskManagers()
		if err == nil {
			err = f.KillTaskManager(t.Context(), managers[0].Name)
		}
		if err == nil {
			_, err = f.StartTaskManager(t.Context())
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	losePool := func() {
		if err := serving.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		serving.end(t)
		noPoolWorkers(t, pool) // or they would write beside their successors
		serving = startPool(t, e, pool)
	}
	completed := 0
	for _, lose := range []func(){loseWorker, loseManager, losePool} {
		for ready := false; !ready; time.Sleep(200 * time.Millisecond) {
			if !alive(p) {
				r := p.end(t)
				t.Fatalf("the run ended before everything was lost: %d, %s", r.code, r.stderr)
			}
			feed.some(t, 4)
			id := runningJob(t, f)
			if id == "" {
				continue
			}
			state, err := f.Client().Checkpoints(t.Context(), id)
			if err != nil {
				t.Fatal(err)
			}
			if ready = state.Completed >= completed+2 && len(pool.Workers(t)) > 0; ready {
				completed = state.Completed
			}
		}
		t.Logf("a loss %v before the end", time.Until(end).Round(time.Second))
		lose()
	}
	feed.some(t, len(feed.rest))
	if !time.Now().Before(end) {
		t.Fatal("the stream was to end before it was all put")
	}
	if r := p.end(t); r.code != 0 {
		t.Fatalf("exit code %d: %s", r.code, r.stderr)
	}
	allEnded(t, f)
	noPoolWorkers(t, pool) // each has ended with its job: the pool goes on
	if err := serving.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if r := serving.end(t); r.code != 0 {
		t.Errorf("the pool: exit code %d: %s", r.code, r.stderr)
	}
	noWorkers(t, f)
	sameAsLogs(t, e, e.in("lake"), feed)
}
