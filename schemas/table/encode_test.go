package table_test

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"

	"millrace/internal/mutate"
	"millrace/schemas/table"
)

func encode(t testing.TB, b *table.Batch) []byte {
	t.Helper()
	data, err := b.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func decode(t testing.TB, data []byte) *table.Batch {
	t.Helper()
	b, err := table.Decode(data)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestADecodedBatchHoldsTheSameRows(t *testing.T) {
	eachSchema(t, func(t *testing.T, rng *rand.Rand, s *table.Schema, n int) {
		b, want := randomBatch(rng, s, n)
		data := encode(t, b)
		got := decode(t, data)
		if got.Schema() != s {
			t.Fatalf("schema %s came back as %s", s.ID(), got.Schema().ID())
		}
		check(t, got, want)
		if again := encode(t, got); string(again) != string(data) {
			t.Fatal("encoding what was decoded gives other bytes")
		}
		for i := range data {
			data[i] = 0xff
		}
		check(t, got, want) // keeps no reference to its input
	})
}

func TestWideDictionariesSurvive(t *testing.T) {
	for _, n := range []int{254, 255, 256, 257, 65_534, 65_535, 65_536, 70_000} {
		b := table.NewBatch(sparseSchema)
		for i := range n {
			b.PutInt(sparseTime, int64(i))
			b.PutString(sparseName, fmt.Sprint("name ", i))
			b.PutNull(sparseNote)
			b.EndRow()
		}
		got := decode(t, encode(t, b))
		for _, i := range []int{0, 253, n - 2, n - 1} {
			if text := string(got.Text(sparseName, i)); text != fmt.Sprint("name ", i) {
				t.Errorf("row %d of %d names came back as %q", i, n, text)
			}
			if !got.Null(sparseNote, i) {
				t.Errorf("row %d of %d: the null is gone", i, n)
			}
		}
	}
}

func TestAppendBinaryKeepsWhatStoodBefore(t *testing.T) {
	b, _ := randomBatch(rand.New(rand.NewPCG(1, 1)), sparseSchema, 5)
	got, err := b.AppendBinary([]byte("head"))
	if err != nil {
		t.Fatal(err)
	}
	if want := "head" + string(encode(t, b)); string(got) != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestRowsCrossTheRunner(t *testing.T) {
	b, want := randomBatch(rand.New(rand.NewPCG(2, 2)), everySchema, 20)
	data, err := table.EncodeRows(table.Rows{Batch: b})
	if err != nil {
		t.Fatal(err)
	}
	got, err := table.DecodeRows(data)
	if err != nil {
		t.Fatal(err)
	}
	check(t, got.Batch, want)
}

func TestBytesThatAreNoBatchAreRefused(t *testing.T) {
	b, _ := randomBatch(rand.New(rand.NewPCG(3, 3)), everySchema, 40)
	data := encode(t, b)
	for n := range data {
		if _, err := table.Decode(data[:n]); !errors.Is(err, table.ErrCorrupt) {
			t.Fatalf("the first %d of %d bytes: %v", n, len(data), err)
		}
	}
	if _, err := table.Decode(append(data[:len(data):len(data)], 0)); !errors.Is(err, table.ErrCorrupt) {
		t.Errorf("a byte too many: %v", err)
	}
	for want, head := range map[string][]byte{
		"ends early":     nil,
		"version 9":      {9, 1, 'x'},
		"unknown schema": header("nobody/1", 0),
		"out of range":   header(sparseSchema.ID(), 1<<40),
		"more rows":      header(sparseSchema.ID(), 1<<20),
	} {
		if _, err := table.Decode(head); !errors.Is(err, table.ErrCorrupt) || !strings.Contains(err.Error(), want) {
			t.Errorf("want a refusal with %q, got %v", want, err)
		}
	}
}

func TestDecodedNullsAndNumbersFollowTheSchema(t *testing.T) {
	null := table.NewBatch(sparseSchema)
	null.PutInt(sparseTime, 1)
	null.PutNull(sparseName) // not allowed
	null.PutNull(sparseNote)
	null.EndRow()
	wide := table.NewBatch(everySchema)
	wide.Append(every{})
	small, _ := everySchema.Index("small")
	wide.SetInt(small, 0, 1<<40)
	for name, b := range map[string]*table.Batch{"a null where none may be": null, "an int32 of 41 bits": wide} {
		if got, err := table.Decode(encode(t, b)); err == nil || got != nil || !errors.Is(err, table.ErrCorrupt) {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
}

// header begins an encoded batch.
func header(id string, rows uint64) []byte {
	data := binary.AppendUvarint([]byte{2}, uint64(len(id)))
	data = binary.AppendUvarint(append(data, id...), rows)
	if s, ok := table.Lookup(id); ok {
		data = binary.AppendUvarint(data, uint64(len(s.Columns)))
	}
	return data
}

// TestHostileLengthsDoNotTakeMemory decodes small inputs that promise much.
func TestHostileLengthsDoNotTakeMemory(t *testing.T) {
	const size = 1 << 20
	for name, head := range map[string][]byte{
		"rows":              header(everySchema.ID(), size-100),
		"rows, short times": append(header(everySchema.ID(), size/2), make([]byte, size/2)...),
		"texts":             binary.AppendUvarint(append(header(sparseSchema.ID(), 1), 0), size/2),
		"length of a text":  binary.AppendUvarint(append(header(sparseSchema.ID(), 1), 0, 1), size/2),
	} {
		data := slices.Concat(head, make([]byte, size-len(head)))
		if allocated := allocatedBy(func() { _, _ = table.Decode(data) }); allocated > decodeMemory(len(data)) {
			t.Errorf("%s: decoding %d bytes took %d bytes of memory", name, len(data), allocated)
		}
	}
}

// decodeMemory is what decoding n bytes may allocate: a number of one byte
// becomes eight, a text of none an end of four.
func decodeMemory(n int) uint64 { return uint64(16*n) + 16<<10 }

func allocatedBy(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

func FuzzDecode(tf *testing.F) {
	f := mutate.Of(tf)
	f.Fuzz(func(t *testing.T, data []byte) {
		b, err := table.Decode(data)
		if err != nil {
			if !errors.Is(err, table.ErrCorrupt) || b != nil {
				t.Fatalf("refused with %v, %v", b, err)
			}
			return
		}
		if b.Size() > int(decodeMemory(len(data))) {
			t.Fatalf("%d bytes became %d", len(data), b.Size())
		}
		again := decode(t, encode(t, b))
		check(t, again, rowsOf(b))
		sorted := table.NewBatch(b.Schema())
		sorted.Gather(b, b.Sorted())
		if err := sorted.Check(); err != nil {
			t.Fatal(err)
		}
	})
}

// TestRowsAreDecodedIntoWhatWasThere: nothing of the rows before shows.
func TestRowsAreDecodedIntoWhatWasThere(t *testing.T) {
	eachSchema(t, func(t *testing.T, rng *rand.Rand, s *table.Schema, n int) {
		spent, _ := randomBatch(rng, s, rng.IntN(60))
		for range 3 {
			src, want := randomBatch(rng, s, rng.IntN(2*n+1))
			blob, err := table.EncodeRows(table.Rows{Batch: src, Group: "g"})
			if err != nil {
				t.Fatal(err)
			}
			got, err := table.DecodeRowsInto(spent, blob)
			if err != nil {
				t.Fatal(err)
			}
			check(t, got.Batch, want)
			spent = got.Batch
			if len(want) > 0 { // texts that are put beside decoded ones are found again
				spent.Append(want[0])
				check(t, spent, append(want, want[0]))
			}
		}
	})
}

func TestDictStringsAreTheTextsByCode(t *testing.T) {
	eachSchema(t, func(t *testing.T, rng *rand.Rand, s *table.Schema, n int) {
		b, _ := randomBatch(rng, s, n)
		for col, c := range s.Columns {
			if c.Kind != table.String {
				continue
			}
			codes, distinct := b.Codes(col)
			texts := b.DictStrings(col)
			if len(texts) != distinct {
				t.Fatalf("%d texts of %d", len(texts), distinct)
			}
			for row, code := range codes {
				if !table.IsNullCode(code) && texts[code] != string(b.Text(col, row)) {
					t.Errorf("%s: %q is not %q", c.Name, texts[code], b.Text(col, row))
				}
			}
		}
	})
}
