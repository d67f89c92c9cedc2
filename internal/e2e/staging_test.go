package e2e

import (
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	gocmp "github.com/google/go-cmp/cmp"

	"millrace/internal/testenv"
	"millrace/runners/flink/cluster"
)

// apart makes a user and a cluster that have no folder in common: what is the home
// and the cache folder of the one is a file to the other and to itself, so that
// nobody can put anything there, and temporary folders differ.
func apart(t *testing.T) (e env, f *testenv.FlinkCluster, tmp string) {
	t.Helper()
	e = newEnv(t)
	file := filepath.Join(t.TempDir(), "no-folder")
	writeFile(t, file, nil)
	mine, theirs := t.TempDir(), t.TempDir()
	f = testenv.OwnFlink(t, func(o *cluster.Options) {
		o.TaskManagers, o.Slots = 2, 2
		o.Env = []string{"HOME=" + file, "XDG_CACHE_HOME=" + file, "TMPDIR=" + theirs}
	})
	return e.with("XDG_CACHE_HOME="+file, "TMPDIR="+mine), f, theirs
}

// stagedIn lists what lies in staging areas below a folder of the S3 server.
func stagedIn(t testing.TB, dir string) (names []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && strings.Contains(name, "/_staging/") {
			names = append(names, strings.TrimPrefix(name, dir))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

// rowsLeft lists rows that a worker or the program has left in a folder of its
// machine.
func rowsLeft(t testing.TB, dir string) (names []string) {
	t.Helper()
	for name := range hashTree(t, dir) {
		if ext := filepath.Ext(name); ext == ".run" || ext == ".parquet" || strings.Contains(name, "millrace-roll") {
			names = append(names, name)
		}
	}
	return names
}

func TestABackfillOnFlinkNeedsNoFolderThatItsMachinesShare(t *testing.T) {
	server := testenv.S3(t)
	e, f, theirs := apart(t)
	scratch := "scratch"
	if _, err := server.Client(t).CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: &scratch}); err != nil {
		t.Fatal(err)
	}
	home := newEnv(t)
	logs := generate(t, home, "--lines", "60000", "--days", "3", "--servers", "4", "--seed", "81", "--malformed", "0.01", "--disorder", "2m")
	mustRun(t, home, weblogs(logs, home.in("folder"), "--raw", "plain")...)
	want := hashLake(t, home.in("folder"))
	upload(t, server, "logs/web", glob(t, logs)...)
	source := "s3://" + server.Bucket + "/logs/web/"
	shared := t.TempDir()
	for name, staging := range map[string]string{
		"in the lake":             "",
		"in a bucket of its own":  "s3://scratch/rows",
		"in a folder of both":     shared,
		"in the lake, by its URL": "s3://" + server.Bucket + "/in the lake, by its URL",
	} {
		t.Run(name, func(t *testing.T) {
			lake, objects := "s3://"+server.Bucket+"/"+name, filepath.Join(server.Dir, server.Bucket, name)
			args, user := onFlink(t, e, f, weblogs(source, lake, "--raw", "plain")), e
			if staging != "" {
				args = append(args, "--staging", staging)
			}
			if staging == shared { // the workers' program goes there, too: there is no other place for it
				user = e.with("TMPDIR=" + filepath.Join(t.TempDir(), "none"))
				args = append(args, "--job-server", "", "--flink-home", f.Dist.Dir)
			}
			mustRun(t, user, args...)
			if diff := gocmp.Diff(want, hashLake(t, objects)); diff != "" || len(want) == 0 {
				t.Errorf("-on Prism, in a folder +on Flink:\n%s", cut(diff))
			}
			checkTidy(t, objects)
			for dir, left := range map[string][]string{
				"the server": stagedIn(t, server.Dir), "the folder": slices.Collect(maps.Keys(hashTree(t, filepath.Join(shared, "_staging")))),
				"the workers' temporary folder": rowsLeft(t, theirs),
			} {
				if len(left) > 0 {
					t.Errorf("%s keeps %q", dir, left)
				}
			}
		})
	}
	allEnded(t, f)
}

func TestAnInterruptedBackfillOnFlinkShowsNothingAndIsClearedByTheNext(t *testing.T) {
	server := testenv.S3(t)
	e, f, _ := apart(t)
	home := newEnv(t)
	first := generate(t, newEnv(t), "--lines", "20000", "--days", "1", "--seed", "82")
	many := generate(t, home, "--lines", "400000", "--days", "2", "--start", "2025-06-01", "--seed", "83")
	lake, objects := "s3://"+server.Bucket+"/web", filepath.Join(server.Dir, server.Bucket, "web")
	mustRun(t, home, weblogs(many, home.in("many"))...)
	mustRun(t, e, onFlink(t, e, f, weblogs(first, lake))...)
	visible := func() map[string]string {
		files := hashTree(t, objects)
		maps.DeleteFunc(files, func(name, _ string) bool {
			return strings.HasPrefix(name, "_staging") || strings.HasPrefix(name, "_lease")
		})
		return files
	}
	before := visible()
	p := start(t, e, onFlink(t, e, f, weblogs(many, lake))...)
	for len(hashGlob(objects, "_staging/*/runs/*")) == 0 && alive(p) {
		time.Sleep(time.Millisecond)
	}
	if err := p.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	if r := p.end(t); r.code != 1 || !strings.Contains(r.stderr, "interrupted") || !strings.Contains(r.stderr, "same command") {
		t.Fatalf("exit code %d: %s", r.code, r.stderr)
	}
	if diff := gocmp.Diff(before, visible()); diff != "" {
		t.Errorf("-before +interrupted:\n%s", cut(diff))
	}
	noWorkers(t, f)
	allEnded(t, f)
	// What workers that nobody waited for, or a machine that died, may leave.
	upload(t, server, "web/_staging/weblogs-000000000000/runs", glob(t, first)...)
	upload(t, server, "web/_staging/"+staged(t, e, many, lake)+"/runs", glob(t, first)...)
	mustRun(t, e, onFlink(t, e, f, weblogs(many, lake))...)
	checkTidy(t, objects)
	after := hashLake(t, objects)
	for name, sum := range hashLake(t, home.in("many")) {
		if after[name] != sum {
			t.Errorf("%s is not what an undisturbed run makes", name)
		}
	}
}

