package sketch_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"sort"
	"testing"

	"github.com/google/go-cmp/cmp"

	"millrace/internal/mutate"
	"millrace/transforms/sketch"
)

func hashes(from, n int) []uint64 {
	out := make([]uint64, n)
	for i := range out {
		out[i] = sketch.Hash(binary.BigEndian.AppendUint64(nil, uint64(from+i)))
	}
	return out
}

func TestEstimatesStayWithinTheStandardError(t *testing.T) {
	const trials, sigma = 40, 0.0081
	for _, n := range []int{1, 10, 100, 1_000, 2_000, 10_000, 40_000, 100_000, 400_000} {
		var sum, squares float64
		for trial := range trials {
			var h sketch.HLL
			for _, hash := range hashes(trial*n, n) {
				h.Add(hash)
			}
			e := float64(h.Count())/float64(n) - 1
			sum += e
			squares += e * e
			if math.Abs(e) > 4.5*sigma {
				t.Errorf("%d things: estimate %d", n, h.Count())
			}
		}
		bias, rms := sum/trials, math.Sqrt(squares/trials)
		t.Logf("%7d things: bias %+.4f, root mean square error %.4f", n, bias, rms)
		if math.Abs(bias) > 4*sigma/math.Sqrt(trials) {
			t.Errorf("%d things: bias %f", n, bias)
		}
		if rms > 1.5*sigma {
			t.Errorf("%d things: root mean square error %f", n, rms)
		}
	}
}

func TestAnEmptyHLLCountsZero(t *testing.T) {
	if n := new(sketch.HLL).Count(); n != 0 {
		t.Errorf("%d", n)
	}
}

func TestTheHashIsXXHash64(t *testing.T) {
	if got := sketch.Hash(nil); got != 0xef46db3751d8e999 { // from the xxHash specification
		t.Errorf("%#x", got)
	}
}

func TestHLLBytesDoNotDependOnOrderOrPartition(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	for _, n := range []int{0, 1, 500, 1_020, 1_040, 1_060, 1_080, 3_000, 30_000} {
		all := hashes(n, n)
		var want []byte
		for range 4 {
			parts := make([]sketch.HLL, 1+r.IntN(4))
			for _, i := range r.Perm(n) {
				parts[r.IntN(len(parts))].Add(all[i])
			}
			var merged sketch.HLL
			for _, i := range r.Perm(len(parts)) {
				again, err := sketch.DecodeHLL(parts[i].AppendEncoded(nil))
				if err != nil {
					t.Fatal(err)
				}
				merged.Merge(again)
				merged.Merge(again) // twice is once
			}
			got := merged.AppendEncoded(nil)
			if want == nil {
				want = got
			}
			if !bytes.Equal(got, want) {
				t.Errorf("%d things: other bytes", n)
			}
		}
	}
}

func TestDistinctBytesDoNotDependOnOrderOrPartition(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 2))
	const limit = 100
	for _, n := range []int{0, 1, 99, 100, 101, 150, 2_000} {
		all := append(hashes(n, n), 0)[:n]
		if n > 10 {
			all[3] = 0 // a hash like any other
		}
		var want []byte
		for range 5 {
			parts := make([]*sketch.Distinct, 1+r.IntN(4))
			for i := range parts {
				parts[i] = sketch.NewDistinct(limit)
			}
			for _, i := range slices.Concat(r.Perm(n), r.Perm(n)) {
				parts[r.IntN(len(parts))].Add(all[i])
			}
			merged := sketch.NewDistinct(limit)
			for _, i := range r.Perm(len(parts)) {
				again, err := sketch.DecodeDistinct(parts[i].AppendEncoded(nil))
				if err != nil {
					t.Fatal(err)
				}
				if err := merged.Merge(again); err != nil {
					t.Fatal(err)
				}
			}
			if merged.Exact() != (n <= limit) {
				t.Errorf("%d things: exact is %v", n, merged.Exact())
			}
			if n <= limit && merged.Count() != int64(n) {
				t.Errorf("%d things: counted %d", n, merged.Count())
			}
			if e := merged.Estimate(); math.Abs(float64(e-int64(n))) > 0.05*float64(n) {
				t.Errorf("%d things: estimated %d", n, e)
			}
			got := merged.AppendEncoded(nil)
			if !bytes.Equal(merged.Clone().AppendEncoded(nil), got) {
				t.Errorf("%d things: the clone has other bytes", n)
			}
			if want == nil {
				want = got
			}
			if !bytes.Equal(got, want) {
				t.Errorf("%d things: other bytes", n)
			}
		}
	}
}

