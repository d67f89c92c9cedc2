// Package golden compares what a test got with a file that holds what it should
// get. The flag -update, which this package gives to every test binary that
// imports it, writes the files instead: `make golden`, then read the difference.
package golden

import (
	"bytes"
	"errors"
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write golden files instead of comparing with them")

// Updating tells whether golden files are to be written.
func Updating() bool { return *update }

// Equal fails the test when got is not what the file holds; with -update it
// writes the file. The path is relative to the test's package.
func Equal(t testing.TB, path string, got []byte) {
	t.Helper()
	if Updating() {
		if err := Write(path, got); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("there is no %s; `make golden` writes it", path)
	}
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Equal(want, got) {
		return
	}
	// Lines, so that the difference of a long text stays readable.
	if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(string(got), "\n")); diff != "" {
		t.Errorf("%s (-want +got); `make golden` accepts it:\n%s", path, diff)
	}
}

// Write makes a golden file, with its folder. A file that holds the same is left
// alone.
func Write(path string, content []byte) error {
	if old, err := os.ReadFile(path); err == nil && bytes.Equal(old, content) {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return os.WriteFile(path, content, 0o644)
}
