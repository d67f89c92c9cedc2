package install

import (
	"context"
	"crypto/sha256"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
)

// The Node.js packages and all they depend on, pinned by version and checksum.
// The lock names no registry, so that npm takes the one it is set up for; after
// a change of package.json write it anew in this folder:
//
//	npm install --package-lock-only --ignore-scripts --omit-lockfile-registry-resolved
var (
	//go:embed package.json
	npmPackages []byte
	//go:embed package-lock.json
	npmLock []byte
)

// KinesisLocal returns the path of kinesis-local's main.js, to be run by node:
// a Kinesis server that knows splits, merges and changes of the shard count.
// It slows down above some thousand records in a shard.
func KinesisLocal(ctx context.Context, log io.Writer) (string, error) {
	return npmScript(ctx, log, "kinesis-local", "main.js")
}

// Kinesalite returns the path of kinesalite's cli.js, to be run by node: a
// Kinesis server that keeps its speed with many records.
func Kinesalite(ctx context.Context, log io.Writer) (string, error) {
	return npmScript(ctx, log, "kinesalite", "cli.js")
}

// npmScript returns the path of a script of an npm package of package.json.
func npmScript(ctx context.Context, log io.Writer, pkg, script string) (string, error) {
	// The name follows the pins, so that a changed pin makes a new folder.
	dir, err := cached(fmt.Sprintf("npm-%.6x", sha256.Sum256(slices.Concat(npmPackages, npmLock))))
	if err != nil {
		return "", err
	}
	if err := once("npm", func() bool { return exists(dir) }, func() error { return npmInstall(ctx, log, dir) }); err != nil {
		return "", fmt.Errorf("install the Node.js packages: %w", err)
	}
	return filepath.Join(dir, "node_modules", pkg, script), nil
}

// npmInstall makes dir, with all packages of package-lock.json in it, in one
// step. No script of a package is run.
func npmInstall(ctx context.Context, log io.Writer, dir string) (err error) {
	npm, err := exec.LookPath("npm")
	if err != nil {
		return errors.New("npm is not on the PATH; install Node.js 20 or newer")
	}
	fmt.Fprintln(log, "npm: installing kinesis-local and kinesalite, about 31 MB")
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return err
	}
	scratch, err := os.MkdirTemp(filepath.Dir(dir), ".npm")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(scratch)) }()
	for name, content := range map[string][]byte{"package.json": npmPackages, "package-lock.json": npmLock} {
		if err := os.WriteFile(filepath.Join(scratch, name), content, 0o644); err != nil {
			return err
		}
	}
	packages := command{dir: scratch, args: []string{
		npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier",
	}}
	if err := packages.run(ctx); err != nil {
		return err
	}
	return os.Rename(scratch, dir)
}
