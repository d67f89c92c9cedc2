package lakeio

import (
	"bytes"
	"testing"

	"github.com/google/go-cmp/cmp"

	"millrace/internal/mutate"
	"millrace/schemas/table"
)

// inMemory is a file in memory.
type inMemory struct{ *bytes.Reader }

func numbersFile(tb testing.TB, n int) []byte {
	tb.Helper()
	var out bytes.Buffer
	w := newParquetWriter(&out, numbers, 64)
	b := batchOf(numbers, makeNumbers(seeded(1), n, 2))
	if err := w.add(piece{b, 0, b.Len()}); err != nil {
		tb.Fatal(err)
	}
	if err := w.close(); err != nil {
		tb.Fatal(err)
	}
	return out.Bytes()
}

// FuzzColumns holds that a damaged file is an error or gives the rows that the reader
// of rows gives, and that nothing else happens.
func FuzzColumns(tf *testing.F) {
	f := mutate.Of(tf)
	whole := numbersFile(f, 150)
	f.Add(whole)
	f.Add(whole[:len(whole)/2])
	f.Add(numbersFile(f, 1))
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := OpenColumns(inMemory{bytes.NewReader(data)}, numbers, allColumns(numbers))
		if err != nil {
			return
		}
		got := []number{}
		for g := range c.Groups() {
			b := table.NewBatch(numbers)
			if err := c.ReadGroup(t.Context(), g, b); err != nil {
				return
			}
			got = append(got, rowsOf[number](piece{b, 0, b.Len()})...)
		}
		want := []number{}
		err = ReadRows(t.Context(), inMemory{bytes.NewReader(data)}, numbers, func(b *table.Batch) error {
			want = append(want, rowsOf[number](piece{b, 0, b.Len()})...)
			return nil
		})
		if err == nil && !cmp.Equal(want, got) {
			t.Errorf("%d rows, the reader of rows gives %d", len(got), len(want))
		}
	})
}
