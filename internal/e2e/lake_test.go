package e2e

import (
	"encoding/json"
	"fmt"
	"maps"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"millrace/schemas/manifest"
)

// day is the folder of a day in an output.
func day(text string) string {
	return fmt.Sprintf("year=%s/month=%s/day=%s", text[:4], text[5:7], text[8:])
}

// ofDays keeps the files of some days.
func ofDays(hashes map[string]string, days ...string) map[string]string {
	kept := maps.Clone(hashes)
	maps.DeleteFunc(kept, func(name, _ string) bool {
		for _, d := range days {
			if strings.Contains(name, day(d)) {
				return false
			}
		}
		return true
	})
	return kept
}

// refused fails unless a run ended with the exit code, said all of the words, and
// left the lake as it was.
func refused(t *testing.T, lake string, run func() result, code int, words ...string) {
	t.Helper()
	before := hashTree(t, lake)
	r := run()
	if r.code != code || r.stdout != "" {
		t.Errorf("exit code %d, want %d; stdout %q", r.code, code, r.stdout)
	}
	for _, w := range words {
		if !strings.Contains(r.stderr, w) {
			t.Errorf("stderr does not say %q: %s", w, r.stderr)
		}
	}
	after := hashTree(t, lake)
	for _, m := range []map[string]string{before, after} {
		maps.DeleteFunc(m, func(name, _ string) bool { return strings.HasPrefix(name, "_lease") })
	}
	if diff := gocmp.Diff(before, after); diff != "" {
		t.Errorf("the lake, -before +after:\n%s", cut(diff))
	}
}

func TestTwoRunsOnOneLakeDoNotMix(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	logs := generate(t, e, "--lines", "100000", "--days", "2", "--seed", "41")
	mustRun(t, e, weblogs(logs, e.in("alone"))...)
	lake := e.in("lake")
	first := start(t, e, weblogs(logs, lake)...)
	for len(hashGlob(lake, "_staging/*/runs/*")) == 0 && alive(first) {
		time.Sleep(100 * time.Microsecond)
	}
	if err := first.Process.Signal(syscall.SIGSTOP); err != nil { // so that it is there for as long as we need
		t.Fatal(err)
	}
	second := run(t, e, weblogs(filepath.Join(accessLogs(t), "*.gz"), lake)...)
	same := run(t, e, weblogs(logs, lake)...)
	if err := first.Process.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	for _, r := range []result{second, same} {
		if pid := fmt.Sprintf("process %d", first.Process.Pid); r.code != 1 || !strings.Contains(r.stderr, lake) || !strings.Contains(r.stderr, pid) || !strings.Contains(r.stderr, "wait") {
			t.Errorf("a run beside another: exit code %d, stderr %q; want 1, the lake, %s and the cure", r.code, r.stderr, pid)
		}
	}
	if r := first.end(t); r.code != 0 {
		t.Fatalf("the first run was harmed: exit code %d, %s", r.code, r.stderr)
	}
	if diff := gocmp.Diff(hashLake(t, e.in("alone")), hashLake(t, lake)); diff != "" {
		t.Errorf("-alone +beside others:\n%s", cut(diff))
	}
	checkTidy(t, lake)
}

