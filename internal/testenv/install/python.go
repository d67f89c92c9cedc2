package install

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
)

// Python returns the interpreter of a virtual environment that has the packages
// of requirements.txt: DuckDB and PyArrow, which read what we write, and moto,
// which answers for AWS services.
func Python(ctx context.Context, log io.Writer) (string, error) {
	// The name follows the pins, so that a changed pin makes a new environment.
	dir, err := cached(fmt.Sprintf("python-%.6x", sha256.Sum256(requirements)))
	if err != nil {
		return "", err
	}
	python := filepath.Join(dir, "bin", "python")
	ready := filepath.Join(dir, "ready") // written last: an environment without it is rubble
	err = once("python", func() bool { return exists(ready) && exists(python) }, func() error {
		system, err := exec.LookPath("python3")
		if err != nil {
			return errors.New("python3 is not on the PATH; install Python 3.10 or newer")
		}
		fmt.Fprintln(log, "python: installing DuckDB, PyArrow and moto, about 600 MB")
		if err := os.RemoveAll(dir); err != nil {
			return err
		}
		venv := command{args: []string{system, "-m", "venv", dir}}
		if err := venv.run(ctx); err != nil {
			return fmt.Errorf("%w\nPython's venv module is needed (Debian: apt-get install python3-venv)", err)
		}
		pins := filepath.Join(dir, "requirements.txt")
		if err := os.WriteFile(pins, requirements, 0o644); err != nil {
			return err
		}
		packages := command{args: []string{
			python, "-m", "pip", "install",
			"--quiet", "--no-input", "--disable-pip-version-check", "--requirement", pins,
		}}
		if err := packages.run(ctx); err != nil {
			return err
		}
		return os.WriteFile(ready, nil, 0o644)
	})
	if err != nil {
		return "", fmt.Errorf("install the Python environment: %w", err)
	}
	return python, nil
}
