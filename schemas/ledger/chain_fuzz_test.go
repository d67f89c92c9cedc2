package ledger_test

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"millrace/internal/mutate"
	"millrace/schemas/ledger"
)

// FuzzChain reads any bytes as the rolls of a lake: the breaks among them do not
// depend on their order, and one roll alone has no hole.
func FuzzChain(tf *testing.F) {
	f := mutate.Of(tf)
	text, err := json.Marshal([]ledger.Part{roll(-1, 0, 3), roll(5, 6, 9), roll(3, 4, 7)})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Fuzz(func(t *testing.T, text []byte) {
		var rolls []ledger.Part
		if json.Unmarshal(text, &rolls) != nil {
			return
		}
		breaks, err := ledger.Chain(rolls)
		backwards := slices.Clone(rolls)
		slices.Reverse(backwards)
		again, twice := ledger.Chain(backwards)
		if (err == nil) != (twice == nil) {
			t.Fatalf("%v, and backwards %v", err, twice)
		}
		if err != nil {
			return
		}
		names := map[string]int{}
		for _, p := range rolls {
			names[p.Roll]++
			alone, err := ledger.Chain([]ledger.Part{p})
			if err != nil {
				t.Fatal(err)
			}
			for _, b := range alone {
				if b.Kind == ledger.Hole || b.Kind == ledger.Overlap || b.String() == "" {
					t.Fatalf("a roll alone has %s", b)
				}
			}
		}
		for _, n := range names {
			if n > 1 {
				return // of equal claims either may come first
			}
		}
		if diff := cmp.Diff(breaks, again); diff != "" {
			t.Fatalf("backwards (-before +after):\n%s", diff)
		}
	})
}
