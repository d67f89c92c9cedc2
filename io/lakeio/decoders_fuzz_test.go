package lakeio

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"io"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"millrace/internal/mutate"
	"millrace/io/driver"
	"millrace/schemas/raw"
	"millrace/schemas/record"
)

// memoryTree is one file that lies in memory.
type memoryTree struct {
	tree
	data []byte
}

func (m memoryTree) find(context.Context) ([]logFile, []string, error) {
	return []logFile{{name: "file", size: int64(len(m.data))}}, nil, nil
}

func (m memoryTree) digest(context.Context, logFile) (string, error) { return "", nil }

func (m memoryTree) open(_ context.Context, _, _ string, off, n int64) (io.ReadCloser, error) {
	if off < 0 || n < 0 || off+n > int64(len(m.data)) {
		return nil, &driver.Error{Doing: "read", Object: "file", Class: driver.ErrInvalid, Cause: io.ErrUnexpectedEOF}
	}
	return io.NopCloser(bytes.NewReader(m.data[off : off+n])), nil
}

func (m memoryTree) means(string) bool { return true }

// readMemory reads a file as a source does, its blocks one behind the other.
func readMemory(data []byte, block, maxLine int64, each func(record.Block)) error {
	s := &Source{tree: memoryTree{data: data}, cut: cutting{split: 4 * block, block: block, maxLine: maxLine}}
	logs, err := s.inspect(context.Background(), []logFile{{name: "file", size: int64(len(data))}})
	if err != nil {
		return err
	}
	for _, split := range s.splitsOf(logs[0]) {
		if err := readMemorySplit(s, split, each); err != nil {
			return err
		}
	}
	return nil
}

func readMemorySplit(s *Source, split driver.Split, each func(record.Block)) error {
	r, err := s.Open(context.Background(), split)
	if err != nil {
		return err
	}
	defer r.Close()
	for {
		b, err := r.Next(context.Background())
		if errors.Is(err, io.EOF) && !errors.Is(err, driver.ErrCorrupt) {
			return nil
		}
		if err != nil {
			return err
		}
		each(b)
	}
}

// FuzzCompressed compares the reading of any bytes as a compressed log with that of
// Go's own library.
func FuzzCompressed(tf *testing.F) {
	f := mutate.Of(tf)
	var packed bytes.Buffer
	for _, text := range []string{"one\ntwo\n", "", "three"} { // members
		z := gzip.NewWriter(&packed)
		_, _ = io.WriteString(z, text)
		_ = z.Close()
	}
	f.Add(packed.Bytes())
	const most = 4 << 20
	f.Fuzz(func(t *testing.T, data []byte) {
		content, compressed, err := decompress("file", bytes.NewReader(data))
		if err != nil {
			if !errors.Is(err, driver.ErrCorrupt) && !errors.Is(err, driver.ErrInvalid) && !errors.Is(err, errParquet) {
				t.Fatalf("the error is %v", err)
			}
			return
		}
		got, err := io.ReadAll(io.LimitReader(content, most))
		if err != nil && !errors.Is(err, driver.ErrCorrupt) {
			t.Fatalf("the error is %v", err)
		}
		if !compressed {
			if !bytes.Equal(got, data[:min(len(data), most)]) {
				t.Fatal("plain content is another")
			}
			return
		}
		z, wantErr := gzip.NewReader(bytes.NewReader(data))
		var want []byte
		if wantErr == nil {
			want, wantErr = io.ReadAll(io.LimitReader(z, most))
		}
		if err != nil && wantErr == nil && reservedFlags(data) {
			return // RFC 1952 has these refused, and Go's library takes them
		}
		if (err == nil) != (wantErr == nil) || err == nil && !bytes.Equal(got, want) {
			t.Fatalf("%d bytes and %v, Go's library %d and %v", len(got), err, len(want), wantErr)
		}
	})
}

// reservedFlags tells whether what may be the header of a gzip member has flags that
// mean nothing.
func reservedFlags(data []byte) bool {
	for at := 0; ; at++ {
		i := bytes.Index(data[at:], []byte("\x1f\x8b\x08"))
		if i < 0 || at+i+3 >= len(data) {
			return false
		}
		if at += i; data[at+3]&0xe0 != 0 {
			return true
		}
	}
}

// FuzzArchive reads any bytes as a file of a source: what it holds is read twice
// alike, in blocks that cross the runner, or is an error of a class.
func FuzzArchive(tf *testing.F) {
	f := mutate.Of(tf)
	f.Add(archiveOf(f, 3))
	f.Add([]byte("a line\nanother\n\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		read := func() (blocks [][]byte, err error) {
			err = readMemory(data, 64, 40, func(b record.Block) {
				encoded, err := record.Encode(b)
				if err != nil {
					t.Fatalf("a block does not encode: %v", err)
				}
				blocks = append(blocks, encoded)
			})
			return blocks, err
		}
		blocks, err := read()
		var known *driver.Error
		if err != nil && (!errors.As(err, &known) || known.Object != "file") {
			t.Fatalf("the error is %v", err)
		}
		again, twice := read()
		if (err == nil) != (twice == nil) || err == nil && !cmp.Equal(blocks, again) {
			t.Fatalf("it is read in two ways: %v and %v", err, twice)
		}
	})
}

