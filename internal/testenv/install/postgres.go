package install

import (
	"archive/zip"
	"context"
	"crypto/sha256"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
)

//go:embed postgres/pom.xml
var postgresPOM []byte

// Postgres returns the folder of a PostgreSQL server: its programs are in bin.
// Other users can read it, since PostgreSQL does not run as root.
func Postgres(ctx context.Context, log io.Writer) (string, error) {
	dir, err := cached(fmt.Sprintf("postgres-%.6x", sha256.Sum256(postgresPOM)))
	if err != nil {
		return "", err
	}
	err = once("postgres", func() bool { return exists(dir) }, func() error {
		fmt.Fprintln(log, "postgres: installing, about 15 MB to load")
		return installPostgres(ctx, dir)
	})
	if err != nil {
		return "", fmt.Errorf("install PostgreSQL: %w", err)
	}
	return dir, nil
}

// platforms are the names that the packages have.
var platforms = map[string]string{
	"linux/amd64": "linux-amd64", "linux/arm64": "linux-arm64v8", "darwin/amd64": "darwin-amd64", "darwin/arm64": "darwin-arm64v8",
}

// installPostgres makes dir in one step.
func installPostgres(ctx context.Context, dir string) (err error) {
	platform, ok := platforms[runtime.GOOS+"/"+runtime.GOARCH]
	if !ok {
		return fmt.Errorf("there is no package for %s/%s", runtime.GOOS, runtime.GOARCH)
	}
	for _, tool := range []string{"mvn", "tar", "xz"} {
		if _, err := exec.LookPath(tool); err != nil {
			return fmt.Errorf("%s is not on the PATH; install it (Debian: apt-get install maven tar xz-utils)", tool)
		}
	}
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return err
	}
	scratch, err := os.MkdirTemp(filepath.Dir(dir), ".postgres-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(scratch)) }()
	if err := os.WriteFile(filepath.Join(scratch, "pom.xml"), postgresPOM, 0o644); err != nil {
		return err
	}
	load := command{dir: scratch, args: []string{"mvn", "--batch-mode", "--quiet", "dependency:copy-dependencies", "-DoutputDirectory=lib", "-Dplatform=" + platform}}
	if err := load.run(ctx); err != nil {
		return err
	}
	jars, err := filepath.Glob(filepath.Join(scratch, "lib", "embedded-postgres-binaries-*.jar"))
	if err != nil || len(jars) != 1 {
		return fmt.Errorf("the package holds %d jars (%w)", len(jars), err)
	}
	archive := filepath.Join(scratch, "postgres.txz")
	if err := extractArchive(jars[0], archive); err != nil {
		return err
	}
	whole := filepath.Join(scratch, "postgres")
	if err := os.Mkdir(whole, 0o755); err != nil {
		return err
	}
	unpack := command{args: []string{"tar", "-xJf", archive, "-C", whole, "--no-same-owner"}}
	if err := unpack.run(ctx); err != nil {
		return err
	}
	return os.Rename(whole, dir)
}

// extractArchive takes the one archive out of a jar.
func extractArchive(jar, to string) (err error) {
	r, err := zip.OpenReader(jar)
	if err != nil {
		return err
	}
	defer r.Close()
	for _, f := range r.File {
		if filepath.Ext(f.Name) != ".txz" {
			continue
		}
		from, err := f.Open()
		if err != nil {
			return err
		}
		defer from.Close()
		out, err := os.Create(to)
		if err != nil {
			return err
		}
		_, err = io.Copy(out, from)
		return errors.Join(err, out.Close())
	}
	return fmt.Errorf("%s holds no archive", filepath.Base(jar))
}
