package install

import (
	"archive/tar"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
)

// Flink returns the folder of a Flink distribution: what a machine needs to run
// a cluster and to submit pipelines of this checkout's Beam SDK to it.
//
//	lib/                       Flink's jars
//	beam-flink-job-server.jar  takes pipelines and turns them into Flink jobs
//	loopback.jar               an agent that has both listen on loopback alone
//	boot                       starts our worker on a TaskManager
//	VERSIONS                   a name and a version a line
//
// The versions are the Makefile's and go.mod's. The link .cache/flink leads to
// the distribution that was asked for last; programs look there.
func Flink(ctx context.Context, log io.Writer) (string, error) {
	root, err := Root()
	if err != nil {
		return "", err
	}
	versions, err := readFlinkVersions(root)
	if err != nil {
		return "", err
	}
	jars, err := readFlinkSources(root)
	if err != nil {
		return "", err
	}
	name := versions.name(jars.all())
	dir := filepath.Join(root, ".cache", name)
	err = once("flink", func() bool { return exists(dir) && leadsTo(filepath.Join(root, ".cache", "flink"), name) }, func() error {
		if !exists(dir) {
			fmt.Fprintf(log, "flink: installing Flink %s and Beam's job server %s, about 500 MB to load\n", versions.Flink, versions.Beam)
			if err := installFlink(ctx, root, dir, versions, jars); err != nil {
				return err
			}
		}
		return link(filepath.Join(root, ".cache", "flink"), name)
	})
	if err != nil {
		return "", fmt.Errorf("install Flink %s: %w", versions.Flink, err)
	}
	return dir, nil
}

// installFlink makes the distribution beside dir and then names it so.
func installFlink(ctx context.Context, root, dir string, versions flinkVersions, jars flinkSources) (err error) {
	scratch, err := os.MkdirTemp(filepath.Dir(dir), ".flink-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(scratch)) }()
	whole := filepath.Join(scratch, "whole")
	if err := os.MkdirAll(filepath.Join(whole, "lib"), 0o755); err != nil {
		return err
	}
	if err := flinkJars(ctx, scratch, filepath.Join(whole, "lib"), versions.Flink); err != nil {
		return err
	}
	err = mavenJar(ctx, scratch, jars.jobServer, filepath.Join(whole, "beam-flink-job-server.jar"),
		"-Dflink.line="+line.FindString(versions.Flink), "-Dbeam.version="+versions.Beam)
	if err != nil {
		return err
	}
	if err := mavenJar(ctx, scratch, jars.loopback, filepath.Join(whole, "loopback.jar")); err != nil {
		return err
	}
	boot := command{
		dir: root,
		// Static: it runs on the hosts of a cluster, whatever their libc.
		env:  []string{"CGO_ENABLED=0", "GOFLAGS=", "GOWORK=off"},
		args: []string{"go", "build", "-mod=readonly", "-trimpath", "-ldflags", "-s -w", "-o", filepath.Join(whole, "boot"), "github.com/apache/beam/sdks/v2/go/container"},
	}
	if err := boot.run(ctx); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(whole, "VERSIONS"), []byte(versions.text()), 0o644); err != nil {
		return err
	}
	return os.Rename(whole, dir)
}

// flinkJars takes Flink's jars out of the Python package that carries them: it
// is to be had wherever there are Python packages, which cannot be said of
// Flink's own archive.
func flinkJars(ctx context.Context, scratch, lib, version string) error {
	python, err := exec.LookPath("python3")
	if err != nil {
		return errors.New("python3 is not on the PATH; install Python 3.10 or newer")
	}
	venv, packages := filepath.Join(scratch, "venv"), filepath.Join(scratch, "packages")
	if err := (command{args: []string{python, "-m", "venv", venv}}).run(ctx); err != nil {
		return fmt.Errorf("%w\nPython's venv module is needed (Debian: apt-get install python3-venv)", err)
	}
	download := command{args: []string{
		filepath.Join(venv, "bin", "python"), "-m", "pip", "download",
		"--quiet", "--no-input", "--disable-pip-version-check",
		"--no-deps", "--no-binary", ":all:", "--dest", packages, "apache-flink-libraries==" + version,
	}}
	if err := download.run(ctx); err != nil {
		return err
	}
	archives, err := filepath.Glob(filepath.Join(packages, "*.tar.gz"))
	if err != nil {
		return err
	}
	if len(archives) != 1 {
		return fmt.Errorf("unpack apache-flink-libraries %s: found %d archives, want 1", version, len(archives))
	}
	if err := unpackJars(archives[0], lib); err != nil {
		return fmt.Errorf("unpack %s: %w", filepath.Base(archives[0]), err)
	}
	return nil
}

