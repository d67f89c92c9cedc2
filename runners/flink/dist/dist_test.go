package dist_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"millrace/runners/flink/dist"
	"millrace/runners/flink/fault"
)

// home makes a folder with the files of a distribution.
func home(t *testing.T, dir string) string {
	t.Helper()
	if err := os.MkdirAll(filepath.Join(dir, "lib"), 0o755); err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string]string{
		"lib/flink-dist-1.19.3.jar": "", "beam-flink-job-server.jar": "", "loopback.jar": "", "boot": "",
		"VERSIONS": "flink 1.19.3\nbeam-flink-runner 2.62.0\nbeam-go-sdk 2.77.0\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func followed(t *testing.T, dir string) string {
	t.Helper()
	path, err := filepath.EvalSymlinks(dir)
	if err != nil {
		t.Fatal(err)
	}
	return path
}

func TestADistributionIsFoundByNameThenByVariableThenAbove(t *testing.T) {
	named, fromVariable := home(t, t.TempDir()), home(t, t.TempDir())
	checkout := t.TempDir()
	installed := home(t, filepath.Join(checkout, ".cache", "flink-1.19.3"))
	if err := os.Symlink("flink-1.19.3", filepath.Join(checkout, ".cache", "flink")); err != nil {
		t.Fatal(err)
	}
	below := filepath.Join(checkout, "a", "b")
	if err := os.MkdirAll(below, 0o755); err != nil {
		t.Fatal(err)
	}
	t.Chdir(below)
	find := func(name string) string {
		t.Helper()
		d, err := dist.Find(name)
		if err != nil {
			t.Fatal(err)
		}
		return d.Dir
	}

	t.Setenv(dist.HomeVariable, fromVariable)
	if got, want := find(named), followed(t, named); got != want {
		t.Errorf("named: %s, want %s", got, want)
	}
	if got, want := find(""), followed(t, fromVariable); got != want {
		t.Errorf("by the variable: %s, want %s", got, want)
	}
	t.Setenv(dist.HomeVariable, "")
	if got, want := find(""), followed(t, installed); got != want { // not the link, which may change
		t.Errorf("above: %s, want %s", got, want)
	}
}

func TestADistributionTellsItsParts(t *testing.T) {
	dir := home(t, t.TempDir())
	d, err := dist.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	dir = followed(t, dir)
	want := dist.Distribution{
		Dir: dir, JobServer: filepath.Join(dir, "beam-flink-job-server.jar"), Loopback: filepath.Join(dir, "loopback.jar"), Boot: filepath.Join(dir, "boot"),
		Versions: dist.Versions{Flink: "1.19.3", Runner: "2.62.0", SDK: "2.77.0"},
	}
	if diff := cmp.Diff(want, d); diff != "" {
		t.Errorf("distribution (-want +got):\n%s", diff)
	}
	if got, want := d.ClassPath(), filepath.Join(dir, "lib", "*"); got != want {
		t.Errorf("class path %s, want %s", got, want)
	}
	if got, want := d.Local(), "-javaagent:"+filepath.Join(dir, "loopback.jar"); got != want {
		t.Errorf("flag %s, want %s", got, want)
	}
	if diff := cmp.Diff([]string{filepath.Join(dir, "lib", "flink-dist-1.19.3.jar")}, d.DistJars()); diff != "" {
		t.Errorf("jars of every Flink (-want +got):\n%s", diff)
	}
}

func TestWhatIsMissingIsNamed(t *testing.T) {
	for _, part := range []string{"lib/flink-dist-1.19.3.jar", "beam-flink-job-server.jar", "loopback.jar", "boot", "VERSIONS"} {
		dir := home(t, t.TempDir())
		if err := os.Remove(filepath.Join(dir, part)); err != nil {
			t.Fatal(err)
		}
		_, err := dist.Open(dir)
		name := strings.TrimSuffix(filepath.Base(part), "-1.19.3.jar")
		if !errors.Is(err, fault.ErrInvalid) || !strings.Contains(err.Error(), name) || !strings.Contains(err.Error(), "make flink") {
			t.Errorf("without %s: %v; want the part and the cure", part, err)
		}
	}

	dir := home(t, t.TempDir())
	if err := os.WriteFile(filepath.Join(dir, "VERSIONS"), []byte("flink 1.19.3\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := dist.Open(dir); !errors.Is(err, fault.ErrInvalid) {
		t.Errorf("with one version: %v, want %v", err, fault.ErrInvalid)
	}
	if _, err := dist.Open(filepath.Join(dir, "none")); !errors.Is(err, fault.ErrNotFound) {
		t.Errorf("no folder: %v, want %v", err, fault.ErrNotFound)
	}
}

func TestNoDistributionNamesTheCommandThatMakesOne(t *testing.T) {
	t.Setenv(dist.HomeVariable, "")
	t.Chdir(t.TempDir())
	_, err := dist.Find("")
	if !errors.Is(err, fault.ErrNotFound) || !strings.Contains(err.Error(), "make flink") {
		t.Errorf("error %v, want %v with the cure", err, fault.ErrNotFound)
	}
	t.Setenv(dist.HomeVariable, "elsewhere")
	if _, err := dist.Find(""); err == nil || !strings.Contains(err.Error(), dist.HomeVariable) {
		t.Errorf("error %v does not name the variable", err)
	}
}