func TestRewritingADayRaisesItsRevision(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	generate(t, e, "--lines", "20000", "--days", "2", "--servers", "2", "--seed", "42", "--malformed", "0.01")
	lake, all := e.in("lake"), e.in("logs", "access*")
	one, two := e.in("logs", "access-01.log"), e.in("logs", "access-02.log")
	mustRun(t, e, weblogs(one, lake)...)
	before := hashLake(t, lake)

	t.Run("rows of another input are not lost", func(t *testing.T) {
		refused(t, lake, func() result { return run(t, e, weblogs(two, lake)...) }, 1, "2025-03-0", "events", "--source", "--from", "--to", "lose")
	})
	t.Run("more inputs", func(t *testing.T) {
		mustRun(t, e, weblogs(all, lake)...)
		after := hashLake(t, lake)
		for name := range before {
			if _, there := after[name]; there {
				t.Errorf("still there: %s", name)
			}
		}
		checkTidy(t, lake)
		checkManifest(t, lake)
		for _, output := range []string{"sessions", "traffic", "top_pages", "visitors", "bots", "clients"} {
			if r := sql(t, lake, "SELECT DISTINCT version >> 32 FROM "+output); len(r) != 1 || r[0][0] != "1" {
				t.Errorf("revisions in %s: %v, want 1", output, r)
			}
		}
		// But for the revision, the lake is what a fresh one is.
		mustRun(t, e, weblogs(all, e.in("fresh"))...)
		for _, q := range []string{
			"SELECT * FROM events", "SELECT * FROM bad_rows", "SELECT * REPLACE (version & 4294967295 AS version) FROM sessions",
			"SELECT * REPLACE (version & 4294967295 AS version) FROM traffic",
		} {
			q += " ORDER BY ALL"
			if diff := gocmp.Diff(sql(t, e.in("fresh"), q), sql(t, lake, q)); diff != "" {
				t.Errorf("%s: -fresh +rewritten:\n%s", q, cut(diff))
			}
		}
	})
	t.Run("again", func(t *testing.T) {
		want := hashLake(t, lake)
		mustRun(t, e, weblogs(all, lake)...)
		if diff := gocmp.Diff(want, hashLake(t, lake)); diff != "" {
			t.Errorf("-before +again:\n%s", cut(diff))
		}
	})
	t.Run("fewer inputs are refused", func(t *testing.T) {
		refused(t, lake, func() result { return run(t, e, weblogs(one, lake)...) }, 1, "2025-03-0", "lose")
	})
	t.Run("fewer inputs, days named", func(t *testing.T) {
		others := hashLake(t, lake)
		mustRun(t, e, weblogs(one, lake, "--from", "2025-03-04", "--to", "2025-03-04")...)
		after := hashLake(t, lake)
		if diff := gocmp.Diff(ofDays(others, "2025-03-03"), ofDays(after, "2025-03-03")); diff != "" {
			t.Errorf("the day before changed:\n%s", diff)
		}
		if r := sql(t, lake, "SELECT day, version >> 32 FROM visitors ORDER BY day"); fmt.Sprint(r) != "[[2025-03-03 1] [2025-03-04 2]]" {
			t.Errorf("revisions by day: %v", r)
		}
		checkTidy(t, lake)
	})
}

// checkManifest holds the record of the latest run against the lake's files.
func checkManifest(t *testing.T, lake string) {
	t.Helper()
	m := readManifest(t, lake)
	files := hashLake(t, lake)
	if m.State != manifest.Done || len(m.Files) != len(files) || m.KeyID != maskKeyID {
		t.Errorf("manifest: state %s, %d files of %d, key %s", m.State, len(m.Files), len(files), m.KeyID)
	}
	rows := map[string]int64{}
	for _, f := range m.Files {
		if files[f.Key] != f.SHA256 || int64(len(readFile(t, filepath.Join(lake, f.Key)))) != f.Bytes {
			t.Errorf("%s is not what the manifest says: %s, %d bytes", f.Key, f.SHA256, f.Bytes)
		}
		output, _, _ := strings.Cut(f.Key, "/")
		rows[output] += f.Rows
	}
	for output, n := range rows {
		if got := number(t, sql(t, lake, "SELECT count(*) FROM "+output)[0][0]); got != n || m.Outputs[output].Rows != n {
			t.Errorf("%s: %d rows by its files in the manifest, %d by its counts, %d in the lake", output, n, m.Outputs[output].Rows, got)
		}
	}
}

func TestNamedDaysAloneAreWrittenAsInAWholeRun(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	logs := generate(t, e, "--lines", "40000", "--days", "5", "--servers", "2", "--seed", "43", "--malformed", "0.01")
	mustRun(t, e, weblogs(logs, e.in("whole"))...)
	whole := hashLake(t, e.in("whole"))
	if over := sql(t, e.in("whole"), "SELECT start_time::DATE, count(*) FROM sessions WHERE start_time::DATE < end_time::DATE GROUP BY 1"); len(over) < 4 {
		t.Fatalf("sessions over a midnight, by day: %v; want some on each", over)
	}
	for days, flags := range map[string][]string{
		"2025-03-04 2025-03-05":            {"--from", "2025-03-04", "--to", "2025-03-05"},
		"2025-03-06":                       {"--from", "2025-03-06", "--to", "2025-03-06"},
		"1970-01-01 2025-03-03 2025-03-04": {"--to", "2025-03-04"}, // bad rows without a readable neighbour have the first day there is
		"2025-03-05 2025-03-06 2025-03-07": {"--from", "2025-03-05"},
	} {
		t.Run(days, func(t *testing.T) {
			mustRun(t, e, weblogs(logs, e.in(days), flags...)...)
			if diff := gocmp.Diff(ofDays(whole, strings.Fields(days)...), hashLake(t, e.in(days))); diff != "" {
				t.Errorf("-those days of the whole run +run of those days:\n%s", cut(diff))
			}
			if l := readManifest(t, e.in(days)).Ledger; !l.Balanced || l.Skipped == 0 || l.In != 40000 {
				t.Errorf("ledger %s", l)
			}
		})
	}
}

