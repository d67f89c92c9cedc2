// Package vectors finds the JSON vectors that tests compare with: cases with the
// answers of a reference. They lie in testdata/vectors, or where MILLRACE_VECTORS says.
package vectors

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Variable names the folder of other vectors.
const Variable = "MILLRACE_VECTORS"

// Dir is the folder. A relative one is that of the module, wherever in it the caller
// stands: tests run in the folder of their package.
func Dir() (string, error) {
	root, err := moduleRoot()
	if err != nil {
		return "", fmt.Errorf("looking for test vectors: %w", err)
	}
	dir := os.Getenv(Variable)
	switch {
	case dir == "":
		return filepath.Join(root, "testdata", "vectors"), nil
	case filepath.IsAbs(dir):
		return dir, nil
	}
	return filepath.Join(root, dir), nil
}

// moduleRoot is the folder of go.mod, here or above.
func moduleRoot() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); !errors.Is(err, fs.ErrNotExist) {
			return dir, err
		}
		up := filepath.Dir(dir)
		if up == dir {
			return "", errors.New("no go.mod here or above")
		}
		dir = up
	}
}

// Read decodes a file of vectors, for example ff1.json.
func Read(name string, into any) error {
	dir, err := Dir()
	if err != nil {
		return err
	}
	raw, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		return fmt.Errorf("reading test vectors: %w", err)
	}
	if err := json.Unmarshal(raw, into); err != nil {
		return fmt.Errorf("decoding test vectors %s: %w", name, err)
	}
	return nil
}