// archiveOf is a file of a raw archive.
func archiveOf(tb testing.TB, n int) []byte {
	tb.Helper()
	var out bytes.Buffer
	w := newParquetWriter(&out, raw.Rows, n)
	if err := w.add(piece{batchOf(raw.Rows, archivedRows(1, n)), 0, n}); err != nil {
		tb.Fatal(err)
	}
	if err := w.close(); err != nil {
		tb.Fatal(err)
	}
	return out.Bytes()
}

// FuzzBooks reads any bytes as the books of a lake: what an output consists of, a
// commit that is under way, a lease.
func FuzzBooks(tf *testing.F) {
	f := mutate.Of(tf)
	f.Add([]byte(`{"output":"events","schema":"events/1","days":{"1970-01-02":{"revision":1,"run":"r","rows":2,"files":[{"key":"events/a","rows":2}]}}}`), uint8(0))
	f.Add([]byte(`{"run":"r","place":[{"key":"events/a"}],"put":[{"key":"_current/events.json","text":"{}","before":null}],"remove":["events/b"]}`), uint8(1))
	f.Add([]byte(`{"run":"r","pid":1,"host":"h","since":"2026-01-01T00:00:00Z","id":"x","ttl_seconds":60,"released":true}`), uint8(2))
	f.Fuzz(func(t *testing.T, text []byte, kind uint8) {
		s := oneObject{newFileStore("lake"), text}
		read := func(into any) bool {
			err := ReadJSON(noContext{}, s, "book.json", into)
			if err != nil && !errors.Is(err, driver.ErrCorrupt) {
				t.Fatalf("the error is %v", err)
			}
			return err == nil
		}
		switch kind % 3 {
		case 0:
			var c, again Current
			if !read(&c) {
				return
			}
			written, err := json.Marshal(c)
			if err != nil {
				t.Fatal(err)
			}
			if err := json.Unmarshal(written, &again); err != nil || Views("lake", []Current{c}) != Views("lake", []Current{again}) {
				t.Fatalf("%s is read otherwise, %v", written, err)
			}
			st := Standing{"events": c}
			for day, revision := range st.Revisions("r") {
				if d := c.Days[DayText(day)]; revision < d.Revision {
					t.Fatalf("%s falls from revision %d to %d", DayText(day), d.Revision, revision)
				}
			}
			st.Frozen("r", map[string]bool{}, func(int64) bool { return false })
		case 1:
			var c commit
			if !read(&c) {
				return
			}
			for _, d := range c.Put {
				var before, now Current
				if err := d.decode(&before, &now); err != nil && !strings.Contains(err.Error(), d.Key) {
					t.Fatalf("%v does not name %q", err, d.Key)
				}
			}
		case 2:
			now := time.UnixMilli(1_800_000_000_000)
			clock := func(Info) time.Time { return now }
			if !free(text, Info{Modified: now.Add(-2 * longestLease)}, clock) {
				t.Fatal("a lease holds for ever")
			}
			if err := leaseBusy("lake", text, ""); !errors.Is(err, driver.ErrBusy) {
				t.Fatalf("the error is %v", err)
			}
		}
	})
}

// FuzzPlace reads any text as a place: what is accepted is the same place by its own
// text, and errors have a class and no more text than the place.
func FuzzPlace(tf *testing.F) {
	f := mutate.Of(tf)
	for _, raw := range []string{"out", "file:///a%20b?block=1MiB", "s3://bucket/a/b?region=x", "s3a://bucket", "file://host/x", ""} {
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		p, err := parsePlace(raw)
		if err != nil {
			if !errors.Is(err, driver.ErrInvalid) {
				t.Fatalf("%q gives %v", raw, err)
			}
			return
		}
		if p.onS3() == (p.path != "") {
			t.Fatalf("%q is %+v", raw, p)
		}
		if !p.onS3() && strings.Contains(raw, "://") && !filepath.IsAbs(p.path) {
			t.Fatalf("the URL %q is the path %q", raw, p.path)
		}
	})
}

// FuzzPattern matches any keys with any pattern: of a folder only what lies in it and
// is not hidden is wanted.
func FuzzPattern(tf *testing.F) {
	f := mutate.Of(tf)
	f.Add("logs/*/a?.log", "logs/x/ab.log/more")
	f.Add("logs//[a-c]*", "logs//_b")
	store := &s3Store{}
	f.Fuzz(func(t *testing.T, pattern, key string) {
		if key == "" {
			return
		}
		tree := s3Tree{store: store, key: pattern}
		if !tree.wants(key) || isPattern(pattern) {
			return
		}
		rest, inside := strings.CutPrefix(key, strings.TrimSuffix(pattern, "/"))
		if !inside || strings.Contains("/"+rest, "/_") || strings.Contains("/"+rest, "/.") {
			t.Fatalf("%q wants %q", pattern, key)
		}
	})
}
