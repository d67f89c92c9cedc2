package sketch

import (
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestAHashSetIsASet compares with a map: 0, hashes that are alike in their low or high bits,
// some again and again, and a copy that goes its own way.
func TestAHashSetIsASet(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 3))
	for name, draw := range map[string]func() uint64{
		"few":       func() uint64 { return rng.Uint64N(300) },
		"any":       rng.Uint64,
		"low alike": func() uint64 { return rng.Uint64N(3000) << 40 },
		"high":      func() uint64 { return ^rng.Uint64N(3000) },
	} {
		s, want := newHashSet(rng.IntN(100)), map[uint64]bool{}
		for i := range 5000 {
			h := draw()
			s.add(h)
			want[h] = true
			if s.len() != len(want) {
				t.Fatalf("%s: %d hashes after %d, want %d", name, s.len(), i+1, len(want))
			}
		}
		kept := s.clone()
		s.add(0)
		s.add(^uint64(0) >> 1)
		if diff := cmp.Diff(slices.Sorted(maps.Keys(want)), kept.sorted()); diff != "" {
			t.Errorf("%s: hashes, -want +got:\n%s", name, diff)
		}
	}
}
