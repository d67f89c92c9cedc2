package lakeio

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"millrace/schemas/table"
)

// mergeCase is rows of one kind, spilled as the given runs of the same part.
type mergeCase[T any] struct {
	schema *table.Schema
	less   func(a, b T) int
	random func(r *rand.Rand) T
}

// check merges random runs and compares with a sort of all their rows. Rows with
// equal keys may come in any order, so their other columns are equal too.
func (c mergeCase[T]) check(t *testing.T) {
	for seed := range uint64(60) {
		r := seeded(seed)
		s := NewSpiller(t.TempDir(), "x", 1)
		s.frame = 1 + r.IntN(9)
		runs := []Run{}
		var want []T
		for range r.IntN(12) * r.IntN(4) {
			rows := make([]T, 1+r.IntN(30)*r.IntN(2))
			for i := range rows {
				rows[i] = c.random(r)
			}
			want = append(want, rows...)
			for _, list := range spillAll(t, s, []*table.Batch{batchOf(c.schema, rows)}) {
				runs = append(runs, list...)
			}
		}
		r.Shuffle(len(runs), func(i, j int) { runs[i], runs[j] = runs[j], runs[i] })
		slices.SortStableFunc(want, c.less)
		var got []T
		err := mergeRuns(t.Context(), c.schema, runs, func(p piece) error {
			if p.from >= p.to {
				t.Errorf("seed %d: an empty piece", seed)
			}
			got = append(got, rowsOf[T](p)...)
			return nil
		})
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("seed %d: %d runs merge otherwise than they sort (-sorted +merged):\n%s", seed, len(runs), diff)
		}
	}
}

func TestMergedRunsAreSortedRows(t *testing.T) {
	t.Run("a number first", func(t *testing.T) {
		mergeCase[number]{numbers, func(a, b number) int {
			return cmpOr(int64(a.At)-int64(b.At), int64(strings.Compare(a.Source, b.Source)), a.N-b.N)
		}, func(r *rand.Rand) number {
			return number{At: table.Millis(r.IntN(40)), Source: string('a' + rune(r.IntN(2))), N: r.Int64N(3)}
		}}.check(t)
	})
	t.Run("negative numbers first", func(t *testing.T) {
		mergeCase[number]{
			numbers, func(a, b number) int { return cmpOr(int64(a.At)-int64(b.At), a.N-b.N) },
			func(r *rand.Rand) number { return number{At: table.Millis(-1 - r.IntN(40)), N: r.Int64N(3)} },
		}.check(t)
	})
	t.Run("text first", func(t *testing.T) {
		mergeCase[word]{
			words, func(a, b word) int { return cmpOr(int64(strings.Compare(a.Word, b.Word)), a.N-b.N) },
			func(r *rand.Rand) word {
				return word{Word: []string{"", "a", "b", "ba", "é"}[r.IntN(5)], N: r.Int64N(5) - 2}
			},
		}.check(t)
	})
	t.Run("an identity first", func(t *testing.T) {
		mergeCase[ident]{
			idents, func(a, b ident) int { return cmpOr(int64(a.ID[0])-int64(b.ID[0]), a.N-b.N) },
			func(r *rand.Rand) ident { return ident{ID: table.ID{byte(r.IntN(200))}, N: r.Int64N(3)} },
		}.check(t)
	})
}

func cmpOr(signs ...int64) int {
	for _, s := range signs {
		if s != 0 {
			return int(s)
		}
	}
	return 0
}

func TestRunsOneAfterTheOtherArePassedOnWhole(t *testing.T) {
	s := NewSpiller(t.TempDir(), "x", 1)
	var runs []Run
	for i := range 50 {
		rows := make([]number, 20)
		for j := range rows {
			rows[j] = number{At: table.Millis(i*100 + j)}
		}
		runs = append(runs, spillAll(t, s, []*table.Batch{batchOf(numbers, rows)})[Part{Output: "x"}]...)
	}
	pieces := 0
	if err := mergeRuns(t.Context(), numbers, runs, func(piece) error { pieces++; return nil }); err != nil {
		t.Fatal(err)
	}
	if pieces != len(runs) {
		t.Errorf("%d runs come in %d pieces", len(runs), pieces)
	}
}

func TestAMergeStopsWhenCancelledOrRefused(t *testing.T) {
	s := NewSpiller(t.TempDir(), "x", 1)
	s.frame = 4
	parts := spillAll(t, s, inBatches(seeded(1), numbers, makeNumbers(seeded(2), 400, 1), 50))
	runs := parts[Part{Output: "x"}]
	ctx, cancel := context.WithCancel(t.Context())
	calls := 0
	err := mergeRuns(ctx, numbers, runs, func(piece) error { calls++; cancel(); return nil })
	if !errors.Is(err, context.Canceled) || calls != 1 {
		t.Errorf("after the cancellation it goes on for %d pieces, then gives %v", calls-1, err)
	}
	refusal := fmt.Errorf("no room")
	if err := mergeRuns(t.Context(), numbers, runs, func(piece) error { return refusal }); !errors.Is(err, refusal) {
		t.Errorf("the error is %v", err)
	}
}