// unpackJars writes the archive's jars NAME/deps/lib/*.jar into the folder lib.
func unpackJars(archive, lib string) error {
	file, err := os.Open(archive)
	if err != nil {
		return err
	}
	defer file.Close()
	unzipped, err := gzip.NewReader(file)
	if err != nil {
		return err
	}
	jars := 0
	for entries := tar.NewReader(unzipped); ; {
		entry, err := entries.Next()
		if err == io.EOF && jars == 0 {
			return errors.New("it holds no deps/lib/*.jar")
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if ok, _ := path.Match("*/deps/lib/*.jar", entry.Name); !ok || entry.Typeflag != tar.TypeReg {
			continue
		}
		// The base name has no folder in it, so no entry leads out of lib.
		if err := writeFile(filepath.Join(lib, path.Base(entry.Name)), entries); err != nil {
			return err
		}
		jars++
	}
}

func writeFile(name string, from io.Reader) error {
	file, err := os.Create(name)
	if err != nil {
		return err
	}
	_, err = io.Copy(file, from)
	return errors.Join(err, file.Close())
}

// sources are files by name: those of one jar.
type sources map[string][]byte

// flinkSources are those of the jars that are built here.
type flinkSources struct{ jobServer, loopback sources }

func readFlinkSources(root string) (s flinkSources, err error) {
	if s.jobServer, err = readSources(filepath.Join(root, "runners", "flink", "dist"), "pom.xml"); err != nil {
		return s, err
	}
	s.loopback, err = readSources(filepath.Join(root, "runners", "flink", "dist", "loopback"), "pom.xml", "Loopback.java")
	return s, err
}

func readSources(dir string, names ...string) (sources, error) {
	s := sources{}
	for _, name := range names {
		content, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			return nil, err
		}
		s[name] = content
	}
	return s, nil
}

// all is what the sources say, for a name that follows them.
func (s flinkSources) all() (text []byte) {
	for _, jar := range []sources{s.jobServer, s.loopback} {
		for _, name := range slices.Sorted(maps.Keys(jar)) {
			text = append(text, jar[name]...)
		}
	}
	return text
}

// mavenJar builds the jar that its pom names as jar is named.
func mavenJar(ctx context.Context, scratch string, from sources, jar string, properties ...string) error {
	maven, err := exec.LookPath("mvn")
	if err != nil {
		return errors.New("mvn is not on the PATH; install Maven and a JDK, 17 or newer (Debian: apt-get install maven openjdk-17-jdk-headless)")
	}
	// Maven builds beside the pom: in the scratch folder, not in the sources.
	dir, err := os.MkdirTemp(scratch, "maven-")
	if err != nil {
		return err
	}
	for name, content := range from {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o644); err != nil {
			return err
		}
	}
	args := append([]string{maven, "--batch-mode", "--quiet"}, properties...)
	if err := (command{dir: dir, args: append(args, "package")}).run(ctx); err != nil {
		return err
	}
	return os.Rename(filepath.Join(dir, "target", filepath.Base(jar)), jar)
}

func leadsTo(link, target string) bool {
	found, err := os.Readlink(link)
	return err == nil && found == target
}

// link makes name lead to target, also when it led elsewhere, at no moment
// nowhere.
func link(name, target string) error {
	scratch := fmt.Sprintf("%s.%d", name, os.Getpid())
	if err := os.Symlink(target, scratch); err != nil {
		return err
	}
	return errors.Join(os.Rename(scratch, name), removeIfThere(scratch))
}

func removeIfThere(name string) error {
	if err := os.Remove(name); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}
