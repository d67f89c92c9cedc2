package e2e

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"millrace/internal/operate"
	"millrace/internal/testenv"
	"millrace/runners/flink/cluster"
)

// TestALiveJobNeedsTheRightsOfItsPoliciesAndTellsNoCredential goes through the life of
// a job whose workers have rights of their own, and then looks for the credentials
// and the masking key in all that was written and said.
func TestALiveJobNeedsTheRightsOfItsPoliciesAndTellsNoCredential(t *testing.T) {
	const token = "canary-of-a-role-5b1f0d7c"
	server, s3 := testenv.Kinesis(t), testenv.S3(t)
	server.CreateStream(t, "web", 2)
	server.CreateStream(t, "rows", 1)
	g := newRights(t, s3, server, strings.NewReplacer("LAKE_BUCKET/LAKE", s3.Bucket+"/lake", "LAKE_BUCKET", s3.Bucket, "STREAM", "web", "ROWS", "rows"))
	f := testenv.OwnFlink(t, func(o *cluster.Options) {
		o.Slots, o.Env = 4, []string{"MASK_KEY=" + maskKey, "AWS_CONTAINER_AUTHORIZATION_TOKEN=" + token}
	})
	e := newEnv(t).with("AWS_CONTAINER_AUTHORIZATION_TOKEN=" + token)
	master := []string{"--flink-master", f.Master()}
	lake, savepoints := "s3://"+s3.Bucket+"/lake", "file://"+e.in("savepoints")
	find := newCredentials(testenv.SecretKey, testenv.AccessKey, token, maskKey[len(maskKeyID)+1:])
	said := func(caller string, args ...string) result {
		t.Helper()
		r := mustRun(t, as(e, caller), args...)
		find.in(t, "what "+args[0]+" says", []byte(r.stdout+r.stderr))
		return r
	}

	lines := logLines(t, realLogs(t)[0])
	server.Put(t, "web", together(lines[:4000], 20)...)
	job := append(weblogs("kinesis://web?start=trim_horizon", lake, "--idle", "hold", "--output", "traffic=kinesis://rows", "--roll", "64KiB,1s", "--seal", "1m"),
		"--runner", "flink", "--parallelism", "2", "--job-server", f.JobServer(t), "--boot", f.Dist.Boot, "--flink-option", "checkpointing_interval=1500")
	job = append(job, master...)
	said("run-live", append([]string{"plan"}, job[1:]...)...)
	said("run-live", append(job, "--detach")...)
	working := func(s operate.Status) bool {
		return s.Lake != nil && s.Lake.Balanced && s.Lake.Rolls > 4 && s.Ledger.Events >= 3000 && s.Checkpoints.Completed > 2
	}
	awaitStatus(t, as(e, "look"), f, "rolls in the ledger", nothing, working, "--lake", lake)
	find.rest(t, f)
	for _, args := range [][]string{{"status", "weblogs", "--lake", lake}, {"status", "weblogs", "--json", "--lake", lake}, {"status", "--prometheus"}} {
		r := run(t, as(e, "look"), append(args, master...)...) // old records are behind, which is as it may be
		if !strings.Contains(r.stdout, "weblogs-live-") {
			t.Errorf("%v: %s%s", args, r.stdout, r.stderr)
		}
		find.in(t, "what status says", []byte(r.stdout+r.stderr))
	}
	said("stop", append([]string{"stop", "weblogs", "--savepoint-dir", savepoints}, master...)...)
	server.Put(t, "web", together(lines[4000:4500], 20)...)
	said("run-live", "resume", "weblogs")
	awaitStatus(t, as(e, "look"), f, "the rest", nothing, func(s operate.Status) bool { return s.Lake != nil && s.Ledger.Events >= 300 }, "--lake", lake)
	said("stop", append([]string{"cancel", "weblogs"}, master...)...)
	said("look", "positions", "--lake", lake, "--reread", "-o", "positions.json")
	server.Put(t, "web", together(lines[4500:], 20)...)
	job[3] = "kinesis://web?start=positions&positions=positions.json&until=tip"
	said("run-live", job...)

	t.Run("rights", func(t *testing.T) {
		g.check(t, "run-live", "workers", "look", "stop")
	})
	t.Run("credentials", func(t *testing.T) {
		verbs := []string{"run", "plan", "generate", "report", "status", "stop", "resume", "savepoint", "cancel", "positions", "cluster", "worker-pool", "package", "jobs", "endpoints", "version"}
		for _, verb := range verbs {
			said("none", verb, "--help")
		}
		secret := filepath.Join(f.Dir(), "cluster.json") // with which another TaskManager is started
		if info, err := os.Stat(secret); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: mode %v, %v", secret, info.Mode(), err)
		}
		if known := newCredentials(maskKey[len(maskKeyID)+1:], token); known.count(readFile(t, secret)) != 2 {
			t.Error("the search does not find what cluster.json is known to hold")
		}
		for _, dir := range []string{filepath.Join(s3.Dir, s3.Bucket), e.home, e.dir, f.Dir()} {
			if files := find.folder(t, dir, secret); files < 2 {
				t.Errorf("%s has %d files", dir, files)
			}
		}
	})
}

