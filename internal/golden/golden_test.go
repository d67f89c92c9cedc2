package golden

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

// recorder is a test that only notes how it failed.
type recorder struct {
	testing.TB
	said string
}

func (r *recorder) Helper()                        {}
func (r *recorder) Errorf(format string, a ...any) { r.said = fmt.Sprintf(format, a...) }
func (r *recorder) Fatalf(format string, a ...any) { r.Errorf(format, a...); runtime.Goexit() }
func (r *recorder) Fatal(a ...any)                 { r.Errorf("%s", fmt.Sprint(a...)); runtime.Goexit() }

// equal runs Equal on a test of its own and returns how it failed.
func equal(path, got string, updating bool) string {
	defer func(was bool) { *update = was }(*update)
	*update = updating
	r, done := &recorder{}, make(chan struct{})
	go func() {
		defer close(done)
		Equal(r, path, []byte(got))
	}()
	<-done
	return r.said
}

func TestADifferenceIsShownByLine(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x")
	if err := os.WriteFile(path, []byte("one\ntwo\nthree\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if said := equal(path, "one\ntwo\nthree\n", false); said != "" {
		t.Errorf("equal content failed: %s", said)
	}
	for _, got := range []string{"one\n2\nthree\n", "one\ntwo\nthree", ""} {
		if said := equal(path, got, false); !strings.Contains(said, "make golden") || !strings.Contains(said, "two") && got != "one\ntwo\nthree" {
			t.Errorf("%q passed or failed without saying where: %s", got, said)
		}
	}
}

func TestAMissingFileFailsAndSaysHowToMakeIt(t *testing.T) {
	if said := equal(filepath.Join(t.TempDir(), "x"), "", false); !strings.Contains(said, "make golden") {
		t.Errorf("said %q", said)
	}
}

func TestUpdatingWritesWhatChanged(t *testing.T) {
	path := filepath.Join(t.TempDir(), "new", "x")
	if said := equal(path, "a", true); said != "" {
		t.Fatal(said)
	}
	old := time.Unix(1, 0)
	if err := os.Chtimes(path, old, old); err != nil {
		t.Fatal(err)
	}
	checkUpdate(t, path, "a", false, old)
	checkUpdate(t, path, "b", true, old)
}

func checkUpdate(t *testing.T, path, content string, rewritten bool, old time.Time) {
	t.Helper()
	if said := equal(path, content, true); said != "" {
		t.Fatal(said)
	}
	st, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if got, _ := os.ReadFile(path); string(got) != content || st.ModTime().Equal(old) == rewritten {
		t.Errorf("after an update with %q the file holds %q; written anew: %t", content, got, !st.ModTime().Equal(old))
	}
}

func TestAFileThatCannotBeWrittenFails(t *testing.T) {
	if said := equal(filepath.Join(t.TempDir(), "\x00"), "a", true); said == "" {
		t.Error("nothing was said")
	}
}
