package table_test

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"sort"
	"testing"

	"millrace/schemas/table"
)

// TestSortedIsAStableSort compares with the plainest stable sort there is.
func TestSortedIsAStableSort(t *testing.T) {
	eachSchema(t, func(t *testing.T, rng *rand.Rand, s *table.Schema, n int) {
		b, _ := randomBatch(rng, s, n)
		want := numbers(n)
		sort.SliceStable(want, func(i, j int) bool { return less(b, int(want[i]), int(want[j])) })
		if got := b.Sorted(); !slices.Equal(got, want) {
			t.Fatalf("%d rows sorted\n got %v\nwant %v", n, got, want)
		}
		// A batch in order, and the same in reverse.
		ordered := table.NewBatch(s)
		ordered.Gather(b, want)
		if got := ordered.Sorted(); !slices.Equal(got, numbers(n)) {
			t.Fatalf("rows in order were moved: %v", got)
		}
	})
}

// less compares by the schema's order without Compare.
func less(b *table.Batch, i, j int) bool {
	for _, col := range b.Schema().Order {
		switch b.Schema().Columns[col].Kind {
		case table.String, table.Bytes:
			if x, y := b.Null(col, i), b.Null(col, j); x != y {
				return x
			}
			if x, y := string(b.Text(col, i)), string(b.Text(col, j)); x != y {
				return x < y
			}
		case table.UUID:
			if x, y := b.UUID(col, i), b.UUID(col, j); x != y {
				return string(x[:]) < string(y[:])
			}
		default:
			if x, y := b.Int(col, i), b.Int(col, j); x != y {
				return x < y
			}
		}
	}
	return false
}

func TestCompareLooksAtTheOrderColumnsOnly(t *testing.T) {
	n := "n"
	a, b := table.NewBatch(sparseSchema), table.NewBatch(sparseSchema)
	a.Append(sparse{Time: 1, Name: "a"})
	b.Append(sparse{Time: 1, Name: "b"})
	b.Append(sparse{Time: 1, Name: "a", Note: &n})
	b.Append(sparse{Time: 0, Name: "z"})
	for j, want := range []int{-1, 0, 1} {
		if got := table.Compare(a, 0, b, j); got != want {
			t.Errorf("row 0 against row %d: %d, want %d", j, got, want)
		}
		if got := table.Compare(b, j, a, 0); got != -want {
			t.Errorf("row %d against row 0: %d, want %d", j, got, -want)
		}
	}
}

func TestNullComesBeforeEveryTextOfTheOrder(t *testing.T) {
	empty, a := "", "a"
	list := []*string{nil, &empty, &a}
	one, other := table.NewBatch(nullableSchema), table.NewBatch(nullableSchema)
	for i := range list {
		one.Append(nullable{Plain: list[i]})
		other.Append(nullable{Plain: list[len(list)-1-i]}) // the codes of the texts differ
	}
	for i := range list {
		for j := range list {
			if got := table.Compare(one, i, other, len(list)-1-j); got != cmp.Compare(i, j) {
				t.Errorf("text %d against text %d of another batch: %d", i, j, got)
			}
			if got := table.Compare(one, i, one, j); got != cmp.Compare(i, j) {
				t.Errorf("text %d against text %d: %d", i, j, got)
			}
		}
	}
}

// TestGatherCopiesRows compares with copying row by row: any rows, in any order,
// some more than once.
func TestGatherCopiesRows(t *testing.T) {
	eachSchema(t, func(t *testing.T, rng *rand.Rand, s *table.Schema, n int) {
		src, all := randomBatch(rng, s, n)
		var rows []uint32
		var want []any
		if n > 0 {
			for range rng.IntN(2 * n) {
				r := rng.IntN(n)
				rows, want = append(rows, uint32(r)), append(want, all[r])
			}
		}
		got := table.NewBatch(s)
		got.Gather(src, rows)
		check(t, got, want)
	})
}

func TestKeepDropsTheOtherRows(t *testing.T) {
	eachSchema(t, func(t *testing.T, rng *rand.Rand, s *table.Schema, n int) {
		b, all := randomBatch(rng, s, n)
		likely := rng.Float64()
		var rows []uint32
		var want []any
		for r := range n {
			if rng.Float64() < likely {
				rows, want = append(rows, uint32(r)), append(want, all[r])
			}
		}
		b.Keep(rows)
		check(t, b, want)
	})
}

func TestGatherTakesOnlyTheTextsItNeeds(t *testing.T) {
	src := table.NewBatch(sparseSchema)
	for _, name := range []string{"a", "b", "c", "b"} {
		src.Append(sparse{Name: name})
	}
	b := table.NewBatch(sparseSchema)
	b.Gather(src, []uint32{3, 1})
	if _, distinct := b.Codes(sparseName); distinct != 1 {
		t.Errorf("rows with one name brought %d", distinct)
	}
}

func TestGatherRefusesABatchThatHasRowsOrAnotherSchema(t *testing.T) {
	src := table.NewBatch(sparseSchema)
	src.Append(sparse{})
	full := table.NewBatch(sparseSchema)
	full.Append(sparse{})
	for name, b := range map[string]*table.Batch{"not empty": full, "another schema": table.NewBatch(everySchema)} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("rows were gathered")
				}
			}()
			b.Gather(src, []uint32{0})
		})
	}
}

func numbers(n int) []uint32 {
	list := make([]uint32, n)
	for i := range list {
		list[i] = uint32(i)
	}
	return list
}