// credentials are texts to look for.
type credentials struct{ forms [][][]byte } // of each, plain and as encodings have it

func newCredentials(texts ...string) credentials {
	var c credentials
	for _, text := range texts {
		forms := [][]byte{[]byte(text), []byte(hex.EncodeToString([]byte(text)))}
		for skip := range 3 { // of bytes before it, by which it comes to other letters
			encoded := base64.RawStdEncoding.EncodeToString(append(make([]byte, skip), text...))
			forms = append(forms, []byte(encoded[(skip*8+5)/6:len(encoded)-1]))
		}
		c.forms = append(c.forms, forms)
	}
	return c
}

// count is how many of them are in a text.
func (c credentials) count(text []byte) (n int) {
	for _, forms := range c.forms {
		for _, form := range forms {
			if bytes.Contains(text, form) {
				n++
				break
			}
		}
	}
	return n
}

func (c credentials) in(t *testing.T, place string, text []byte) {
	t.Helper()
	if n := c.count(text); n > 0 {
		t.Errorf("%s: %d of the credentials are in it", place, n)
	}
}

// folder looks through the files of a folder, but for one; it tells how many there are.
func (c credentials) folder(t *testing.T, dir, but string) (files int) {
	t.Helper()
	err := filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() || name == but {
			return err
		}
		content, err := os.ReadFile(name)
		if os.IsNotExist(err) {
			return nil // a server's, and gone meanwhile
		}
		files++
		c.in(t, name, content)
		c.in(t, "names of files", []byte(name))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// rest looks through what Flink tells of its job, its processes and their logs.
func (c credentials) rest(t *testing.T, f *testenv.FlinkCluster) {
	t.Helper()
	jobs, err := f.Client().Jobs(t.Context())
	if err != nil || len(jobs) != 1 {
		t.Fatalf("jobs: %v, %v", jobs, err)
	}
	paths := []string{"/jobs/overview", "/jobmanager/config", "/jobmanager/environment", "/jobmanager/logs", "/jobmanager/log", "/taskmanagers"}
	for _, of := range []string{"", "/config", "/plan", "/exceptions", "/accumulators", "/checkpoints"} {
		paths = append(paths, "/jobs/"+jobs[0].ID+of)
	}
	for _, path := range paths {
		answer, err := http.Get(f.REST() + path) //nolint:noctx // of a server of this test
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(answer.Body)
		answer.Body.Close()
		if err != nil || answer.StatusCode != http.StatusOK || len(body) == 0 {
			t.Errorf("%s: %s, %d bytes, %v", path, answer.Status, len(body), err)
		}
		c.in(t, "what Flink tells at "+path, body)
	}
}
