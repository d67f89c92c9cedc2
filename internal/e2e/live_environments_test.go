package e2e

import (
	"encoding/json"
	"errors"
	"io"
	"mime/multipart"
	"net"
	"net/http"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"millrace/internal/testenv"
	"millrace/io/lakeio"
)

// jobJar packages a run for the cluster, with workers where the further arguments
// say. The jar is what flink run takes.
func jobJar(t *testing.T, e env, f *testenv.FlinkCluster, stream, lake string, workers ...string) string {
	t.Helper()
	writeFile(t, filepath.Join(e.home, "mask.key"), []byte(maskKey+"\n"))
	jar := e.in("job.jar")
	r := mustRun(t, e, append([]string{
		"package", "weblogs", "--source", "kinesis://" + stream + "?" + everything, "--lake", lake, "--idle", "hold", "--raw", "plain",
		"--mask-key", "file://" + filepath.Join(e.home, "mask.key"), "--parallelism", "2", "--flink-master", f.Master(), "--flink-home", f.Dist.Dir,
		"--flink-option", "checkpointing_interval=500", "--out", jar,
	}, workers...)...)
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

// byCommand submits a jar with what bin/flink runs, and gives the job's id.
func byCommand(t *testing.T, e env, f *testenv.FlinkCluster, jar string) string {
	t.Helper()
	r := command(t, e.with("FLINK_CONF_DIR="+f.ConfDir()), "java", "-cp", f.Dist.ClassPath(),
		"org.apache.flink.client.cli.CliFrontend", "run", "-d", jar).end(t)
	id := submitted.FindStringSubmatch(r.stdout)
	if r.code != 0 || id == nil {
		t.Fatalf("flink run -d: exit code %d\nstdout: %s\nstderr: %s", r.code, r.stdout, r.stderr)
	}
	return id[1]
}

// byREST submits a jar as Flink's user interface does, and gives the job's id.
func byREST(t *testing.T, _ env, f *testenv.FlinkCluster, jar string) string {
	t.Helper()
	file, err := os.Open(jar)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	body, into := io.Pipe()
	form := multipart.NewWriter(into)
	go func() {
		part, err := form.CreateFormFile("jarfile", filepath.Base(jar))
		if err == nil {
			_, err = io.Copy(part, file)
		}
		into.CloseWithError(errors.Join(err, form.Close()))
	}()
	var uploaded struct{ Filename string }
	post(t, f.REST()+"/jars/upload", form.FormDataContentType(), body, &uploaded)
	var job struct{ JobID string }
	post(t, f.REST()+"/jars/"+path.Base(uploaded.Filename)+"/run", "application/json", strings.NewReader("{}"), &job)
	return job.JobID
}

func post(t *testing.T, url, kind string, body io.Reader, answer any) {
	t.Helper()
	r, err := http.Post(url, kind, body)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	text, err := io.ReadAll(r.Body)
	if err == nil {
		err = json.Unmarshal(text, answer)
	}
	if err != nil || r.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s, %s, %v", url, r.Status, text, err)
	}
}

// TestAJobJarIsRunByFlinkItself runs one as on EMR, where Flink's command submits it
// and TaskManagers start workers, and one as on Kubernetes, from a pool.
func TestAJobJarIsRunByFlinkItself(t *testing.T) {
	server := testenv.Kinesis(t)
	f := testenv.Flink(t)
	e := newEnv(t)
	lines := logLines(t, realLogs(t)...)
	pool := testenv.NewWorkerPool(t)
	for _, way := range []struct {
		name    string
		submit  func(*testing.T, env, *testenv.FlinkCluster, string) string
		workers []string
		lines   [][]byte
		rows    string
	}{
		{"by its command", byCommand, []string{"--boot", f.Dist.Boot}, lines, demoRows},
		{"by its REST interface", byREST, []string{"--environment", "external", "--worker-pool", pool.Address}, lines[:2000], "events 1900, sessions 100"},
	} {
		t.Run(way.name, func(t *testing.T) {
			startPool(t, e, pool)
			stream := strings.ReplaceAll(way.name, " ", "-")
			lake := e.in(stream)
			server.CreateStream(t, stream, 4)
			server.Put(t, stream, together(way.lines, 20)...)
			id := way.submit(t, e, f, jobJar(t, e, f, stream, lake, way.workers...))
			awaitMark(t, f, lake)
			if inPool := len(pool.Workers(t)) > 0; inPool != (way.workers[0] == "--environment") {
				t.Errorf("workers of the pool: %v, of TaskManagers: %v", pool.Workers(t), f.Workers(t))
			}
			if r := mustRun(t, e, "status", "weblogs", "--flink-master", f.Master(), "--lake", lake); !strings.Contains(r.stdout, id) {
				t.Errorf("status does not know job %s: %s", id, r.stdout)
			}
			mustRun(t, e, "cancel", "weblogs", "--flink-master", f.Master())
			allEnded(t, f)
			noWorkers(t, f)
			noPoolWorkers(t, pool)
			settled(t, lake)
			mustRun(t, e, weblogs(filepath.Join(lake, "raw"), lake+"-batch")...)
			same(t, lake, lake+"-batch", least(t, way.rows))
			if l := accounts(t, lake); l.In != int64(len(way.lines)) || l.Late != 0 {
				t.Errorf("%d lines were put, ledger %s", len(way.lines), l)
			}
		})
	}
}

// startPool starts a worker pool and returns when it takes requests.
func startPool(t *testing.T, e env, pool *testenv.WorkerPool) *process {
	t.Helper()
	p := start(t, e.with(pool.Env(), "TMPDIR="+t.TempDir()), "worker-pool", "--listen", pool.Address)
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
