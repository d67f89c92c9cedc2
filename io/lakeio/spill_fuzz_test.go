package lakeio

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"millrace/internal/mutate"
	"millrace/schemas/table"
)

// noContext is a context for code that a fuzz worker calls very often.
type noContext struct{}

func (noContext) Deadline() (time.Time, bool) { return time.Time{}, false }
func (noContext) Done() <-chan struct{}       { return nil }
func (noContext) Err() error                  { return nil }
func (noContext) Value(any) any               { return nil }

// FuzzRunFile reads any bytes as a spilled run: they give rows or an error.
func FuzzRunFile(tf *testing.F) {
	f := mutate.Of(tf)
	whole, err := os.ReadFile(oneRun(f, makeNumbers(seeded(1), 25, 1)).Path)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(whole, 25)
	f.Add(whole[:len(whole)-1], 25)
	f.Add([]byte{}, 0)
	f.Add([]byte{0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0, 0, 0, 0}, 1)
	path := filepath.Join(f.TempDir(), "run")
	f.Fuzz(func(t *testing.T, data []byte, rows int) {
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		if n, err := readRun(Run{Path: path, Rows: rows}); err == nil && n != rows {
			t.Errorf("%d rows of %d, and no error", n, rows)
		}
	})
}

// FuzzFrame decodes any bytes as the content of a frame, past its checksum.
func FuzzFrame(tf *testing.F) {
	f := mutate.Of(tf)
	raw, err := batchOf(numbers, makeNumbers(seeded(1), 5, 1)).AppendBinary(nil)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(pack(nil, raw))
	f.Add([]byte{})
	f.Add([]byte{0xff, 0xff, 0xff, 0xff, 0x0f}) // says that it unpacks to 4 GiB
	f.Fuzz(func(t *testing.T, packed []byte) {
		b, _, err := unpack(nil, packed)
		if err != nil {
			return
		}
		if again, err := b.AppendBinary(nil); err != nil || len(again) == 0 {
			t.Errorf("a decoded batch does not encode: %v", err)
		}
		for row := range b.Len() {
			table.Compare(b, row, b, row)
		}
	})
}
