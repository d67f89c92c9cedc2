package e2e

import (
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
)

const (
	kills    = 20
	killSeed = 3
)

// TestAKilledRunIsFinishedByTheSameCommand kills runs at moments of two kinds:
// after a random share of the time an undisturbed run takes, and when a random
// piece of its work has just appeared in the lake's folder, which hits the short
// commit too.
func TestAKilledRunIsFinishedByTheSameCommand(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	logs := generate(t, e, "--lines", "40000", "--days", "4", "--servers", "2", "--seed", "31", "--malformed", "0.01")
	args := weblogs(logs, e.in("undisturbed"))
	began := time.Now()
	mustRun(t, e, args...)
	whole := time.Since(began)
	want := hashLake(t, e.in("undisturbed"))

	r := rand.New(rand.NewPCG(killSeed, 0))
	t.Logf("seed %d, an undisturbed run took %v and made %d files", killSeed, whole, len(want))
	hit := map[string]int{}
	for i := range kills {
		lake := e.in(fmt.Sprint("lake", i))
		var when string
		var due func() bool
		if i < kills/2 {
			after := time.Duration(r.Int64N(int64(whole)))
			start := time.Now()
			when, due = fmt.Sprintf("after %v", after.Round(time.Millisecond)), func() bool { return time.Since(start) >= after }
		} else {
			when, due = milestone(r, lake, len(want), i)
		}
		p := start(t, e, weblogs(logs, lake)...)
		for !due() && alive(p) {
			time.Sleep(50 * time.Microsecond)
		}
		_ = p.Process.Kill()
		r := p.end(t)
		state := stage(lake, r)
		hit[state]++
		t.Logf("kill %d, %s: %s", i, when, state)
		again := mustRun(t, e, weblogs(logs, lake)...)
		if diff := gocmp.Diff(want, hashLake(t, lake)); diff != "" {
			t.Errorf("killed %s (%s), then finished; -undisturbed +lake:\n%s\nstderr: %s", when, state, cut(diff), again.stderr)
		}
		checkTidy(t, lake)
		if err := os.RemoveAll(lake); err != nil {
			t.Fatal(err)
		}
	}
	if hit["while staging"] < 3 || hit["in the commit"] < 3 {
		t.Errorf("too few kills hit the run where it matters: %v", hit)
	}
}

// milestone picks a sign of progress in the lake's folder.
func milestone(r *rand.Rand, lake string, files, i int) (when string, due func() bool) {
	matches := func(pattern string, least int) func() bool {
		return func() bool {
			names, _ := filepath.Glob(filepath.Join(lake, pattern))
			return len(names) >= least
		}
	}
	switch i % 5 {
	case 0:
		n := 1 + r.IntN(8)
		return fmt.Sprintf("when %d runs were spilled", n), matches("_staging/*/runs/*", n)
	case 1:
		n := 1 + r.IntN(files)
		return fmt.Sprintf("when %d parts were finished", n), matches("_staging/*/done/*.json", n)
	case 2:
		return "when the commit was decided", matches("_commit.json", 1)
	case 3:
		n := 1 + r.IntN(files)
		return fmt.Sprintf("when %d files were placed", n), matches("*/year=*/*/*/*.parquet", n)
	default:
		n := 1 + r.IntN(8)
		return fmt.Sprintf("when %d outputs were switched", n), matches("_current/*.json", n)
	}
}

// alive tells whether the process has not ended; it may be a zombie then.
func alive(p *process) bool {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.Process.Pid))
	if err != nil {
		return p.Process.Signal(syscall.Signal(0)) == nil
	}
	_, rest, _ := strings.Cut(string(b), ") ")
	return !strings.HasPrefix(rest, "Z")
}

