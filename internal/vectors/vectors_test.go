package vectors_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"millrace/internal/vectors"
)

func TestVectorsAreReadFromTheModuleOrWhereTheVariableSays(t *testing.T) {
	var file struct{ Cases []any }
	if err := vectors.Read("ff1.json", &file); err != nil || len(file.Cases) == 0 {
		t.Errorf("%d cases, %v", len(file.Cases), err)
	}
	dir := t.TempDir()
	t.Setenv(vectors.Variable, dir)
	if err := os.WriteFile(filepath.Join(dir, "ff1.json"), []byte(`{"cases":[1,2]}`), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := vectors.Read("ff1.json", &file); err != nil || len(file.Cases) != 2 {
		t.Errorf("%d cases, %v", len(file.Cases), err)
	}
	t.Setenv(vectors.Variable, "testdata/vectors")
	if err := vectors.Read("ff1.json", &file); err != nil || len(file.Cases) < 3 {
		t.Errorf("relative to the module: %d cases, %v", len(file.Cases), err)
	}
}

func TestWhatCannotBeReadIsNamed(t *testing.T) {
	if err := vectors.Read("none.json", nil); err == nil || !strings.Contains(err.Error(), "none.json") {
		t.Errorf("error %v", err)
	}
	var number int
	if err := vectors.Read("ff1.json", &number); err == nil || !strings.Contains(err.Error(), "ff1.json") {
		t.Errorf("error %v", err)
	}
}
