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

var (
	//go:embed kpl/pom.xml
	kplPOM []byte
	//go:embed kpl/Producer.java
	kplProducer []byte
)

// KPL returns the folder of a program that puts records with the Kinesis
// Producer Library: its classes are in classes, the library's jars in lib.
func KPL(ctx context.Context, log io.Writer) (string, error) {
	// The name follows the sources, so that a change of them makes a new folder.
	dir, err := cached(fmt.Sprintf("kpl-%.6x", sha256.Sum256(slices.Concat(kplPOM, kplProducer))))
	if err != nil {
		return "", err
	}
	if err := once("kpl", func() bool { return exists(dir) }, func() error { return kplInstall(ctx, log, dir) }); err != nil {
		return "", fmt.Errorf("install the Kinesis Producer Library: %w", err)
	}
	return dir, nil
}

// kplInstall makes dir in one step.
func kplInstall(ctx context.Context, log io.Writer, dir string) (err error) {
	for _, tool := range []string{"mvn", "javac"} {
		if _, err := exec.LookPath(tool); err != nil {
			return fmt.Errorf("%s is not on the PATH; install Maven and a JDK, 17 or newer (Debian: apt-get install maven openjdk-17-jdk-headless)", tool)
		}
	}
	fmt.Fprintln(log, "kpl: installing the Kinesis Producer Library, about 130 MB")
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return err
	}
	scratch, err := os.MkdirTemp(filepath.Dir(dir), ".kpl-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(scratch)) }()
	for name, content := range map[string][]byte{"pom.xml": kplPOM, "Producer.java": kplProducer} {
		if err := os.WriteFile(filepath.Join(scratch, name), content, 0o644); err != nil {
			return err
		}
	}
	for _, args := range [][]string{
		{"mvn", "--batch-mode", "--quiet", "dependency:copy-dependencies", "-DoutputDirectory=lib"},
		{"javac", "-cp", filepath.Join("lib", "*"), "-d", "classes", "Producer.java"},
	} {
		if err := (command{dir: scratch, args: args}).run(ctx); err != nil {
			return err
		}
	}
	return os.Rename(scratch, dir)
}
