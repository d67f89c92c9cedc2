package e2e

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	gocmp "github.com/google/go-cmp/cmp"

	"millrace/internal/testenv"
)

// The tests of S3 point the AWS SDK at a server through the environment of the
// test process, so they are not parallel.

func TestS3GivesTheBytesOfALakeInAFolder(t *testing.T) {
	server := testenv.S3(t)
	e := newEnv(t)
	logs := generate(t, e, "--lines", "20000", "--days", "2", "--servers", "2", "--seed", "61", "--malformed", "0.01")
	mustRun(t, e, weblogs(logs, e.in("folder"))...)
	want := hashLake(t, e.in("folder"))
	upload(t, server, "logs/web", glob(t, logs)...)
	source, lake := "s3://"+server.Bucket+"/logs/web/", "s3://"+server.Bucket+"/lakes/web"
	objects := filepath.Join(server.Dir, server.Bucket, "lakes", "web")

	mustRun(t, e, weblogs(source, lake)...)
	same := func(t *testing.T) {
		t.Helper()
		if diff := gocmp.Diff(want, hashLake(t, objects)); diff != "" {
			t.Errorf("-folder +S3:\n%s", cut(diff))
		}
	}
	same(t)
	t.Run("no unfinished object and no staged file is left", func(t *testing.T) {
		checkTidy(t, objects)
		for name, h := range hashTree(t, filepath.Join(e.home, "cache")) {
			if h != "folder" {
				t.Errorf("left in the cache: %s", name)
			}
		}
	})
	t.Run("the report is that of the folder", func(t *testing.T) {
		if s3, folder := readFile(t, filepath.Join(objects, "report.html")), readFile(t, e.in("folder", "report.html")); len(s3) < len(folder)*9/10 {
			t.Errorf("report of %d bytes, in the folder %d", len(s3), len(folder))
		}
	})
	t.Run("the views read it", func(t *testing.T) {
		if r := sql(t, objects, "SELECT count(*) FROM events"); number(t, r[0][0]) != readManifest(t, objects).Ledger.Events {
			t.Errorf("%s events by the views, ledger %s", r[0][0], readManifest(t, objects).Ledger)
		}
	})
	t.Run("a second run", func(t *testing.T) {
		mustRun(t, e, weblogs(source, lake)...)
		same(t)
	})
	t.Run("a folder as the source of a lake on S3 and the reverse", func(t *testing.T) {
		mustRun(t, e, weblogs(source, e.in("from-s3"))...)
		if diff := gocmp.Diff(want, hashLake(t, e.in("from-s3"))); diff != "" {
			t.Errorf("-folder +from S3:\n%s", cut(diff))
		}
	})
	t.Run("without a key by reference", func(t *testing.T) {
		refused(t, objects, func() result { return run(t, e, "run", "weblogs", "--source", source, "--lake", lake) }, 2, "--mask-key", "env://NAME")
	})
	t.Run("plan touches nothing", func(t *testing.T) {
		before := hashTree(t, server.Dir)
		mustRun(t, e, append([]string{"plan"}, weblogs(source, lake)[1:]...)...)
		if diff := gocmp.Diff(before, hashTree(t, server.Dir)); diff != "" {
			t.Errorf("-before +after:\n%s", diff)
		}
	})
}

func TestAnInterruptedCommitToS3IsFinishedByTheNextRun(t *testing.T) {
	server := testenv.S3(t)
	e := newEnv(t)
	logs := generate(t, e, "--lines", "20000", "--days", "3", "--seed", "62")
	mustRun(t, e, weblogs(logs, e.in("folder"))...)
	want := hashLake(t, e.in("folder"))
	for placed := range 3 {
		t.Run(fmt.Sprintf("after %d files", placed*8), func(t *testing.T) {
			name := fmt.Sprint("web", placed)
			lake, objects := "s3://"+server.Bucket+"/"+name, filepath.Join(server.Dir, server.Bucket, name)
			p := start(t, e, weblogs(logs, lake)...)
			for alive(p) && (!exists(filepath.Join(objects, "_commit.json")) || len(hashGlob(objects, "*/year=*/*/*/*.parquet")) < placed*8) {
				time.Sleep(100 * time.Microsecond)
			}
			_ = p.Process.Kill()
			if r := p.end(t); r.code != -1 || !exists(filepath.Join(objects, "_commit.json")) {
				t.Fatalf("the kill missed the commit: exit code %d, %s", r.code, r.stderr)
			}
			settle(objects)
			// The dead run's lease stands until it was not renewed for a minute.
			refused(t, objects, func() result { return run(t, e, weblogs(logs, lake)...) }, 1, lake, fmt.Sprintf("process %d", p.Process.Pid), "again after")
			past := time.Now().Add(-2 * time.Minute)
			for _, lease := range glob(t, filepath.Join(objects, "_lease", "*")) {
				if err := os.Chtimes(lease, past, past); err != nil {
					t.Fatal(err)
				}
			}
			r := mustRun(t, e, weblogs(logs, lake)...)
			if !strings.Contains(r.stderr, "finished the interrupted commit") {
				t.Errorf("the run does not say that it finished the commit: %s", r.stderr)
			}
			if diff := gocmp.Diff(want, hashLake(t, objects)); diff != "" {
				t.Errorf("-undisturbed +finished:\n%s", cut(diff))
			}
			checkTidy(t, objects)
		})
	}
}

func TestResetsWhileReadingFromS3AreSurvived(t *testing.T) {
	server := testenv.S3(t)
	e := newEnv(t)
	logs := generate(t, e, "--lines", "30000", "--days", "2", "--seed", "63")
	mustRun(t, e, weblogs(logs, e.in("folder"))...)
	upload(t, server, "logs", glob(t, logs)...)
	proxy := testenv.Toxiproxy(t, server.Addr)
	// No connection lives to bring the log as a whole, nor half of it.
	size := len(readFile(t, glob(t, logs)[0]))
	proxy.Toxic(t, "limit_data", map[string]any{"bytes": size / 3})
	mustRun(t, e.with("AWS_ENDPOINT_URL_S3=http://"+proxy.Addr), weblogs("s3://"+server.Bucket+"/logs/", e.in("lake"))...)
	if diff := gocmp.Diff(hashLake(t, e.in("folder")), hashLake(t, e.in("lake"))); diff != "" {
		t.Errorf("-undisturbed +with resets:\n%s", cut(diff))
	}
}

// settle waits until the server has done what a killed client asked for.
func settle(dir string) {
	before := -1
	for now := len(hashGlob(dir, "*/year=*/*/*/*")); now != before; now = len(hashGlob(dir, "*/year=*/*/*/*")) {
		before = now
		time.Sleep(200 * time.Millisecond)
	}
}

// upload puts files below a prefix of the server's bucket.
func upload(t testing.TB, server *testenv.S3Server, prefix string, names ...string) {
	t.Helper()
	client := server.Client(t)
	for _, name := range names {
		key := prefix + "/" + filepath.Base(name)
		if _, err := client.PutObject(t.Context(), &s3.PutObjectInput{Bucket: &server.Bucket, Key: &key, Body: bytes.NewReader(readFile(t, name))}); err != nil {
			t.Fatalf("uploading %s: %v", key, err)
		}
	}
}