// staged is the name of the run that would read some logs into a lake.
func staged(t *testing.T, e env, logs, lake string) string {
	t.Helper()
	for line := range strings.Lines(mustRun(t, e, append([]string{"plan"}, weblogs(logs, lake)[1:]...)...).stdout) {
		if fields := strings.Fields(line); len(fields) == 4 && fields[2] == "run" {
			return fields[3]
		}
	}
	t.Fatal("the plan names no run")
	return ""
}

func TestRowsOfARunHereWaitWhereTheUserSays(t *testing.T) {
	server := testenv.S3(t)
	e := newEnv(t)
	logs := generate(t, e, "--lines", "20000", "--days", "2", "--servers", "2", "--seed", "84", "--malformed", "0.01")
	mustRun(t, e, weblogs(logs, e.in("folder"))...)
	want := hashLake(t, e.in("folder"))
	disk := t.TempDir()
	if shm, err := os.MkdirTemp("/dev/shm", "millrace-e2e-"); err == nil { //nolint:usetesting // another file system, where there is one
		t.Cleanup(func() { os.RemoveAll(shm) })
		disk = shm
	}
	for name, c := range map[string]struct{ lake, staging string }{
		"a folder, staged on another disk": {e.in("one"), disk},
		"a folder, staged on S3":           {e.in("two"), "s3://" + server.Bucket + "/scratch"},
		"S3, staged there":                 {"s3://" + server.Bucket + "/three", "s3://" + server.Bucket + "/three"},
		"S3, staged in a folder":           {"s3://" + server.Bucket + "/four", disk},
	} {
		objects := c.lake
		if strings.HasPrefix(c.lake, "s3://") {
			objects = filepath.Join(server.Dir, strings.TrimPrefix(c.lake, "s3://"))
		}
		writeFile(t, e.in("run.yaml"), []byte("job: weblogs\nstaging: "+c.staging+"\n"))
		mustRun(t, e, "run", "--config", e.in("run.yaml"), "--source", logs, "--lake", c.lake, "--mask-key", "env://MASK_KEY")
		if diff := gocmp.Diff(want, hashLake(t, objects)); diff != "" {
			t.Errorf("%s: -folder +lake:\n%s", name, cut(diff))
		}
		checkTidy(t, objects)
		left := append(stagedIn(t, server.Dir), slices.Collect(maps.Keys(hashTree(t, filepath.Join(disk, "_staging"))))...)
		if len(left) > 0 {
			t.Errorf("%s: left are %q", name, left)
		}
	}
}

func TestAStagingPlaceThatCannotBeUsedIsNamedBeforeAnythingRuns(t *testing.T) {
	server := testenv.S3(t)
	e := newEnv(t)
	logs := generate(t, e, "--lines", "100", "--days", "1", "--seed", "85")
	writeFile(t, e.in("file"), nil)
	lake := e.in("lake")
	for name, c := range map[string]struct {
		code    int
		staging string
		want    []string
	}{
		"another scheme":   {2, "gs://bucket/x", []string{"the scheme gs is unknown here; use a path, file:// or s3://"}},
		"no bucket":        {2, "s3:///x", []string{"the bucket is missing; write s3://bucket/prefix"}},
		"a parameter":      {2, "s3://bucket/x?fast=yes", []string{"fast"}},
		"a missing bucket": {1, "s3://no-such-bucket/x", []string{"s3://no-such-bucket/x/_staging/", "the bucket does not exist: create it, or correct the URL"}},
		"below a file":     {1, e.in("file"), []string{e.in("file", "_staging"), "a file is in the place of a folder or the other way round; move it away"}},
	} {
		t.Run(name, func(t *testing.T) {
			refused(t, e.dir, func() result { return run(t, e, weblogs(logs, lake, "--staging", c.staging, "--progress", "none")...) }, c.code, append(c.want, "--staging: ")...)
		})
	}
	t.Run("a server that is gone", func(t *testing.T) {
		away := e.with("AWS_ENDPOINT_URL_S3=http://127.0.0.1:1", "AWS_MAX_ATTEMPTS=1")
		refused(t, e.dir, func() result {
			return run(t, away, weblogs(logs, lake, "--staging", "s3://"+server.Bucket+"/x", "--progress", "none")...)
		}, 1, "--staging: ", "s3://"+server.Bucket+"/x/_staging/", "check the network, the region and AWS_ENDPOINT_URL_S3")
	})
	t.Run("for a stream", func(t *testing.T) {
		refused(t, e.dir, func() result {
			return run(t, e, live("clicks", everything, lake, "--staging", "/tmp/x")...)
		}, 2, "--staging is for backfills: rows of a stream wait in its lake; leave it out")
	})
}
