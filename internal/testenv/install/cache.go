// Package install puts the servers that tests run against into the folder
// .cache of the checkout: built from pinned source or installed from pinned
// packages, without root where that is possible. Each function returns at once
// when its tool is there, takes turns with other processes when it is not, and
// never leaves a half-installed tool that looks whole.
package install

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// Root is the folder of the checkout: the nearest one at or above the working
// directory that holds the module.
func Root() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", fmt.Errorf("find the checkout: %w", err)
	}
	for start := dir; ; dir = filepath.Dir(dir) {
		// tools.mod tells the checkout from the modules that tests make.
		if _, err := os.Stat(filepath.Join(dir, "tools.mod")); err == nil {
			return dir, nil
		}
		if dir == filepath.Dir(dir) {
			return "", fmt.Errorf("find the checkout: no tools.mod at or above %s", start)
		}
	}
}

// cached is a path below the checkout's .cache.
func cached(elements ...string) (string, error) {
	root, err := Root()
	if err != nil {
		return "", err
	}
	return filepath.Join(append([]string{root, ".cache"}, elements...)...), nil
}

// once runs install unless present says that there is nothing to do. Processes
// that want the same name wait for the first and then find its work done.
func once(name string, present func() bool, install func() error) (err error) {
	if present() {
		return nil
	}
	path, err := cached("locks", name)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return fmt.Errorf("make the cache: %w", err)
	}
	lock, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return fmt.Errorf("lock %s: %w", name, err)
	}
	defer func() { err = errors.Join(err, lock.Close()) }() // releases the lock
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		return fmt.Errorf("lock %s: %w", name, err)
	}
	if present() {
		return nil
	}
	return install()
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
