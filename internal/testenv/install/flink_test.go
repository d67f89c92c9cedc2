package install

import (
	"archive/tar"
	"compress/gzip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestVersionsStandInTheMakefileAndInGoMod(t *testing.T) {
	root := t.TempDir()
	write := func(name, content string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(root, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("Makefile", "# FLINK_VERSION := 9.9.9\nBEAM_FLINK_VERSION := 2.62.0\nFLINK_VERSION ?= 1.19.3# of Flink\n")
	write("go.mod", "module m\n\nrequire (\n\tgithub.com/apache/beam/sdks/v2 v2.77.0\n)\n")
	versions, err := readFlinkVersions(root)
	if err != nil {
		t.Fatal(err)
	}
	want := flinkVersions{Flink: "1.19.3", Beam: "2.62.0", SDK: "2.77.0"}
	if diff := cmp.Diff(want, versions); diff != "" {
		t.Errorf("versions (-want +got):\n%s", diff)
	}
	if got := line.FindString(versions.Flink); got != "1.19" {
		t.Errorf("line of %s is %q", versions.Flink, got)
	}

	write("Makefile", "FLINK_VERSION := 1.19.3\n")
	if versions, err := readFlinkVersions(root); err == nil || !strings.Contains(err.Error(), "BEAM_FLINK_VERSION") {
		t.Errorf("without a runner's version: %v, %v; want an error that names the line", versions, err)
	}
}

func TestTheCheckoutPinsItsVersions(t *testing.T) {
	root, err := Root()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := readFlinkVersions(root); err != nil {
		t.Error(err)
	}
}

func TestOnlyJarsOfTheLibraryAreUnpacked(t *testing.T) {
	dir := t.TempDir()
	archive, lib := filepath.Join(dir, "a.tar.gz"), filepath.Join(dir, "in", "lib")
	if err := os.MkdirAll(lib, 0o755); err != nil {
		t.Fatal(err)
	}
	pack(t, archive, map[string]string{
		"flink-1/deps/lib/flink-dist.jar":   "dist",
		"flink-1/deps/lib/README":           "no jar",
		"flink-1/deps/opt/python.jar":       "another folder",
		"flink-1/deps/lib/../../../out.jar": "out",
	})
	if err := unpackJars(archive, lib); err != nil {
		t.Fatal(err)
	}
	var found []string
	if err := filepath.Walk(filepath.Join(dir, "in"), func(path string, info os.FileInfo, err error) error {
		if err == nil && !info.IsDir() {
			found = append(found, path)
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{filepath.Join(lib, "flink-dist.jar")}, found); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}

	pack(t, archive, map[string]string{"flink-1/README": "nothing else"})
	if err := unpackJars(archive, lib); err == nil {
		t.Error("an archive without jars was taken for a library")
	}
}

func pack(t *testing.T, name string, entries map[string]string) {
	t.Helper()
	file, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	zipped := gzip.NewWriter(file)
	archive := tar.NewWriter(zipped)
	for entry, content := range entries {
		if err := archive.WriteHeader(&tar.Header{Name: entry, Size: int64(len(content)), Mode: 0o600}); err != nil {
			t.Fatal(err)
		}
		if _, err := archive.Write([]byte(content)); err != nil {
			t.Fatal(err)
		}
	}
	for _, closer := range []interface{ Close() error }{archive, zipped, file} {
		if err := closer.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestALinkIsChangedInOneStep(t *testing.T) {
	name := filepath.Join(t.TempDir(), "flink")
	for _, target := range []string{"a", "b", "b"} {
		if err := link(name, target); err != nil {
			t.Fatal(err)
		}
		if !leadsTo(name, target) {
			t.Errorf("the link does not lead to %s", target)
		}
	}
	entries, err := os.ReadDir(filepath.Dir(name))
	if err != nil {
		t.Fatal(err)
	}
	if len(entries) != 1 {
		t.Errorf("%d entries beside the link, want it alone", len(entries))
	}
}