func TestDistinctOfOtherLimitsAreNotMerged(t *testing.T) {
	if err := sketch.NewDistinct(1).Merge(sketch.NewDistinct(2)); err == nil {
		t.Error("no error")
	}
}

func TestLargestEqualsSorting(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 3))
	for range 300 {
		counts := map[string]int64{}
		for range r.IntN(40) {
			counts[fmt.Sprint("/", r.IntN(60))] = r.Int64N(6)
		}
		var want []sketch.Counted
		for k, c := range counts {
			want = append(want, sketch.Counted{Key: k, Count: c})
		}
		sort.Slice(want, func(i, j int) bool {
			if want[i].Count != want[j].Count {
				return want[i].Count > want[j].Count
			}
			return want[i].Key < want[j].Key
		})
		n := r.IntN(12)
		want = append([]sketch.Counted(nil), want[:min(n, len(want))]...)
		if diff := cmp.Diff(want, sketch.Largest(maps.All(counts), n)); diff != "" && n > 0 {
			t.Errorf("largest %d (-want +got):\n%s", n, diff)
		}
	}
}

// FuzzHLL holds that bytes are refused or come out as they went in.
func FuzzHLL(tf *testing.F) {
	f := mutate.Of(tf)
	for _, n := range []int{0, 3, 2_000} {
		var h sketch.HLL
		for _, hash := range hashes(0, n) {
			h.Add(hash)
		}
		f.Add(h.AppendEncoded(nil))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		h, err := sketch.DecodeHLL(b)
		if err != nil {
			return
		}
		if h.Count() < 0 {
			t.Errorf("count %d", h.Count())
		}
		again, err := sketch.DecodeHLL(h.AppendEncoded(nil))
		if err != nil || !bytes.Equal(again.AppendEncoded(nil), h.AppendEncoded(nil)) {
			t.Errorf("not the same again: %v", err)
		}
	})
}

// FuzzDistinct holds that bytes are refused or come out as they went in.
func FuzzDistinct(tf *testing.F) {
	f := mutate.Of(tf)
	for _, n := range []int{0, 3, 5, 6} {
		d := sketch.NewDistinct(5)
		for _, hash := range hashes(0, n) {
			d.Add(hash)
		}
		f.Add(d.AppendEncoded(nil))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		d, err := sketch.DecodeDistinct(b)
		if err != nil {
			return
		}
		if d.Count() < 0 {
			t.Errorf("count %d", d.Count())
		}
		again, err := sketch.DecodeDistinct(d.AppendEncoded(nil))
		if err != nil || !bytes.Equal(again.AppendEncoded(nil), d.AppendEncoded(nil)) {
			t.Errorf("not the same again: %v", err)
		}
	})
}

func BenchmarkDistinctAdd(b *testing.B) {
	all := hashes(0, 1<<15)
	r := rand.New(rand.NewPCG(1, 2))
	zipf := rand.NewZipf(r, 1.2, 50, uint64(len(all)-1))
	order := make([]uint64, 1<<18)
	for i := range order {
		order[i] = all[zipf.Uint64()]
	}
	d := sketch.NewDistinct(0)
	b.ReportAllocs()
	b.ResetTimer()
	for i := range b.N {
		d.Add(order[i&(len(order)-1)])
	}
}

func BenchmarkHLLAdd(b *testing.B) {
	all := hashes(0, 1<<18)
	var h sketch.HLL
	b.ReportAllocs()
	b.ResetTimer()
	for i := range b.N {
		h.Add(all[i&(len(all)-1)])
	}
}
