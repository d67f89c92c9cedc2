package bootstrap

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"millrace/io/driver"
)

// TestCursorsOfSavepointsStayReadable holds the form in which a reader's position
// lies in savepoints, of a reader within the archive and of one behind it.
func TestCursorsOfSavepointsStayReadable(t *testing.T) {
	const split = `{"id":"0123456789abcdef","name":"raw/a.parquet","source":"0123456789abcdef","format":"raw","near":5,"version":"etag","compression":"gzip","start":3,"end":-1,"length":7,"size":6}`
	for text, want := range map[string]cursor{
		`{"form":1,"splits":[` + split + `],"blocks":2,"records":30,"first":1772359200000,"last":1772359201000,"live":"eyJ2IjoxfQ=="}`: {
			Form: 1, Splits: []json.RawMessage{json.RawMessage(split)},
			Blocks: 2, Records: 30, First: 1772359200000, Last: 1772359201000, Live: driver.Cursor(`{"v":1}`),
		},
		`{"form":1,"splits":[],"blocks":0,"records":0,"first":0,"last":0,"live":"eyJ2IjoxfQ=="}`: {
			Form: 1, Splits: []json.RawMessage{}, Live: driver.Cursor(`{"v":1}`),
		},
	} {
		got, err := decodeCursor(driver.Cursor(text))
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("%s is read differently (-want +got), %v:\n%s", text, err, diff)
		}
		if b, err := json.Marshal(want); string(b) != text || err != nil {
			t.Errorf("%s is written as %s, %v; give a new form a number of its own", text, b, err)
		}
	}
	want := driver.Split{
		ID: "0123456789abcdef", Name: "raw/a.parquet", Source: "0123456789abcdef", Format: "raw", Near: 5, Version: "etag", Compression: "gzip",
		Start: 3, End: -1, Length: 7, Size: 6,
	}
	var got driver.Split
	err := json.Unmarshal([]byte(split), &got)
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("a split is read differently (-want +got), %v:\n%s", err, diff)
	}
	if b, err := json.Marshal(want); string(b) != split || err != nil {
		t.Errorf("a split is written as %s, %v", b, err)
	}
	for _, text := range []string{`{"form":9,"splits":[]}`, `{}`, "x"} {
		if _, err := decodeCursor(driver.Cursor(text)); !errors.Is(err, driver.ErrCorrupt) || !strings.Contains(err.Error(), "version of the program") {
			t.Errorf("%s: %v", text, err)
		}
	}
}
