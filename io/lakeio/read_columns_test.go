package lakeio

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"millrace/schemas/table"
	"millrace/schemas/weblog"
)

// fileAt is a file on disk.
type fileAt struct{ *os.File }

func (f fileAt) Size() int64 {
	info, err := f.Stat()
	if err != nil {
		panic(err)
	}
	return info.Size()
}

func openFileAt(t *testing.T, path string) fileAt {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return fileAt{f}
}

func allColumns(s *table.Schema) (list []int) {
	for i := range s.Columns {
		list = append(list, i)
	}
	return list
}

// TestColumnsAreReadBackWhole, of every row type, with awkward values and nulls.
func TestColumnsAreReadBackWhole(t *testing.T) {
	lake := t.TempDir()
	for output, written := range foreignLake(t, lake) {
		s := written.Schema()
		var got []string
		for _, name := range filesIn(t, filepath.Join(lake, output)) {
			c, err := OpenColumns(openFileAt(t, filepath.Join(lake, output, name)), s, allColumns(s))
			if err != nil {
				t.Fatal(err)
			}
			for g := range c.Groups() {
				b := table.NewBatch(s)
				if err := c.ReadGroup(t.Context(), g, b); err != nil {
					t.Fatal(err)
				}
				if err := b.Check(); err != nil {
					t.Fatal(err)
				}
				got = append(got, plainRows(b)...)
			}
		}
		slices.Sort(got)
		if diff := cmp.Diff(plainRows(written), got); diff != "" {
			t.Errorf("%s (-written +read):\n%s", output, diff)
		}
	}
}

// TestColumnsOfManyPagesAreReadBack: where a dictionary gets too long for the file, its
// later pages have none.
func TestColumnsOfManyPagesAreReadBack(t *testing.T) {
	const n = 150_000
	rows := make([]number, n)
	r := seeded(3)
	for i := range rows {
		rows[i] = number{At: table.Millis(i), Source: fmt.Sprintf("%0100d", r.IntN(n)), N: int64(i)}
		if i%3 > 0 {
			note := rows[i].Source[:90+i%7]
			rows[i].Note = &note
		}
	}
	runs := spillAll(t, NewSpiller(t.TempDir(), "numbers", 1), []*table.Batch{batchOf(numbers, rows)})
	at := 0
	for p, list := range runs {
		files, err := MergeRuns(t.Context(), numbers, p, 0, list, t.TempDir(), func(int) {})
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			c, err := OpenColumns(openFileAt(t, f.Staged), numbers, []int{3, 1, 2})
			if err != nil {
				t.Fatal(err)
			}
			if c.Groups() < 2 {
				t.Errorf("%d row groups", c.Groups())
			}
			b := table.NewBatch(numbers)
			for g := range c.Groups() {
				b.Reset()
				if err := c.ReadGroup(t.Context(), g, b); err != nil {
					t.Fatal(err)
				}
				for i := range b.Len() {
					want := rows[at]
					if string(b.Text(1, i)) != want.Source || b.Int(2, i) != want.N || b.Null(3, i) != (want.Note == nil) || want.Note != nil && string(b.Text(3, i)) != *want.Note {
						t.Fatalf("row %d is %s, %d, %s; want %+v", at, b.Text(1, i), b.Int(2, i), b.Text(3, i), want)
					}
					at++
				}
			}
		}
	}
	if at != n {
		t.Errorf("%d rows", at)
	}
}

// TestColumnsThatAreMissingAreNullOrRefused: a lake of an earlier version lacks those
// that were added since, which can be null.
func TestColumnsThatAreMissingAreNullOrRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file.parquet")
	write := func(s *table.Schema, b *table.Batch) {
		out, err := os.Create(path)
		if err != nil {
			t.Fatal(err)
		}
		defer out.Close()
		w := newParquetWriter(out, s, 100)
		if err := w.add(piece{b, 0, b.Len()}); err != nil {
			t.Fatal(err)
		}
		if err := w.close(); err != nil {
			t.Fatal(err)
		}
	}
	write(words, batchOf(words, []word{{"a", 1, 1}, {"b", 2, 2}}))
	c, err := OpenColumns(openFileAt(t, path), weblog.Events, []int{weblog.EventHost})
	if err != nil {
		t.Fatal(err)
	}
	b := table.NewBatch(weblog.Events)
	if err := c.ReadGroup(t.Context(), 0, b); err != nil || b.Len() != 2 || !b.Null(weblog.EventHost, 1) {
		t.Errorf("%d rows, %v", b.Len(), err)
	}
	if _, err := OpenColumns(openFileAt(t, path), weblog.Events, []int{weblog.EventStatus}); err == nil || !strings.Contains(err.Error(), `no column "status"`) {
		t.Errorf("error %v", err)
	}
	if _, err := OpenColumns(openFileAt(t, path), idents, []int{1}); err != nil {
		t.Errorf("a column of the same type: %v", err)
	}
	if err := os.WriteFile(path, []byte("PAR1 no Parquet PAR1"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenColumns(openFileAt(t, path), words, []int{0}); err == nil {
		t.Error("a file that is no Parquet is opened")
	}
}
