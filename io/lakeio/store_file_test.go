package lakeio

import (
	"bufio"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"millrace/io/driver"
	"millrace/io/iotest"
)

// again runs one test of this binary in a process of its own.
func again(t *testing.T, test string, env ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "/proc/self/exe", "-test.run=^"+test+"$", "-test.v")
	cmd.Env = append(os.Environ(), env...)
	return cmd
}

func TestOtherUsersMeetPermissions(t *testing.T) {
	if os.Geteuid() == 0 { // root meets none: become somebody else
		cmd := again(t, t.Name(), "TMPDIR=/tmp", "HOME=/tmp")
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
		out, err := cmd.CombinedOutput()
		if err != nil || !strings.Contains(string(out), "--- PASS: "+t.Name()) {
			t.Errorf("%v\n%s", err, out)
		}
		return
	}
	t.Run("source", func(t *testing.T) {
		iotest.RunSourceTests(t, iotest.SourceHarness{MaxRecord: suiteMaxLine, New: func(t *testing.T) iotest.SourcePlace {
			return fileHarness(t, plain)
		}})
	})
	chmod := func(t *testing.T, path string, mode os.FileMode) {
		t.Helper()
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = os.Chmod(path, 0o755) })
	}
	refused := func(t *testing.T, err error, object string) {
		t.Helper()
		if !errors.Is(err, driver.ErrPermission) || !strings.Contains(err.Error(), object) || !strings.Contains(err.Error(), "give the user") {
			t.Errorf("the error is %v", err)
		}
	}
	t.Run("folder that cannot be listed", func(t *testing.T) {
		dir := t.TempDir()
		write(t, dir+"/closed/a.log", "x\n")
		chmod(t, dir+"/closed", 0)
		for _, location := range []string{dir, dir + "/closed", dir + "/closed/*.log", dir + "/closed/a.log"} {
			_, err := openSource(t, location).Splits(t.Context())
			refused(t, err, dir+"/closed")
		}
	})
	t.Run("lake that cannot be written", func(t *testing.T) {
		lake := t.TempDir() + "/lake"
		write(t, lake+"/events/a", "x")
		chmod(t, lake+"/events", 0o555)
		chmod(t, lake, 0o555)
		s := openStore(t, lake)
		_, err := s.Put(t.Context(), "events/b", strings.NewReader("x"), PutOptions{})
		refused(t, err, lake)
		refused(t, s.Delete(t.Context(), "events/a"), lake+"/events/a")
		_, err = AcquireLease(t.Context(), s, "lake", Owner{Run: "r"})
		refused(t, err, lake)
	})
}

func TestAFullDiskIsNamedAndLeavesNothing(t *testing.T) {
	for name, size := range map[string]int{"while writing": 1 << 20, "at the end": 10} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			s := newFileStore(dir)
			fd, err := syscall.Open("/dev/full", syscall.O_WRONLY, 0)
			if err != nil {
				t.Fatal(err)
			}
			// Under another name, since a writer removes its file.
			full := os.NewFile(uintptr(fd), filepath.Join(dir, stagingDir, "1"))
			w := &fileWriter{store: s, key: "events/a", file: full, buf: bufio.NewWriter(full)}
			if _, err = w.Write(make([]byte, size)); err == nil {
				_, err = w.Commit(t.Context())
			}
			w.Abort()
			if !errors.Is(err, driver.ErrFull) || !strings.Contains(err.Error(), dir+"/events/a") || !strings.Contains(err.Error(), "free some space") {
				t.Errorf("the error is %v", err)
			}
			if got := keys(t, s, ""); len(got) != 0 {
				t.Errorf("%q shows", got)
			}
		})
	}
}

