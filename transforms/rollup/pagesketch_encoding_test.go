package rollup_test

import (
	"bufio"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"millrace/transforms/rollup"
	"millrace/transforms/sketch"
)

// encodingPages are pages with sketches, as the second version of the encoding had them.
func encodingPages(t testing.TB) *rollup.TopPages {
	x := sketched(t, time.Hour)
	for i := range int64(8) {
		x.Add(base+i*17*60_000, fmt.Append(nil, "/page/", i%3), sketch.Hash(fmt.Append(nil, i%5)), 1000*i-1, -1)
	}
	return x
}

// stored are the parts that a file in testdata has: a key and hex digits a line. It stays
// as it is as long as any state of its version may be read.
func stored(t testing.TB, file string) (lines []string, parts []rollup.Part) {
	t.Helper()
	f, err := os.Open(filepath.Join("testdata", file))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for in := bufio.NewScanner(f); in.Scan(); {
		lines = append(lines, in.Text())
		blob, err := hex.DecodeString(in.Text()[len("2015-05-17T00 "):])
		if err != nil {
			t.Fatal(err)
		}
		parts = append(parts, rollup.Part{Blob: blob})
	}
	return lines, parts
}

func TestTheSecondVersionOfTheEncodingIsStillRead(t *testing.T) {
	_, parts := stored(t, "encoding_pages_v2.txt")
	read := sketched(t, time.Hour)
	mergeAll(t, read, parts)
	if diff := cmp.Diff(encodingPages(t).Rows(3, nil), read.Rows(3, nil)); diff != "" {
		t.Errorf("parts are read differently (-want +got):\n%s", diff)
	}
	for _, kind := range []byte{2, 3} { // of the third version
		blob := append([]byte{}, parts[0].Blob...)
		at := strings.Index(string(blob), "/page/0") + len("/page/0") + 1
		if blob[at] != 1 {
			t.Fatalf("byte %d of %x is no kind", at, blob)
		}
		blob[at] = kind
		if err := sketched(t, time.Hour).Merge(blob); err == nil || !strings.Contains(err.Error(), fmt.Sprint("sketches of kind ", kind)) {
			t.Errorf("kind %d: %v", kind, err)
		}
	}
}

// testdata/encoding_pages_v3.txt has pages of every kind: with latency and where no request
// had a duration, with one request and with several, and from the versions before.
func TestTheThirdVersionOfTheEncodingIsStillReadAndWritten(t *testing.T) {
	want, old := sketched(t, time.Hour), plain(t, time.Hour)
	_, second := stored(t, "encoding_pages_v2.txt")
	mergeAll(t, want, second)
	old.Add(base, []byte("/old"), 1, 10, 1)
	mergeAll(t, want, old.Parts())
	for i := range int64(9) {
		want.Add(base+i*13*60_000, fmt.Append(nil, "/timed/", i%4), sketch.Hash(fmt.Append(nil, i%5)), 1000*i, 300*i*i-300)
		want.Add(base+i*13*60_000, fmt.Append(nil, "/timeless/", i%4), sketch.Hash(fmt.Append(nil, i%5)), 1000*i, -1)
	}
	var now []string
	for _, p := range want.Parts() {
		now = append(now, fmt.Sprintf("%s %x", p.Key, p.Blob))
	}
	lines, parts := stored(t, "encoding_pages_v3.txt")
	if diff := cmp.Diff(lines, now); diff != "" {
		t.Errorf("parts are written differently; raise the version and keep reading the old one (-old +new):\n%s", diff)
	}
	read := sketched(t, time.Hour)
	mergeAll(t, read, parts)
	if diff := cmp.Diff(want.Rows(12, nil), read.Rows(12, nil)); diff != "" {
		t.Errorf("parts are read differently (-want +got):\n%s", diff)
	}
}

// TestPagesCountedWithoutLatencyHaveNone: what an earlier program left in a savepoint has
// visitors and sizes, and durations of some requests alone say nothing of all. The bytes
// are the same in whatever order.
func TestPagesCountedWithoutLatencyHaveNone(t *testing.T) {
	_, second := stored(t, "encoding_pages_v2.txt")
	addTo := func(x *rollup.TopPages) {
		for i := range int64(4) {
			for _, path := range []string{"/page/0", "/page/1", "/new"} {
				x.Add(base+i, []byte(path), 7, 10, 1000*i)
			}
		}
	}
	now, onto := sketched(t, time.Hour), sketched(t, time.Hour)
	addTo(now)
	mergeAll(t, onto, second[:1])
	addTo(onto)
	var want []rollup.Part
	for _, order := range [][]rollup.Part{append(second[:1:1], now.Parts()...), append(now.Parts(), second[0]), onto.Parts()} {
		x, again := sketched(t, time.Hour), sketched(t, time.Hour)
		mergeAll(t, x, order)
		mergeAll(t, again, x.Parts())
		if want == nil {
			want = x.Parts()
		}
		for _, got := range []*rollup.TopPages{x, again, onto} {
			if diff := cmp.Diff(want, got.Parts()); diff != "" {
				t.Errorf("bytes (-want +got):\n%s", diff)
			}
			latency := map[string]*rollup.Latency{}
			for _, row := range got.Rows(9, nil) {
				latency[row.Path] = row.About.Latency
			}
			if diff := cmp.Diff(map[string]*rollup.Latency{"/page/0": nil, "/page/1": nil, "/page/2": nil, "/new": {P50: 1, P90: 2, P99: 2}}, latency, cmpopts.EquateApprox(0.01, 0)); diff != "" {
				t.Errorf("latency (-want +got):\n%s", diff)
			}
		}
	}
}
