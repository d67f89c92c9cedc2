package table_test

import (
	"math/rand/v2"
	"strings"
	"testing"

	"millrace/schemas/table"
)

// Columns of sparse.
const (
	sparseTime = iota
	sparseName
	sparseNote
)

func TestColumnsAreFilledInAnyOrder(t *testing.T) {
	b := table.NewBatch(sparseSchema)
	b.PutNull(sparseNote)
	b.PutText(sparseName, []byte("a"))
	b.PutInt(sparseTime, 5)
	b.EndRow()
	b.PutInt(sparseTime, 6)
	b.PutString(sparseName, "a")
	b.PutString(sparseNote, "n")
	b.EndRow()
	n := "n"
	check(t, b, []any{&sparse{Time: 5, Name: "a"}, &sparse{Time: 6, Name: "a", Note: &n}})
}

func TestRepeatedTextsAreStoredOnceUnlessPlain(t *testing.T) {
	b, note := table.NewBatch(sparseSchema), "same"
	for range 3 {
		b.Append(sparse{Name: "same", Note: &note})
	}
	if _, distinct := b.Codes(sparseName); distinct != 1 {
		t.Errorf("a dictionary column stored %d texts for one", distinct)
	}
	if _, distinct := b.Codes(sparseNote); distinct != 3 {
		t.Errorf("a plain column stored %d texts for three rows", distinct)
	}
	if !sparseSchema.Columns[sparseNote].Plain() || sparseSchema.Columns[sparseName].Plain() {
		t.Error("Plain does not tell the plain column")
	}
}

func TestInternedCodesStandForTheirText(t *testing.T) {
	b := table.NewBatch(sparseSchema)
	x, y := b.Intern(sparseName, []byte("x")), b.Intern(sparseName, []byte("y"))
	if again := b.Intern(sparseName, []byte("x")); again != x || x == y {
		t.Errorf("codes of x, y, x: %d, %d, %d", x, y, again)
	}
	for _, code := range []uint32{y, x, y} {
		b.PutInt(sparseTime, 0)
		b.PutCode(sparseName, code)
		b.PutNull(sparseNote)
		b.EndRow()
	}
	check(t, b, []any{&sparse{Name: "y"}, &sparse{Name: "x"}, &sparse{Name: "y"}})
	codes, distinct := b.Codes(sparseName)
	if distinct != 2 || string(b.DictValue(sparseName, codes[0])) != "y" {
		t.Errorf("codes %v of %d texts", codes, distinct)
	}
	if nulls, _ := b.Codes(sparseNote); !table.IsNullCode(nulls[0]) || table.IsNullCode(codes[0]) {
		t.Error("IsNullCode does not tell nulls")
	}
}

func TestTextsOfABatchThatWasGatheredOrDecodedAreStillStoredOnce(t *testing.T) {
	src := table.NewBatch(sparseSchema)
	src.Append(sparse{Name: "known"})
	gathered := table.NewBatch(sparseSchema)
	gathered.Append(sparse{Name: "before"})
	gathered.Reset() // leaves an index that must not be taken for the new dictionary's
	gathered.Gather(src, []uint32{0})
	for name, b := range map[string]*table.Batch{"gathered": gathered, "decoded": decode(t, encode(t, src))} {
		b.Append(sparse{Name: "known"})
		b.Append(sparse{Name: "new"})
		b.Append(sparse{Name: "before"})
		b.Append(sparse{Name: "known"})
		if _, distinct := b.Codes(sparseName); distinct != 3 {
			t.Errorf("%s: %d texts stored for known, new and before", name, distinct)
		}
		check(t, b, []any{&sparse{Name: "known"}, &sparse{Name: "known"}, &sparse{Name: "new"}, &sparse{Name: "before"}, &sparse{Name: "known"}})
	}
}

func TestARowBegunCanBeGivenUp(t *testing.T) {
	eachSchema(t, func(t *testing.T, rng *rand.Rand, s *table.Schema, n int) {
		b, want := randomBatch(rng, s, n)
		for begun := range len(s.Columns) + 1 {
			for col := range begun {
				b.PutNull(col)
			}
			b.Rewind(b.Len())
			if err := b.Check(); err != nil {
				t.Fatal(err)
			}
		}
		check(t, b, want)
		row := randomRow(rng, s)
		b.Append(row)
		check(t, b, append(want, row))
	})
}

