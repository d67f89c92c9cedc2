package operate_test

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"millrace/internal/operate"
	"millrace/runners/flink/fault"
)

func TestWithoutAClusterTheMasterIsTheUsualOne(t *testing.T) {
	cache := t.TempDir()
	t.Setenv("XDG_CACHE_HOME", cache)
	t.Setenv("HOME", cache)
	if got := operate.DefaultMaster(""); got != "127.0.0.1:8081" {
		t.Errorf("it is %s", got)
	}
	if dir := operate.DefaultDir(); !strings.HasPrefix(dir, cache) || !strings.HasSuffix(dir, filepath.Join("millrace", "flink")) {
		t.Errorf("the folder is %s", dir)
	}
	for _, dir := range []string{"", t.TempDir()} {
		if _, err := operate.LookAt(t.Context(), dir); !errors.Is(err, fault.ErrNotFound) || !strings.Contains(err.Error(), "millrace cluster up") {
			t.Errorf("looking at %q: %v", dir, err)
		}
		if _, _, err := operate.Down(t.Context(), dir); !errors.Is(err, fault.ErrNotFound) {
			t.Errorf("ending %q: %v", dir, err)
		}
	}
}
