package install

import (
	"errors"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
)

// lockName keeps the tests' lock apart from the tools' and removes it.
func lockName(t *testing.T) string {
	t.Helper()
	path, err := cached("locks", t.Name())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.Remove(path) })
	return t.Name()
}

func TestWhoeverComesSecondFindsItInstalled(t *testing.T) {
	name, target := lockName(t), filepath.Join(t.TempDir(), "tool")
	var installs atomic.Int32
	var callers sync.WaitGroup
	for range 8 {
		callers.Go(func() {
			err := once(name, func() bool { return exists(target) }, func() error {
				installs.Add(1)
				return os.WriteFile(target, nil, 0o600)
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	callers.Wait()
	if n := installs.Load(); n != 1 {
		t.Errorf("installed %d times, want once", n)
	}
}

func TestAnInstallationThatWentWrongIsTriedAgain(t *testing.T) {
	name, target := lockName(t), filepath.Join(t.TempDir(), "tool")
	present := func() bool { return exists(target) }
	broken := errors.New("no network")
	if err := once(name, present, func() error { return broken }); !errors.Is(err, broken) {
		t.Errorf("first try: %v, want %v", err, broken)
	}
	if err := once(name, present, func() error { return os.WriteFile(target, nil, 0o600) }); err != nil {
		t.Errorf("second try: %v", err)
	}
}

func TestTheCheckoutIsFoundFromBelow(t *testing.T) {
	root, err := Root()
	if err != nil {
		t.Fatal(err)
	}
	if !exists(filepath.Join(root, "internal", "testenv", "install", "cache.go")) {
		t.Errorf("root is %s", root)
	}
	t.Chdir(t.TempDir())
	if root, err := Root(); err == nil {
		t.Errorf("outside the checkout the root is %s, want an error", root)
	}
}