func TestAResetBatchIsAsNew(t *testing.T) {
	eachSchema(t, func(t *testing.T, rng *rand.Rand, s *table.Schema, n int) {
		b, _ := randomBatch(rng, s, n)
		b.Reset()
		if b.Len() != 0 || b.Size() != 0 {
			t.Fatalf("after Reset: %d rows, %d bytes", b.Len(), b.Size())
		}
		fresh, rows := randomBatch(rng, s, n)
		for _, row := range rows {
			b.Append(row)
		}
		check(t, b, rows)
		if string(encode(t, b)) != string(encode(t, fresh)) {
			t.Fatal("the same rows encode differently after a Reset")
		}
	})
}

func TestSizeGrowsWithRows(t *testing.T) {
	b := table.NewBatch(sparseSchema)
	last := b.Size()
	for range 3 {
		b.Append(sparse{Name: strings.Repeat("x", 100)})
		if b.Size() <= last {
			t.Fatalf("size %d after %d", b.Size(), last)
		}
		last = b.Size()
	}
	if last < 100 || last > 1000 {
		t.Errorf("three rows that share a text of 100 bytes take %d", last)
	}
}

func TestCheckFindsRowsThatAreNotWhole(t *testing.T) {
	for want, spoil := range map[string]func(*table.Batch){
		"column time has 0 values for 1 rows": func(b *table.Batch) { b.PutString(sparseName, "a"); b.PutNull(sparseNote); b.EndRow() },
		"column name has 2 values for 1 rows": func(b *table.Batch) { b.Append(sparse{}); b.PutString(sparseName, "a") },
		"column name holds a null": func(b *table.Batch) {
			b.PutInt(sparseTime, 1)
			b.PutNull(sparseName)
			b.PutNull(sparseNote)
			b.EndRow()
		},
		"column time has 1 null marks": func(b *table.Batch) {
			b.PutNull(sparseTime)
			b.PutString(sparseName, "")
			b.PutNull(sparseNote)
			b.EndRow()
		},
		"column name: code 7 of 1": func(b *table.Batch) {
			b.Append(sparse{})
			b.Rewind(b.Len())
			b.PutInt(sparseTime, 1)
			b.PutCode(sparseName, 7)
			b.PutNull(sparseNote)
			b.EndRow()
		},
		"column name has 1 values for 2 rows":         func(b *table.Batch) { b.Append(sparse{}); b.PutInt(sparseTime, 1); b.EndRow() },
		"batch of test.sparse/1: column note has 0 v": func(b *table.Batch) { b.PutInt(sparseTime, 1); b.PutString(sparseName, ""); b.EndRow() },
	} {
		b := table.NewBatch(sparseSchema)
		spoil(b)
		if err := b.Check(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want an error with %q, got %v", want, err)
		}
	}
}

func TestCheckFindsNumbersTheColumnCannotHold(t *testing.T) {
	for name, v := range map[string]int64{"small": 1 << 31, "date": -1<<31 - 1, "flag": 2} {
		b := table.NewBatch(everySchema)
		b.Append(every{})
		col, _ := everySchema.Index(name)
		b.SetInt(col, 0, v)
		if err := b.Check(); err == nil || !strings.Contains(err.Error(), "column "+name) {
			t.Errorf("%d in column %s: %v", v, name, err)
		}
	}
}

func TestDaysAreCutAtUTCMidnight(t *testing.T) {
	const day = 86_400_000
	for ms, want := range map[int64]int64{0: 0, day - 1: 0, day: 1, -1: -1, -day: -1, -day - 1: -2, 1_700_000_000_000: 19_675} {
		if got := table.FloorDay(ms); got != want {
			t.Errorf("day of %d ms: %d, want %d", ms, got, want)
		}
		b := table.NewBatch(sparseSchema)
		b.Append(sparse{Time: table.Millis(ms)})
		if got := b.DayOf(0); got != want {
			t.Errorf("day of a row at %d ms: %d, want %d", ms, got, want)
		}
	}
}

func TestADateColumnIsTheDay(t *testing.T) {
	type daily struct {
		Day table.Day `col:"day,sort1,day" doc:"d"`
	}
	b := table.NewBatch(table.MustOf[daily]("test.daily", 1))
	b.Append(daily{Day: -3})
	if got := b.DayOf(0); got != -3 {
		t.Errorf("day %d, want -3", got)
	}
}