// stage says how far a killed run had come.
func stage(lake string, r result) string {
	switch {
	case r.code == 0:
		return "when it was over"
	case exists(filepath.Join(lake, "_commit.json")):
		return "in the commit"
	case len(hashGlob(lake, "*/year=*/*/*/*.parquet")) > 0:
		return "after the commit"
	case exists(filepath.Join(lake, "_staging")):
		return "while staging"
	}
	return "before staging"
}

func exists(name string) bool {
	_, err := os.Stat(name)
	return err == nil
}

func hashGlob(lake, pattern string) []string {
	names, _ := filepath.Glob(filepath.Join(lake, pattern))
	return names
}

// checkTidy fails for whatever lies in a lake that no current output names and
// that is none of the lake's own books.
func checkTidy(t testing.TB, lake string) {
	t.Helper()
	named := map[string]bool{"report.html": true, "_keys.json": true}
	for _, name := range hashGlob(lake, "_current/*.json") {
		var c struct {
			Days map[string]struct {
				Files []struct {
					Key string `json:"key"`
				} `json:"files"`
			} `json:"days"`
		}
		readJSON(t, name, &c)
		for _, d := range c.Days {
			for _, f := range d.Files {
				named[f.Key] = true
			}
		}
	}
	err := filepath.WalkDir(lake, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(lake, name)
		if err != nil {
			return err
		}
		folder, _, _ := strings.Cut(rel, "/")
		switch {
		case folder == "_staging":
			t.Errorf("the staging area is left: %s", rel)
			return fs.SkipDir
		case d.IsDir(), named[rel], slices.Contains([]string{"_current", "_runs"}, folder) && !strings.HasPrefix(d.Name(), "."), folder == "_lease":
			delete(named, rel)
			return nil
		}
		t.Errorf("left over in the lake: %s", rel)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	delete(named, "report.html")
	delete(named, "_keys.json")
	for name := range named {
		t.Errorf("named by an output, but not in the lake: %s", name)
	}
}

// TestInterruptStopsPromptlyAndTheSameCommandContinues interrupts a run on a lake
// that has rows already.
func TestInterruptStopsPromptlyAndTheSameCommandContinues(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	logs := generate(t, e, "--lines", "200000", "--days", "2", "--seed", "33")
	mustRun(t, e, weblogs(logs, e.in("undisturbed"))...)
	undisturbed := hashLake(t, e.in("undisturbed"))
	for name, sig := range map[string]syscall.Signal{"Ctrl-C": syscall.SIGINT, "SIGTERM": syscall.SIGTERM} {
		t.Run(name, func(t *testing.T) {
			lake := e.in(name)
			mustRun(t, e, weblogs(filepath.Join(accessLogs(t), "hackers_a.log.gz"), lake)...)
			before := hashLake(t, lake)
			p := start(t, e, weblogs(logs, lake)...)
			for !exists(filepath.Join(lake, "_staging")) && alive(p) {
				time.Sleep(time.Millisecond)
			}
			if err := p.Process.Signal(sig); err != nil {
				t.Fatal(err)
			}
			r := p.end(t)
			if r.code != 1 || !strings.Contains(r.stderr, "interrupted") || !strings.Contains(r.stderr, "same command") || strings.Count(r.stderr, "\n") != 1 || r.stdout != "" {
				t.Errorf("exit code %d, stdout %q, stderr %q; want 1 and one line that says how to go on", r.code, r.stdout, r.stderr)
			}
			if diff := gocmp.Diff(before, hashLake(t, lake)); diff != "" {
				t.Errorf("-before +interrupted:\n%s", diff)
			}
			mustRun(t, e, weblogs(logs, lake)...)
			checkTidy(t, lake)
			after := hashLake(t, lake)
			for name, sum := range undisturbed {
				if after[name] != sum {
					t.Errorf("%s differs from that of an undisturbed run", name)
				}
			}
			if len(after) != len(before)+len(undisturbed) {
				t.Errorf("%d files, want %d of the lake as it was and %d new ones", len(after), len(before), len(undisturbed))
			}
		})
	}
}
