// Package jobjar makes job jars smaller. Beam's job server copies all of its own
// jar into one, and so the Flink that it was built with: a quarter of the jar, of
// which nothing is ever loaded, for Flink loads org.apache.flink from its own jars
// first.
package jobjar

import (
	"archive/zip"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
)

// Trim copies the job jar from to the file to, without what each of the jars of
// Flink's distribution named dist has. Entries keep their order and are not
// compressed anew.
func Trim(ctx context.Context, from, to string, dist ...string) (err error) {
	provided := map[string]bool{}
	for _, jar := range dist {
		z, err := zip.OpenReader(jar)
		if err != nil {
			return fmt.Errorf("reading Flink's %s: %w", jar, err)
		}
		for _, f := range z.File {
			provided[f.Name] = flinks(f.Name)
		}
		if err := z.Close(); err != nil {
			return fmt.Errorf("reading Flink's %s: %w", jar, err)
		}
	}
	z, err := zip.OpenReader(from)
	if err != nil {
		return fmt.Errorf("reading the job jar: %w", err)
	}
	defer z.Close()
	out, err := os.Create(to)
	if err != nil {
		return fmt.Errorf("writing the job jar: %w", err)
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	w := zip.NewWriter(out)
	for _, f := range z.File {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if provided[f.Name] {
			continue
		}
		if f.FileInfo().IsDir() { // Java compresses its nothing, which Go refuses to copy
			_, err = w.Create(f.Name)
		} else {
			err = w.Copy(f)
		}
		if err != nil {
			return fmt.Errorf("writing %s into the job jar: %w", f.Name, err)
		}
	}
	if err := w.Close(); err != nil {
		return fmt.Errorf("writing the job jar: %w", err)
	}
	return nil
}

// flinks tells what Flink takes from its own jars whatever a job brings: classes
// by the default of classloader.parent-first-patterns, and the jar of its network
// layer, which classes of those open.
func flinks(name string) bool {
	return strings.HasPrefix(name, "org/apache/flink/") || name == "flink-rpc-akka.jar"
}