func TestSystemErrorsHaveClassAndCure(t *testing.T) {
	for errno, class := range map[syscall.Errno]error{
		syscall.ENOSPC: driver.ErrFull, syscall.EDQUOT: driver.ErrFull, syscall.EROFS: driver.ErrReadOnly,
		syscall.EACCES: driver.ErrPermission, syscall.EPERM: driver.ErrPermission, syscall.ENOENT: driver.ErrNotFound,
		syscall.ENOTDIR: driver.ErrInvalid, syscall.EISDIR: driver.ErrInvalid, syscall.EMFILE: driver.ErrUnavailable,
	} {
		err := fileError("write", "/lake/a", &os.PathError{Op: "open", Path: "/lake/tmp123", Err: errno})
		var e *driver.Error
		if !errors.Is(err, class) || !errors.Is(err, errno) || !errors.As(err, &e) || e.Cure == "" {
			t.Errorf("%v: %v", errno, err)
		}
		if strings.Contains(err.Error(), "tmp123") {
			t.Errorf("the error names a file nobody knows: %v", err)
		}
	}
}

func TestAFileInTheWayIsNamed(t *testing.T) {
	dir := t.TempDir()
	write(t, dir+"/lake", "a file")
	write(t, dir+"/ok/events", "a file")
	for location, key := range map[string]string{dir + "/lake": "a", dir + "/ok": "events/a"} {
		_, err := openStore(t, location).Put(t.Context(), key, strings.NewReader("x"), PutOptions{})
		if !errors.Is(err, driver.ErrInvalid) || !strings.Contains(err.Error(), dir) || !strings.Contains(err.Error(), "move it away") {
			t.Errorf("%s: %v", location, err)
		}
	}
}

func TestDeletingTheLastFileRemovesItsFolders(t *testing.T) {
	dir := t.TempDir()
	s := openStore(t, dir)
	mustPut(t, s, "events/year=2015/month=05/day=17/a", "x", PutOptions{})
	mustPut(t, s, "events/year=2015/month=05/day=18/a", "x", PutOptions{})
	if err := s.Delete(t.Context(), "events/year=2015/month=05/day=17/a"); err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(filepath.Join(dir, "events/year=2015/month=05"))
	if err != nil || len(entries) != 1 {
		t.Errorf("%v, %v", entries, err)
	}
	if err := s.Delete(t.Context(), "events/year=2015/month=05/day=18/a"); err != nil {
		t.Fatal(err)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 0 {
		t.Errorf("the lake still has %v, %v", entries, err)
	}
}

// TestHelperWritesForEver is the process that the next test kills.
func TestHelperWritesForEver(t *testing.T) {
	dir := os.Getenv("LAKEIO_TEST_WRITE")
	if dir == "" {
		return
	}
	w, err := newFileStore(dir).Create(t.Context(), "events/a", PutOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; ; i++ {
		if _, err := w.Write(make([]byte, 1<<20)); err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			_, _ = os.Stdout.WriteString("writing\n")
		}
		if i > 20 {
			select {} // enough is on the disk
		}
	}
}

// startHelper runs a helper test until it prints a line.
func startHelper(t *testing.T, test, env, line string) *exec.Cmd {
	t.Helper()
	cmd := again(t, test, env)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if lines.Text() == line {
			return cmd
		}
	}
	t.Fatalf("%s ended before it said %q", test, line)
	return nil
}

func TestAKilledWriterLeavesNothingThatASweepDoesNotFind(t *testing.T) {
	dir := t.TempDir()
	s := openStore(t, dir)
	mustPut(t, s, "events/a", "before", PutOptions{})
	live, err := s.Create(t.Context(), "events/b", PutOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer live.Abort()
	cmd := startHelper(t, "TestHelperWritesForEver", "LAKEIO_TEST_WRITE="+dir, "writing")
	staged := func() int {
		entries, err := os.ReadDir(filepath.Join(dir, stagingDir))
		if err != nil {
			t.Fatal(err)
		}
		return len(entries)
	}
	if err := s.Sweep(t.Context()); err != nil || staged() != 2 {
		t.Errorf("%d of two writes under way survive a sweep; %v", staged(), err)
	}
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	if got := keys(t, s, ""); len(got) != 1 || content(t, s, "events/a") != "before" {
		t.Errorf("after the kill there are %q, the object holds %q", got, content(t, s, "events/a"))
	}
	if err := s.Sweep(t.Context()); err != nil || staged() != 1 {
		t.Errorf("%d writes are left after a sweep, not the live one; %v", staged(), err)
	}
	if _, err := live.Commit(t.Context()); err != nil {
		t.Errorf("the live write ends with %v", err)
	}
}
