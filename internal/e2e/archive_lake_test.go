package e2e

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"millrace/internal/testenv"
	"millrace/io/lakeio"
)

// leave puts files that do not count into a lake's archive: those of another lake,
// as a run leaves them that died before its commit, and some that were replaced.
// They are put as a writer would, so that a server that knows files by more than
// their content sees them, too.
func leave(t *testing.T, lake, other string, replaced map[string][]byte) {
	t.Helper()
	to, err := lakeio.OpenStore(t.Context(), lake)
	if err != nil {
		t.Fatal(err)
	}
	put := func(key string, content []byte) {
		if _, err := to.Put(t.Context(), key, strings.NewReader(string(content)), lakeio.PutOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	for key, content := range replaced {
		put(key, content)
	}
	strays := glob(t, filepath.Join(other, "raw", "*", "*", "*", "*.parquet"))
	for _, name := range strays {
		key, err := filepath.Rel(other, name)
		if err != nil {
			t.Fatal(err)
		}
		put(key, readFile(t, name))
	}
	if len(strays) == 0 {
		t.Fatal("nothing was left")
	}
}

// rawFiles are the files of the archive of a lake, whose objects lie in a folder,
// by key.
func rawFiles(t *testing.T, objects, day string) map[string][]byte {
	t.Helper()
	files := map[string][]byte{}
	for _, name := range glob(t, filepath.Join(objects, "raw", day, "*.parquet")) {
		key, err := filepath.Rel(objects, name)
		if err != nil {
			t.Fatal(err)
		}
		files[key] = readFile(t, name)
	}
	return files
}

func TestABackfillOverALakesArchiveReadsWhatCounts(t *testing.T) {
	server := testenv.S3(t)
	e := newEnv(t)
	logs := generate(t, e, "--lines", "20000", "--days", "3", "--servers", "2", "--seed", "86", "--malformed", "0.01")
	strange := newEnv(t)
	mustRun(t, strange, weblogs(generate(t, strange, "--lines", "2000", "--days", "3", "--seed", "87"), strange.in("lake"), "--raw", "plain")...)
	const some = "2025-03-04"
	for name, flags := range map[string][]string{"all days": nil, "a day": {"--from", some, "--to", some}} {
		mustRun(t, e, weblogs(logs, e.in(name), flags...)...)
	}
	for kind, lake := range map[string]string{"folder": e.in("lake"), "S3": "s3://" + server.Bucket + "/lake"} {
		objects := lake
		if kind == "S3" {
			objects = filepath.Join(server.Dir, server.Bucket, "lake")
		}
		mustRun(t, e, weblogs(logs, lake, "--raw", "plain")...)
		replaced := rawFiles(t, objects, day(some))
		mustRun(t, e, weblogs(logs, lake, "--raw", "plain", "--set", "sessions.gap=20m", "--from", some, "--to", some)...)
		leave(t, lake, strange.in("lake"), replaced)
		for name, flags := range map[string][]string{"all days": nil, "a day": {"--from", some, "--to", some}} {
			again := e.in(kind + " " + name)
			r := mustRun(t, e, weblogs(lake+"/raw", again, flags...)...)
			if !strings.Contains(r.stderr, "files in "+lake+"/raw are left out") {
				t.Errorf("%s, %s: nothing is said of the files that do not count: %s", kind, name, r.stderr)
			}
			want := hashLake(t, e.in(name))
			if diff := gocmp.Diff(want, hashLake(t, again)); diff != "" || len(want) == 0 {
				t.Errorf("%s, %s: -from the logs +from the archive:\n%s", kind, name, cut(diff))
			}
		}
	}
}

// TestAStreamBegunWithALakesArchiveReadsWhatCounts: the new lake has the records of
// the old one's archive up to a time, and those of the stream from it on.
func TestAStreamBegunWithALakesArchiveReadsWhatCounts(t *testing.T) {
	server := testenv.Kinesis(t)
	e := newEnv(t)
	f := newFeed(t, server, "web")
	f.some(t, len(f.rest)/2)
	mustRun(t, e, live("web", everything, e.in("old"), "--raw", "plain")...)
	until := time.Time{}
	store, err := lakeio.OpenStore(t.Context(), e.in("old"))
	if err != nil {
		t.Fatal(err)
	}
	parts, err := lakeio.ReadLedger(t.Context(), store)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range parts {
		if last := time.UnixMilli(p.Close.LastArrival).UTC(); last.After(until) {
			until = last
		}
	}
	f.some(t, len(f.rest))
	strange := newEnv(t)
	mustRun(t, strange, weblogs(generate(t, strange, "--lines", "2000", "--days", "2", "--seed", "88"), strange.in("lake"), "--raw", "plain")...)
	leave(t, e.in("old"), strange.in("lake"), nil)
	mustRun(t, e, live("web", "until=tip", e.in("new"), "--raw", "plain", "--archive", e.in("old", "raw"), "--until-archive", until.Format(time.RFC3339Nano))...)
	sameAsLogs(t, e, e.in("new"), f)
}