func TestALogDeliveredTwiceIsReadOnce(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	logs := accessLogs(t)
	mustRun(t, e, weblogs(filepath.Join(logs, "*.gz"), e.in("once"))...)
	for i, name := range glob(t, filepath.Join(logs, "*.gz")) {
		writeFile(t, e.in("twice", "sub", filepath.Base(name)), readFile(t, name))
		plain := gunzip(t, name)
		writeFile(t, e.in("twice", fmt.Sprintf("renamed-%d.log.1", i)), plain)
		if i == 0 { // and once more, from when it was shorter
			n := strings.LastIndexByte(string(plain[:len(plain)*3/4]), '\n') + 1
			writeFile(t, e.in("twice", "earlier.log"), plain[:n])
		}
	}
	r := mustRun(t, e, weblogs(e.in("twice"), e.in("lake"))...)
	if diff := gocmp.Diff(hashLake(t, e.in("once")), hashLake(t, e.in("lake"))); diff != "" {
		t.Errorf("-delivered once +twice:\n%s", cut(diff))
	}
	l := readManifest(t, e.in("lake")).Ledger
	if l.Duplicate < l.Events || !l.Balanced || strings.Count(r.stderr, "duplicate") != 3 {
		t.Errorf("ledger %s; stderr %s", l, r.stderr)
	}
}

func TestALakeKnowsItsKeyAndRefusesAnother(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	lake, source := e.in("lake"), filepath.Join(accessLogs(t), "hackers_a.log.gz")
	mustRun(t, e, weblogs(source, lake)...)
	var kept any
	readJSON(t, filepath.Join(lake, "_keys.json"), &kept)
	text, err := json.Marshal(kept)
	if err != nil {
		t.Fatal(err)
	}
	digits := maskKey[len(maskKeyID)+1:]
	list, _ := kept.(map[string]any)["keys"].([]any)
	if len(list) != 1 || len(list[0].(map[string]any)) != 2 || !strings.Contains(string(text), `"id":"`+maskKeyID+`"`) {
		t.Errorf("the lake keeps %s; want id and check of one key", text)
	}
	for name, h := range hashTree(t, lake) {
		if h != "folder" && strings.Contains(string(readFile(t, filepath.Join(lake, name))), digits[:32]) {
			t.Errorf("%s holds the key", name)
		}
	}
	for name, key := range map[string]string{
		"another id":                 "k000000:" + digits,
		"another key of the same id": maskKeyID + ":" + strings.Repeat("ab", 32),
	} {
		t.Run(name, func(t *testing.T) {
			refused(t, lake, func() result { return run(t, e.with("MASK_KEY="+key), weblogs(source, lake)...) }, 2, lake, maskKeyID, "--mask-key", "another lake")
		})
	}
	t.Run("a key of one's own", func(t *testing.T) {
		refused(t, lake, func() result { return run(t, e, "run", "weblogs", "--source", source, "--lake", lake) }, 2, lake, maskKeyID, "--mask-key")
		if exists(e.keyFile()) {
			t.Error("a key was made for a run that was refused")
		}
	})
}

func TestPlanTouchesNothing(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	source, lake := filepath.Join(accessLogs(t), "*.gz"), e.in("lake")
	plan := func(args ...string) string {
		t.Helper()
		home, dir := hashTree(t, e.home), hashTree(t, e.dir)
		r := mustRun(t, e, append([]string{"plan", "weblogs", "--source", source}, args...)...)
		if diff := gocmp.Diff(home, hashTree(t, e.home)) + gocmp.Diff(dir, hashTree(t, e.dir)); diff != "" {
			t.Errorf("plan %v changed files, -before +after:\n%s", args, diff)
		}
		return r.stdout
	}
	says := func(out string, words ...string) {
		t.Helper()
		for _, w := range words {
			if !strings.Contains(out, w) {
				t.Errorf("the plan does not say %q:\n%s", w, out)
			}
		}
	}
	says(plan("--lake", lake), "hackers_a.log.gz", "semicomplete", "combined", e.keyFile(), "sessions.gap", "30m", "events", "bad_rows")
	if exists(e.keyFile()) || exists(lake) {
		t.Error("the plan made a key or a lake")
	}
	mustRun(t, e, "run", "weblogs", "--source", source, "--lake", lake)
	says(plan("--lake", lake), readManifest(t, lake).Run, "6,253 rows", readManifest(t, lake).KeyID)
	source = filepath.Join(accessLogs(t), "hackers_a.log.gz")
	says(plan("--lake", lake), "kept")
}
