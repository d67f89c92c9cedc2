package sketch_test

import (
	"bytes"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"millrace/internal/mutate"
	"millrace/internal/vectors"
	"millrace/transforms/sketch"
)

// visits draws keys by a Zipf law: some come often, most hardly ever.
func visits(r *rand.Rand, n, keys int, skew float64) [][]byte {
	zipf := rand.NewZipf(r, skew, 1, uint64(keys-1))
	out := make([][]byte, n)
	for i := range out {
		out[i] = fmt.Appendf(nil, "/page/%d", zipf.Uint64())
	}
	return out
}

// within holds the promises of Heavy against the true counts.
func within(t *testing.T, name string, h *sketch.Heavy, truth map[string]int64, n int) {
	t.Helper()
	var total int64
	for _, c := range truth {
		total += c
	}
	limit := total / int64(10*n)
	if h.Total() != total || h.Bound() > limit {
		t.Errorf("%s: total %d, want %d; bound %d, want at most %d", name, h.Total(), total, h.Bound(), limit)
	}
	found := map[string]bool{}
	for i, a := range h.Top() {
		found[a.Key] = true
		if c := truth[a.Key]; a.Count < c || a.Count-a.Error > c || a.Error > limit {
			t.Errorf("%s: rank %d is %+v, true count %d, greatest error %d", name, i+1, a, c, limit)
		}
	}
	for _, top := range sketch.Largest(maps.All(truth), n) {
		// A key can be missing only where others with greater counts stand.
		if top.Count > limit+h.Top()[len(h.Top())-1].Count && !found[top.Key] {
			t.Errorf("%s: %+v is missing", name, top)
		}
	}
	if h.Exact() {
		for _, a := range h.Top() {
			if a.Error != 0 || a.Count != truth[a.Key] {
				t.Errorf("%s: exact, and yet %+v of %d", name, a, truth[a.Key])
			}
		}
	}
}

func TestFrequentKeysKeepTheirBounds(t *testing.T) {
	approximate := 0
	for seed := range uint64(40) {
		r := rand.New(rand.NewPCG(seed, 1))
		n := 1 + r.IntN(20)
		keys := []int{5, 10 * n, 50_000}[r.IntN(3)]
		all := visits(r, 1+r.IntN(20_000), keys, 1.05+r.Float64())
		truth := map[string]int64{}
		parts := make([]*sketch.Heavy, 1+r.IntN(6))
		for i := range parts {
			parts[i] = sketch.NewHeavy(n)
		}
		one := sketch.NewHeavy(n)
		for _, key := range all {
			k := 1 + r.Int64N(3)
			truth[string(key)] += k
			one.Add(key, k)
			parts[r.IntN(len(parts))].Add(key, k)
		}
		within(t, fmt.Sprint("seed ", seed), one, truth, n)
		for len(parts) > 1 {
			a, b := r.IntN(len(parts)), r.IntN(len(parts))
			if a == b {
				continue
			}
			// Which of the two is called makes no difference.
			x, y := parts[a].AppendEncoded(nil), parts[b].AppendEncoded(nil)
			forth, back := decodeHeavy(t, x), decodeHeavy(t, y)
			if err := forth.Merge(decodeHeavy(t, y)); err != nil {
				t.Fatal(err)
			}
			if err := back.Merge(decodeHeavy(t, x)); err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(forth.AppendEncoded(nil), back.AppendEncoded(nil)) {
				t.Fatalf("seed %d: a and b is not b and a", seed)
			}
			parts[a] = forth
			parts = slices.Delete(parts, b, b+1)
		}
		within(t, fmt.Sprint("merged, seed ", seed), parts[0], truth, n)
		if !parts[0].Exact() {
			approximate++
		}
		if parts[0].Exact() != (len(truth) <= 10*n) {
			t.Errorf("seed %d: %d keys, exact %v", seed, len(truth), parts[0].Exact())
		}
	}
	if approximate < 5 {
		t.Errorf("%d were approximate", approximate)
	}
}

// TestFrequentKeysOfExactCounts knows the largest of them without an error, whatever
// their order, and says that there are others.
func TestFrequentKeysOfExactCounts(t *testing.T) {
	for seed := range uint64(20) {
		r := rand.New(rand.NewPCG(seed, 3))
		n := 1 + r.IntN(5)
		truth := map[string]int64{}
		for _, key := range visits(r, 1+r.IntN(300), 100, 1.3) {
			truth[string(key)]++
		}
		h, again := sketch.HeavyOf(n, maps.All(truth)), sketch.HeavyOf(n, maps.All(truth))
		within(t, fmt.Sprint("seed ", seed), h, truth, n)
		if !bytes.Equal(h.AppendEncoded(nil), again.AppendEncoded(nil)) {
			t.Fatalf("seed %d: other bytes", seed)
		}
		if h.Exact() != (len(truth) <= 10*n) || h.Len() != min(len(truth), 10*n) {
			t.Errorf("seed %d: %d of %d keys, exact %v", seed, h.Len(), len(truth), h.Exact())
		}
		for a := range h.Known() {
			if a.Error != 0 || a.Count != truth[a.Key] || a.Count < h.Bound() {
				t.Errorf("seed %d: %+v, true count %d, others at most %d", seed, a, truth[a.Key], h.Bound())
			}
		}
	}
}

