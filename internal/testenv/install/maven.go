package install

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
)

// mavenProgram installs a program of one Java source: its classes in classes, the
// jars that pom.xml names in lib.
func mavenProgram(ctx context.Context, log io.Writer, name, size string, files sources) (string, error) {
	// The folder's name follows the sources, so that a change of them makes a new one.
	var content [][]byte
	for _, file := range slices.Sorted(maps.Keys(files)) {
		content = append(content, files[file])
	}
	dir, err := cached(fmt.Sprintf("%s-%.6x", name, sha256.Sum256(slices.Concat(content...))))
	if err != nil {
		return "", err
	}
	err = once(name, func() bool { return exists(dir) }, func() error {
		fmt.Fprintf(log, "%s: installing, about %s to load\n", name, size)
		return buildMavenProgram(ctx, dir, name, files)
	})
	return dir, err
}

// buildMavenProgram makes dir in one step.
func buildMavenProgram(ctx context.Context, dir, name string, files sources) (err error) {
	for _, tool := range []string{"mvn", "javac"} {
		if _, err := exec.LookPath(tool); err != nil {
			return fmt.Errorf("%s is not on the PATH; install Maven and a JDK, 17 or newer (Debian: apt-get install maven openjdk-17-jdk-headless)", tool)
		}
	}
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return err
	}
	scratch, err := os.MkdirTemp(filepath.Dir(dir), "."+name+"-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(scratch)) }()
	compile := []string{"javac", "-cp", filepath.Join("lib", "*"), "-d", "classes"}
	for _, file := range slices.Sorted(maps.Keys(files)) {
		if err := os.WriteFile(filepath.Join(scratch, file), files[file], 0o644); err != nil {
			return err
		}
		if filepath.Ext(file) == ".java" {
			compile = append(compile, file)
		}
	}
	load := []string{"mvn", "--batch-mode", "--quiet", "dependency:copy-dependencies", "-DoutputDirectory=lib"}
	for _, args := range [][]string{load, compile} {
		if err := (command{dir: scratch, args: args}).run(ctx); err != nil {
			return err
		}
	}
	return os.Rename(scratch, dir)
}
