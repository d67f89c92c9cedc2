package kinesisio

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"millrace/internal/mutate"
	"millrace/io/driver"
)

func TestPositionsThatMakeNoSenseAreRefused(t *testing.T) {
	newGetServer(t, 1)
	for _, text := range []string{
		"", "[]", `{"s": 5}`, `{"s": "here"}`, `{"s": "5+"}`, `{"s": "5+0@7"}`, `{"s": "5+1@x"}`, `{"version": 3, "shards": {}}`, `{"version": 2, "shards": {"s": null}}`,
		`{"version": 2, "shards": {"s": {"at": "here"}}}`, `{"version": 2, "shards": {"s": {"at": "5", "clock": {"leap": {"to": 5}}}}}`,
		`{"version": 2, "stream": "` + testARN + `2", "shards": {}}`,
	} {
		file := filepath.Join(t.TempDir(), "positions.json")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := openQuick(t, "&positions="+file, driver.StreamOptions{}).Begin(t.Context(), 1); !errors.Is(err, driver.ErrInvalid) {
			t.Errorf("%s gives %v", text, err)
		}
		if _, err := openQuick(t, "", driver.StreamOptions{}).BeginAt(t.Context(), []byte(text), 1); !errors.Is(err, driver.ErrInvalid) {
			t.Errorf("%s gives %v", text, err)
		}
	}
	_, err := openQuick(t, "&positions=/nowhere/there", driver.StreamOptions{}).Begin(t.Context(), 1)
	if !errors.Is(err, driver.ErrInvalid) || !strings.Contains(err.Error(), "/nowhere/there") {
		t.Errorf("a file that is not there gives %v", err)
	}
	other := `{"version": 2, "stream": "` + testARN + `", "created": 5, "shards": {}}`
	if _, err := openQuick(t, "", driver.StreamOptions{}).BeginAt(t.Context(), []byte(other), 1); !errors.Is(err, driver.ErrChanged) {
		t.Errorf("those of a stream that was created again give %v", err)
	}
}

// TestWorkersDoNotNeedTheFileOfPositions: it is gone when the reading begins.
func TestWorkersDoNotNeedTheFileOfPositions(t *testing.T) {
	server := newGetServer(t, 1)
	want := putNumbers(server, 0, 3)
	file := filepath.Join(t.TempDir(), "positions.json")
	if err := os.WriteFile(file, []byte(`{"shardId-000000000000": "TRIM_HORIZON"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	cursors, err := openQuick(t, "&positions="+file, driver.StreamOptions{}).Begin(t.Context(), 1)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, readLines(t, startAt(t, openQuick(t, "&positions="+file, driver.StreamOptions{}), cursors[0]), 3)); diff != "" {
		t.Errorf("lines (-put +read):\n%s", diff)
	}
}

func FuzzPositions(tf *testing.F) {
	f := mutate.Of(tf)
	f.Fuzz(func(t *testing.T, text []byte) {
		p, err := decodePositions(text)
		if err != nil {
			return
		}
		p.Version = positionsVersion
		written, err := p.encode()
		if err != nil {
			t.Fatal(err)
		}
		again, err := decodePositions(written)
		if err != nil {
			t.Fatalf("%s is not read: %v", written, err)
		}
		if rewritten, err := again.encode(); err != nil || !bytes.Equal(written, rewritten) {
			t.Fatalf("%s becomes %s, %v", written, rewritten, err)
		}
	})
}
