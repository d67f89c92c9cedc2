package install

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
)

// Chromium returns the path of a Chromium or Chrome. A browser is too large to
// build and has no pinned package of its own, so one that is installed is used
// as it is; where none is, root on Debian installs the distribution's.
func Chromium(ctx context.Context, log io.Writer) (string, error) {
	if path, ok := browser(); ok {
		return path, nil
	}
	apt, err := exec.LookPath("apt-get")
	if err != nil || os.Geteuid() != 0 {
		return "", errors.New("find a browser: no chromium or google-chrome on the PATH; install one (Debian: sudo apt-get install chromium fonts-liberation)")
	}
	err = once("chromium", func() bool { _, ok := browser(); return ok }, func() error {
		fmt.Fprintln(log, "chromium: installing Debian's package")
		quiet := []string{"DEBIAN_FRONTEND=noninteractive"}
		if err := (command{env: quiet, args: []string{apt, "update"}}).run(ctx); err != nil {
			return err
		}
		return command{env: quiet, args: []string{
			apt, "install", "--yes", "--no-install-recommends", "chromium", "fonts-liberation",
		}}.run(ctx)
	})
	if err != nil {
		return "", fmt.Errorf("install chromium: %w", err)
	}
	path, ok := browser()
	if !ok {
		return "", errors.New("install chromium: the package is installed, yet no browser is on the PATH")
	}
	return path, nil
}

func browser() (string, bool) {
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable"} {
		if path, err := exec.LookPath(name); err == nil {
			return path, true
		}
	}
	return "", false
}
