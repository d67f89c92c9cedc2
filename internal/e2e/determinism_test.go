package e2e

import (
	"bytes"
	"compress/gzip"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
)

// A brokenFarm has what could make rows depend on how input is cut: several
// servers, malformed and over-long lines, disorder and lines written twice.
var brokenFarm = []string{"--lines", "30000", "--days", "3", "--servers", "2", "--seed", "21", "--malformed", "0.02", "--disorder", "1m", "--duplicates", "0.01"}

func TestEqualInputGivesEqualBytes(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	logs := generate(t, e, brokenFarm...)
	lake := e.in("lake")
	mustRun(t, e, weblogs(logs, lake)...)
	want := hashLake(t, lake)
	if len(want) < 20 {
		t.Fatalf("the lake has %d files", len(want))
	}
	same := func(t *testing.T, lake string) {
		t.Helper()
		if diff := gocmp.Diff(want, hashLake(t, lake)); diff != "" {
			t.Errorf("-first run +this one:\n%s", cut(diff))
		}
	}
	t.Run("a second run on the lake", func(t *testing.T) {
		mustRun(t, e, weblogs(logs, lake)...)
		same(t, lake)
	})
	for _, procs := range []string{"1", "2", "5"} {
		t.Run("on "+procs+" cores", func(t *testing.T) {
			mustRun(t, e.with("GOMAXPROCS="+procs), weblogs(logs, e.in("cores"+procs))...)
			same(t, e.in("cores"+procs))
		})
	}
	t.Run("in ranges of 1 MiB", func(t *testing.T) {
		mustRun(t, e, weblogs("file://"+logs+"?split=1MiB", e.in("ranges"))...)
		same(t, e.in("ranges"))
	})
	for _, parameters := range []string{"?block=64KiB", "?block=16MiB&split=16MiB", "?split=256KiB&block=32KiB"} {
		t.Run("in blocks "+parameters, func(t *testing.T) {
			mustRun(t, e, weblogs("file://"+logs+parameters, e.in(parameters))...)
			sameButNoted(t, lake, e.in(parameters))
		})
	}
	t.Run("compressed and renamed", func(t *testing.T) {
		for i, name := range glob(t, logs) {
			var b bytes.Buffer
			z := gzip.NewWriter(&b)
			if _, err := z.Write(readFile(t, name)); err != nil {
				t.Fatal(err)
			}
			if err := z.Close(); err != nil {
				t.Fatal(err)
			}
			writeFile(t, e.in("rotated", string(rune('z'-i))+".log.7.gz"), b.Bytes())
		}
		mustRun(t, e, weblogs(e.in("rotated"), e.in("from-rotated"))...)
		same(t, e.in("from-rotated"))
	})
	t.Run("under a key of another name", func(t *testing.T) {
		other := e
		other.vars = []string{"MASK_KEY=other" + maskKey[len(maskKeyID):]}
		mustRun(t, other, weblogs(logs, e.in("other-key"))...)
		if maps.Equal(want, hashLake(t, e.in("other-key"))) {
			t.Error("the key makes no difference")
		}
	})
}

// sameButNoted compares lakes of runs that cut their input into other blocks: a
// bad row is filed under the time of a neighbour in its block, and nothing else
// may depend on the cut.
func sameButNoted(t *testing.T, want, got string) {
	t.Helper()
	rest := func(lake string) map[string]string {
		hashes := hashLake(t, lake)
		maps.DeleteFunc(hashes, func(name, _ string) bool { return strings.HasPrefix(name, "bad_rows/") })
		return hashes
	}
	if diff := gocmp.Diff(rest(want), rest(got)); diff != "" {
		t.Errorf("-blocks of 1 MiB +others:\n%s", cut(diff))
	}
	const rows = "SELECT * EXCLUDE (noted_time) FROM bad_rows ORDER BY bad_row_id"
	if diff := gocmp.Diff(sql(t, want, rows), sql(t, got, rows)); diff != "" {
		t.Errorf("bad rows, -blocks of 1 MiB +others:\n%s", cut(diff))
	}
}

func TestAKeyOfOnesOwnIsMadeOnceAndKept(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	source := filepath.Join(accessLogs(t), "hackers_a.log.gz")
	first := mustRun(t, e, "run", "weblogs", "--source", source, "--lake", e.in("first"))
	if !bytes.Contains([]byte(first.stderr), []byte(e.keyFile())) {
		t.Errorf("the run does not say where it made the key: %s", first.stderr)
	}
	if st, err := os.Stat(e.keyFile()); err != nil || st.Mode().Perm() != 0o600 {
		t.Fatalf("key file: %v, %v", st, err)
	}
	second := mustRun(t, e, "run", "weblogs", "--source", source, "--lake", e.in("second"))
	if second.stderr != "" {
		t.Errorf("the second run says: %s", second.stderr)
	}
	if diff := gocmp.Diff(hashLake(t, e.in("first")), hashLake(t, e.in("second"))); diff != "" {
		t.Errorf("-first lake +second:\n%s", diff)
	}
	secret := bytes.TrimSpace(readFile(t, e.keyFile()))
	if _, digits, ok := bytes.Cut(secret, []byte(":")); ok {
		secret = digits
	}
	for name := range hashTree(t, e.in("first")) {
		if st, err := os.Stat(e.in("first", name)); err == nil && st.Mode().IsRegular() && bytes.Contains(readFile(t, e.in("first", name)), secret) {
			t.Errorf("%s holds the key", name)
		}
	}
}

func glob(t testing.TB, pattern string) []string {
	t.Helper()
	names, err := filepath.Glob(pattern)
	if err != nil || len(names) == 0 {
		t.Fatalf("nothing matches %s (%v)", pattern, err)
	}
	return names
}
