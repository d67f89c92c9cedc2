package e2e

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"millrace/internal/testenv"
)

// buildAs compiles the program as another release of it, and returns its path.
func buildAs(t *testing.T, release string) string {
	t.Helper()
	root := testenv.Root(t)
	source := filepath.Join(root, "internal", "version", "version.go")
	text := readFile(t, source)
	changed := bytes.Replace(text, []byte(`const Program = "`), []byte(`const Program = "`+release+` after `), 1)
	if bytes.Equal(text, changed) {
		t.Fatalf("%s names no release", source)
	}
	dir := t.TempDir()
	writeFile(t, filepath.Join(dir, "version.go"), changed)
	overlay, err := json.Marshal(map[string]any{"Replace": map[string]string{source: filepath.Join(dir, "version.go")}})
	if err != nil {
		t.Fatal(err)
	}
	writeFile(t, filepath.Join(dir, "overlay.json"), overlay)
	path := filepath.Join(dir, "millrace")
	cmd := exec.Command("go", "build", "-overlay", filepath.Join(dir, "overlay.json"), "-o", path, "./cmd/millrace")
	cmd.Dir = root
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("building release %s: %v\n%s", release, err, out)
	}
	return path
}

// workerPrograms are the programs that the cluster's workers run, until there are
// some. Their files are gone, as workers remove them.
func workerPrograms(t *testing.T, f *testenv.FlinkCluster) (programs [][]byte) {
	t.Helper()
	for deadline := time.Now().Add(2 * time.Minute); len(programs) == 0; time.Sleep(100 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("no worker was started")
		}
		for _, w := range f.Workers(t) {
			pid, _, _ := strings.Cut(w, " ")
			if program, err := os.ReadFile(filepath.Join("/proc", pid, "exe")); err == nil { // else it has just ended
				programs = append(programs, program)
			}
		}
	}
	return programs
}

// TestAnotherReleaseGoesOnFromASavepoint stops a job of one build with sessions, partial
// aggregates, rolls, buckets and attempts at funnels open, and resumes it with another
// build. So it is with detectors, which have learned enough to judge, with alerts and with
// what sources did. The funnels are those the job was started with.
func TestAnotherReleaseGoesOnFromASavepoint(t *testing.T) {
	server := testenv.Kinesis(t)
	f := testenv.Flink(t)
	e := newEnv(t)
	next := buildAs(t, "upgraded")
	feed := newFeed(t, server, "web")
	end := endOf(t, f, 120*time.Second)
	lake, funnels := e.in("lake"), filepath.Join(accessLogs(t), "funnels.yaml")
	watched := append(farmAlerts(t, e), "--funnels", funnels)
	feed.some(t, 200)
	mustRun(t, e, onFlink(t, e, f, live("web", "start=trim_horizon&until="+end.UTC().Format(time.RFC3339), lake, append([]string{"--raw", "plain", "--roll", "1MiB,5s"}, watched...)...),
		"--flink-option", "checkpointing_interval=2000", "--detach")...)
	judged := func() int {
		return int(number(t, testenv.DuckDB(t, "SELECT count(*) FROM read_parquet('"+lake+"/anomalies/*/*/*/*.parquet') WHERE status = 'judged'")[0][0]))
	}
	before := 0
	for ; before < 500; time.Sleep(200 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("no rolls with alerts were written, or too few scores were judged: %d", before)
		}
		feed.some(t, 4)
		closed := len(hashGlob(lake, "_ledger/*/*/*.json")) + len(hashGlob(lake, "_ledger/*/*.json"))
		if closed >= 2 && hashGlob(lake, "alerts/*/*/*/*.parquet") != nil && hashGlob(lake, "anomalies/*/*/*/*.parquet") != nil {
			before = judged()
		}
	}
	mustRun(t, e, "stop", "weblogs", "--flink-master", f.Master(), "--savepoint-dir", "file://"+e.in("savepoints"))
	allEnded(t, f)
	noWorkers(t, f)
	before = judged()            // with what its last rolls had
	feed.some(t, len(feed.rest)) // while nobody reads
	if !time.Now().Before(end) {
		t.Fatal("the stream was to end before it was all put")
	}

	p := command(t, e, next, "resume", "--lake", lake, "--attach")
	for _, program := range workerPrograms(t, f) {
		if !bytes.Equal(program, readFile(t, next)) {
			t.Error("a worker runs another program than the one that resumed")
		}
	}
	if r := p.end(t); r.code != 0 {
		t.Fatalf("resuming: exit code %d: %s", r.code, r.stderr)
	}
	allEnded(t, f)
	noWorkers(t, f)
	if m := readManifest(t, lake); !strings.HasPrefix(m.Version, "upgraded after ") {
		t.Errorf("the run was settled by %s", m.Version)
	}
	if after := judged(); after < before+500 {
		t.Errorf("%d scores were judged before it was stopped, %d in all", before, after)
	}
	rows := least(t, demoRows+", funnels 100, funnel_steps 10, anomalies 10000, alerts 100, sources 10")
	rows["alerts"] = counted{rows["alerts"].least, "* EXCLUDE (replay)"} // which names the key as it was named
	sameAsArchive(t, e, lake, rows, watched...)
	if l := accounts(t, lake); l.In != int64(feed.lines) || l.Late != 0 {
		t.Errorf("%d lines were put, ledger %s", feed.lines, l)
	}
}
