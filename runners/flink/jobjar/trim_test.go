package jobjar_test

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"millrace/runners/flink/jobjar"
)

// folder is one as Java writes it, compressed: package zip writes none under a
// folder's name.
const folder = "META-INF_"

// jar writes a jar of files, NAME or NAME=CONTENT, and returns its path.
func jar(t *testing.T, files ...string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "a.jar")
	out, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	w := zip.NewWriter(out)
	for _, file := range files {
		name, content, _ := strings.Cut(file, "=")
		f, err := w.Create(name)
		if err == nil {
			_, err = io.WriteString(f, content)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(w.Close(), out.Close()); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(path)
	if err == nil {
		err = os.WriteFile(path, bytes.ReplaceAll(b, []byte(folder), []byte("META-INF/")), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// content lists a jar as jar takes it.
func content(t *testing.T, path string) (files []string) {
	t.Helper()
	z, err := zip.OpenReader(path)
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, f.Name+"="+string(b))
	}
	return files
}

func TestAJobJarLosesWhatFlinkHasAndNothingElse(t *testing.T) {
	long := strings.Repeat("program ", 10_000)
	from := jar(t, folder, "META-INF/MANIFEST.MF=Main-Class: x", "org/apache/flink/api/A.class=old", "flink-rpc-akka.jar=old", "org/apache/flink/util/OnlyHere.class=o",
		"org/apache/commons/C.class=c", "BEAM-PIPELINE/job/artifacts/1="+long)
	to := filepath.Join(t.TempDir(), "to.jar")
	err := jobjar.Trim(t.Context(), from, to,
		jar(t, "META-INF/MANIFEST.MF=Flink", "org/apache/flink/api/A.class=new", "org/apache/commons/C.class=new"), jar(t, "flink-rpc-akka.jar=new"))
	if err != nil {
		t.Fatal(err)
	}
	// Classes that are not Flink's own are loaded from the job's jar first.
	want := []string{"META-INF/=", "META-INF/MANIFEST.MF=Main-Class: x", "org/apache/flink/util/OnlyHere.class=o", "org/apache/commons/C.class=c", "BEAM-PIPELINE/job/artifacts/1=" + long}
	if diff := cmp.Diff(want, content(t, to)); diff != "" {
		t.Errorf("jar (-want +got):\n%s", diff)
	}
}

func TestWhatIsNoJarIsNamed(t *testing.T) {
	good, bad := jar(t, "a"), filepath.Join(t.TempDir(), "bad.jar")
	if err := os.WriteFile(bad, []byte("no zip"), 0o600); err != nil {
		t.Fatal(err)
	}
	to := filepath.Join(t.TempDir(), "to.jar")
	if err := jobjar.Trim(t.Context(), bad, to); !errors.Is(err, zip.ErrFormat) || !strings.Contains(err.Error(), "job jar") {
		t.Errorf("a job jar that is none: %v", err)
	}
	if err := jobjar.Trim(t.Context(), good, to, bad); !errors.Is(err, zip.ErrFormat) || !strings.Contains(err.Error(), bad) {
		t.Errorf("a jar of Flink that is none: %v", err)
	}
	gone := errors.New("gone")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(gone)
	if err := jobjar.Trim(ctx, good, to); !errors.Is(err, gone) {
		t.Errorf("interrupted: %v", err)
	}
}
