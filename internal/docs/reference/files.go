package reference

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
)

// Write makes dir hold exactly the pages.
func Write(dir string, pages map[string][]byte) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("writing the reference: %w", err)
	}
	for _, name := range slices.Sorted(maps.Keys(pages)) {
		if err := os.WriteFile(filepath.Join(dir, name), pages[name], 0o644); err != nil {
			return fmt.Errorf("writing the reference: %w", err)
		}
	}
	left, err := leftOver(dir, pages)
	for _, path := range left {
		err = errors.Join(err, os.Remove(path))
	}
	return err
}

// Check reports each file of dir that Write would change.
func Check(dir string, pages map[string][]byte) error {
	var faults []error
	for _, name := range slices.Sorted(maps.Keys(pages)) {
		path := filepath.Join(dir, name)
		switch got, err := os.ReadFile(path); {
		case errors.Is(err, fs.ErrNotExist):
			faults = append(faults, fmt.Errorf("%s is missing; make docs writes it", path))
		case err != nil:
			faults = append(faults, err)
		case !bytes.Equal(got, pages[name]):
			faults = append(faults, fmt.Errorf("%s:%d is not what the sources say; make docs writes it anew", path, firstDifference(got, pages[name])))
		}
	}
	left, err := leftOver(dir, pages)
	faults = append(faults, err)
	for _, path := range left {
		faults = append(faults, fmt.Errorf("%s is no page of the reference; make docs removes it", path))
	}
	return errors.Join(faults...)
}

// leftOver lists pages that are no longer written.
func leftOver(dir string, pages map[string][]byte) ([]string, error) {
	all, err := filepath.Glob(filepath.Join(dir, "*.md"))
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(all, func(path string) bool {
		_, ok := pages[filepath.Base(path)]
		return ok
	}), nil
}

// firstDifference is the first line of got that differs, from 1.
func firstDifference(got, want []byte) int {
	n := 0
	for n < min(len(got), len(want)) && got[n] == want[n] {
		n++
	}
	return 1 + bytes.Count(got[:n], []byte("\n"))
}
