package bootstrap_test

import (
	"context"
	"testing"
	"time"

	"millrace/internal/mutate"
	"millrace/io/bootstrap"
	"millrace/io/driver"
	"millrace/schemas/record"
)

// anyArchive has two blocks in every file, whatever the split says.
type anyArchive struct{ archive }

func (anyArchive) Open(context.Context, driver.Split) (driver.Reader, error) {
	return &archiveReader{blocks: archived{{until - 1, until}, {until + 1}}}, nil
}

// FuzzCursor restores a reader from any bytes: it reads or says what is wrong, and
// where it then stands can be restored, too.
func FuzzCursor(tf *testing.F) {
	f := mutate.Of(tf)
	f.Add([]byte(`{"form":1,"splits":[{"name":"0","source":"s"}],"blocks":1,"live":"eyJSZWFkZXIiOjF9"}`))
	s := &bootstrap.Stream{Archive: anyArchive{}, Live: live{}, Until: time.UnixMilli(until)}
	f.Fuzz(func(t *testing.T, at []byte) {
		r, err := s.Read(t.Context(), at)
		if err != nil {
			return
		}
		for range 6 {
			var b *record.Block
			if b, err = r.Next(t.Context()); err != nil {
				break
			}
			if b == nil {
				continue
			}
			if b.Roll == "" {
				t.Fatal("a block is of no roll")
			}
			if b.Roll == "live" {
				continue
			}
			if _, err := record.Encode(*b); err != nil {
				t.Fatalf("a block does not encode: %v", err)
			}
		}
		stands, err := r.Cursor()
		if err != nil {
			t.Fatal(err)
		}
		if err := r.Close(); err != nil {
			t.Fatal(err)
		}
		if again, err := s.Read(t.Context(), stands); err != nil {
			t.Fatalf("%s is not restored: %v", stands, err)
		} else if err := again.Close(); err != nil {
			t.Fatal(err)
		}
	})
}
