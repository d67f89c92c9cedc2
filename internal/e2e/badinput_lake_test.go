package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
)

// smallDisk mounts a file system of the given size in the user's folder, which
// takes rights that a test may not have.
func smallDisk(t *testing.T, e env, kib int) (dir string, ok bool) {
	t.Helper()
	dir = e.in("disk")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := mountMemory(dir, kib); err != nil {
		return "", false
	}
	t.Cleanup(func() { _ = syscall.Unmount(dir, 0) }) // done already where the test went well
	return dir, true
}

// TestAFullDiskIsNamedAtWhateverMomentItIsFull runs on disks of growing size, so
// that the space ends while rows spill, while files are written and while they
// are committed.
func TestAFullDiskIsNamedAtWhateverMomentItIsFull(t *testing.T) {
	t.Parallel()
	e := userWith(t)
	writeFile(t, e.in("logs", "many.log"), manyLines(3_000))
	mustRun(t, e, weblogs("logs/good.log", "used", "--no-report")...)
	failed, done := 0, 0
	for kib := 16; kib <= 2400; kib += max(16, kib/4) {
		disk, ok := smallDisk(t, e, kib)
		if !ok {
			t.Skip("a small disk cannot be mounted here; the limit of file sizes is tested in its place")
		}
		for _, lake := range []string{filepath.Join(disk, "not", "yet", "there"), filepath.Join(disk, "used")} {
			if filepath.Base(lake) == "used" && os.CopyFS(lake, os.DirFS(e.in("used"))) != nil {
				continue // does not even hold the lake
			}
			before := hashTree(t, disk)
			args := weblogs("logs/many.log", lake, "--no-report", "--from", "2015-05-17")
			r := run(t, e, args...)
			if r.code == 0 {
				done++
				continue
			}
			failed++
			checkRejection(t, r, 1, args, "no space left on device; free some space there (or raise the quota), then run the same command again")
			if !strings.Contains(r.stderr, disk) {
				t.Errorf("%d KiB: the disk is not named in %s", kib, r.stderr)
			}
			if diff := gocmp.Diff(before, hashTree(t, disk)); diff != "" {
				t.Errorf("%d KiB: %s changed:\n%s", kib, lake, diff)
			}
		}
		if err := syscall.Unmount(disk, 0); err != nil {
			t.Fatal(err)
		}
	}
	if failed < 5 || done == 0 {
		t.Errorf("%d runs failed and %d succeeded: the sizes are chosen badly", failed, done)
	}
}

func TestALimitOfFileSizesIsAnErrorOfTheWrite(t *testing.T) {
	t.Parallel()
	e := userWith(t)
	writeFile(t, e.in("logs", "many.log"), manyLines(3_000))
	mustRun(t, e, weblogs("logs/good.log", "used", "--no-report")...)
	for _, lake := range []string{"not/yet/there", "used"} {
		before := hashTree(t, e.dir)
		args := weblogs("logs/many.log", lake, "--no-report", "--from", "2015-05-17")
		r := limited(t, e, "ulimit -f 32", args...)
		checkRejection(t, r, 1, args, "file too large; raise the limit of file sizes (ulimit -f)")
		if diff := gocmp.Diff(before, hashTree(t, e.dir)); diff != "" {
			t.Errorf("%s changed:\n%s", lake, diff)
		}
	}
}

func TestAReadOnlyLakeIsNamed(t *testing.T) {
	t.Parallel()
	e := userWith(t)
	mustRun(t, e, weblogs("logs/good.log", "used")...)
	for _, lake := range []string{"used", "used/below"} {
		before := hashTree(t, e.dir)
		if err := os.Chmod(e.in("used"), 0o555); err != nil {
			t.Fatal(err)
		}
		args := weblogs("logs/good.log", lake)
		r := asOther(t, e, args)
		if err := os.Chmod(e.in("used"), 0o755); err != nil {
			t.Fatal(err)
		}
		checkRejection(t, r, 1, args, "permission denied; give the user who runs this the right to it (see ls -ld), or choose another place")
		if diff := gocmp.Diff(before, hashTree(t, e.dir)); diff != "" || !strings.Contains(r.stderr, lake) {
			t.Errorf("%s changed, or is not named in %s:\n%s", lake, r.stderr, diff)
		}
	}
}

func TestAReadOnlyDiskIsNamed(t *testing.T) {
	t.Parallel()
	e := userWith(t)
	disk, ok := smallDisk(t, e, 4096)
	if !ok {
		t.Skip("a disk cannot be mounted here")
	}
	mustRun(t, e, weblogs("logs/good.log", filepath.Join(disk, "used"))...)
	if err := remountReadOnly(disk); err != nil {
		t.Fatal(err)
	}
	for _, lake := range []string{"used", "new"} {
		rejected(t, e, 1, weblogs("logs/good.log", filepath.Join(disk, lake)), "disk/"+lake)
	}
}

func TestALakeOfAnotherVersionIsRefused(t *testing.T) {
	t.Parallel()
	e := userWith(t)
	mustRun(t, e, weblogs("logs/good.log", "lake")...)
	current := e.in("lake", "_current", "sessions.json")
	now := string(readFile(t, current))
	later := strings.Replace(now, "weblog.sessions/", "weblog.sessions/9", 1)
	if later == now {
		t.Fatalf("no schema in %s", now)
	}
	writeFile(t, current, []byte(later))
	rejected(t, e, 1, weblogs("logs/good.log", "lake"), "write to lake/sessions: it holds rows of schema weblog.sessions/9")
	writeFile(t, current, []byte(now[:len(now)/2]))
	rejected(t, e, 1, weblogs("logs/good.log", "lake"), "read lake/_current/sessions.json: ")
}

func TestAFileInThePlaceOfALakeIsNamed(t *testing.T) {
	t.Parallel()
	e := userWith(t)
	writeFile(t, e.in("file"), []byte("not a lake"))
	for _, lake := range []string{"file", "file/below"} {
		rejected(t, e, 1, weblogs("logs/good.log", lake), "not a directory; a file is in the place of a folder")
	}
}

// limited runs the program from a shell that has set a limit.
func limited(t *testing.T, e env, limit string, args ...string) result {
	t.Helper()
	p := command(t, e, "sh", append([]string{"-c", limit + `; exec "$@"`, "sh", build(t)}, args...)...)
	return p.end(t)
}