func decodeHeavy(t *testing.T, b []byte) *sketch.Heavy {
	t.Helper()
	h, err := sketch.DecodeHeavy(b)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func TestFrequentKeysOfOtherNumbersAreNotMerged(t *testing.T) {
	if err := sketch.NewHeavy(1).Merge(sketch.NewHeavy(2)); err == nil {
		t.Error("no error")
	}
}

func TestCountBytesDoNotDependOnOrderOrMergeTree(t *testing.T) {
	for seed := range uint64(60) {
		r := rand.New(rand.NewPCG(seed, 2))
		all := visits(r, r.IntN(400), 60, 1.2)
		var want []byte
		for range 3 {
			parts := make([]*sketch.Counts, 1+r.IntN(5))
			for i := range parts {
				parts[i] = &sketch.Counts{}
			}
			for _, i := range r.Perm(len(all)) {
				parts[r.IntN(len(parts))].Add(all[i], 1)
			}
			for len(parts) > 1 {
				a, b := r.IntN(len(parts)), r.IntN(len(parts))
				if a == b {
					continue
				}
				again, err := sketch.DecodeCounts(parts[b].AppendEncoded(nil))
				if err != nil {
					t.Fatal(err)
				}
				parts[a].Merge(again)
				parts = slices.Delete(parts, b, b+1)
			}
			got := parts[0].AppendEncoded(nil)
			if want == nil {
				want = got
			}
			if !bytes.Equal(want, got) {
				t.Fatalf("seed %d: other bytes", seed)
			}
		}
	}
}

// TestVectors holds the top pages of windows, exact and, where there is room for all
// keys, by Heavy, too.
func TestVectors(t *testing.T) {
	var vector struct {
		Rows    [][4]any
		Windows []struct {
			Start int64 `json:"window_start"`
			Max   int64 `json:"max_ms"`
			Count int64
			Top3  [][2]any
		}
	}
	if err := vectors.Read("rollup.json", &vector); err != nil {
		t.Fatal(err)
	}
	if len(vector.Windows) == 0 {
		t.Fatal("no windows")
	}
	for _, w := range vector.Windows {
		t.Run(fmt.Sprint(w.Start), func(t *testing.T) {
			var counts sketch.Counts
			var latencies sketch.Quantiles
			heavy := sketch.NewHeavy(3)
			for _, row := range vector.Rows {
				if at := int64(row[0].(float64)); at < w.Start || at >= w.Start+300 {
					continue
				}
				counts.Add([]byte(row[1].(string)), 1)
				heavy.Add([]byte(row[1].(string)), 1)
				latencies.Add(uint64(row[3].(float64)))
			}
			var exact, approximate [][2]any
			for _, c := range counts.Largest(3) {
				exact = append(exact, [2]any{c.Key, float64(c.Count)})
			}
			for _, c := range heavy.Top() {
				approximate = append(approximate, [2]any{c.Key, float64(c.Count)})
			}
			if diff := cmp.Diff(w.Top3, exact); diff != "" {
				t.Errorf("window (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(w.Top3, approximate); diff != "" || !heavy.Exact() {
				t.Errorf("window by Heavy, exact %v (-want +got):\n%s", heavy.Exact(), diff)
			}
			if latencies.Count() != w.Count || int64(latencies.Most()) != w.Max {
				t.Errorf("%d latencies up to %d", latencies.Count(), latencies.Most())
			}
		})
	}
}

// FuzzCounts holds that bytes are refused or come out as they went in.
func FuzzCounts(tf *testing.F) {
	f := mutate.Of(tf)
	var c sketch.Counts
	f.Add(c.AppendEncoded(nil))
	for _, key := range visits(rand.New(rand.NewPCG(1, 1)), 20, 9, 1.3) {
		c.Add(key, 1)
	}
	f.Add(c.AppendEncoded(nil))
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := sketch.DecodeCounts(b)
		if err != nil {
			return
		}
		again, err := sketch.DecodeCounts(c.AppendEncoded(nil))
		if err != nil || !bytes.Equal(again.AppendEncoded(nil), c.AppendEncoded(nil)) {
			t.Errorf("not the same again: %v", err)
		}
	})
}

// FuzzHeavy holds that bytes are refused or come out as they went in, and go on
// counting.
func FuzzHeavy(tf *testing.F) {
	f := mutate.Of(tf)
	for _, keys := range []int{3, 500} {
		h := sketch.NewHeavy(1)
		for _, key := range visits(rand.New(rand.NewPCG(1, 1)), 200, keys, 1.3) {
			h.Add(key, 1)
		}
		f.Add(h.AppendEncoded(nil))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		h, err := sketch.DecodeHeavy(b)
		if err != nil {
			return
		}
		first := h.AppendEncoded(nil)
		again, err := sketch.DecodeHeavy(first)
		if err != nil || !bytes.Equal(again.AppendEncoded(nil), first) {
			t.Fatalf("not the same again: %v", err)
		}
		if err := h.Merge(again); err != nil {
			t.Fatal(err)
		}
		for _, a := range h.Top() {
			if a.Count <= a.Error {
				t.Errorf("%+v", a)
			}
		}
		h.Add([]byte("another"), 1)
	})
}

func BenchmarkCountsAdd(b *testing.B) {
	all := visits(rand.New(rand.NewPCG(1, 1)), 1<<16, 5_000, 1.2)
	var c sketch.Counts
	b.ReportAllocs()
	b.ResetTimer()
	for i := range b.N {
		c.Add(all[i&(1<<16-1)], 1)
	}
}

func BenchmarkHeavyAdd(b *testing.B) {
	all := visits(rand.New(rand.NewPCG(1, 1)), 1<<16, 1_000_000, 1.1)
	h := sketch.NewHeavy(100)
	b.ReportAllocs()
	b.ResetTimer()
	for i := range b.N {
		h.Add(all[i&(1<<16-1)], 1)
	}
}
