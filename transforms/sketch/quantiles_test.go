package sketch_test

import (
	"bytes"
	"encoding/hex"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/DataDog/sketches-go/ddsketch"
	"github.com/google/go-cmp/cmp"

	"millrace/internal/mutate"
	"millrace/transforms/sketch"
)

// skewed draws values as logs have them: many small ones and a long tail, zeros, and
// every power of two.
func skewed(r *rand.Rand, n int) []uint64 {
	out := make([]uint64, n)
	for i := range out {
		switch r.IntN(8) {
		case 0:
			out[i] = r.Uint64N(20)
		case 1:
			out[i] = 1<<r.IntN(63) + r.Uint64N(3) - 1
		default:
			out[i] = uint64(math.Exp(r.NormFloat64()*2 + 6))
		}
	}
	return out
}

func quantilesOf(values []uint64) *sketch.Quantiles {
	var s sketch.Quantiles
	for _, v := range values {
		s.Add(v)
	}
	return &s
}

var someQs = []float64{0, 0.001, 0.01, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.999, 1}

func TestQuantilesAreWithinOnePercent(t *testing.T) {
	for seed := range uint64(60) {
		r := rand.New(rand.NewPCG(seed, 1))
		values := skewed(r, 1+r.IntN(5_000))
		s := quantilesOf(values)
		slices.Sort(values)
		if s.Least() != values[0] || s.Most() != values[len(values)-1] || s.Count() != int64(len(values)) {
			t.Errorf("seed %d: %d values from %d to %d", seed, s.Count(), s.Least(), s.Most())
		}
		for _, q := range someQs {
			want := float64(values[int(q*float64(len(values)-1))])
			if got := s.Quantile(q); math.Abs(got-want) > 0.01*want*(1+1e-9) {
				t.Errorf("seed %d: quantile %v of %d values is %v, true is %v", seed, q, len(values), got, want)
			}
		}
	}
}

// TestQuantilesAreThoseOfDataDog compares the bins and what follows from them with
// the implementation that defines them.
func TestQuantilesAreThoseOfDataDog(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 2))
	values := skewed(r, 100_000)
	for v := range uint64(100_000) {
		values = append(values, v)
	}
	theirs, err := ddsketch.LogUnboundedDenseDDSketch(0.01)
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range values {
		if err := theirs.Add(float64(v)); err != nil {
			t.Fatal(err)
		}
	}
	ours := quantilesOf(values)
	type bin struct {
		value float64
		count int64
	}
	var want, got []bin
	theirs.ForEach(func(value, count float64) bool {
		want = append(want, bin{value, int64(count)})
		return false
	})
	slices.SortFunc(want, func(a, b bin) int { return int(math.Copysign(1, a.value-b.value)) })
	for value, n := range sketch.Bins(ours) {
		got = append(got, bin{value, n})
	}
	near := cmp.Comparer(func(a, b float64) bool { return math.Abs(a-b) <= 1e-9*math.Abs(a) })
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(bin{}), near); diff != "" {
		t.Errorf("bins (-theirs +ours):\n%s", diff)
	}
	for _, q := range someQs[1 : len(someQs)-1] {
		want, err := theirs.GetValueAtQuantile(q)
		if err != nil {
			t.Fatal(err)
		}
		if got := ours.Quantile(q); math.Abs(got-want) > 1e-9*want {
			t.Errorf("quantile %v: %v, theirs is %v", q, got, want)
		}
	}
}

func TestEveryNumberHasABin(t *testing.T) {
	last := -1
	for i := range 64 {
		for _, v := range []uint64{1<<i - 1, 1 << i, 1<<i + 1} {
			if v == 0 {
				continue
			}
			b := sketch.BinOf(v)
			if low, high := sketch.BinStart(b), sketch.BinStart(b+1); b < last && v > 1<<i-1 || float64(v) < low || float64(v) > high {
				t.Errorf("%d is in bin %d, from %v to %v", v, b, low, high)
			}
			last = b
		}
	}
	if b := sketch.BinOf(math.MaxUint64); b != 2217 {
		t.Errorf("the greatest number is in bin %d", b)
	}
}

func TestQuantileBytesDoNotDependOnOrderOrMergeTree(t *testing.T) {
	for seed := range uint64(100) {
		r := rand.New(rand.NewPCG(seed, 3))
		values := skewed(r, r.IntN(300))
		var want []byte
		for range 4 {
			parts := make([]*sketch.Quantiles, 1+r.IntN(6))
			for i := range parts {
				parts[i] = &sketch.Quantiles{}
			}
			for _, i := range r.Perm(len(values)) {
				parts[r.IntN(len(parts))].Add(values[i])
			}
			for len(parts) > 1 { // any tree
				a, b := r.IntN(len(parts)), r.IntN(len(parts))
				if a == b {
					continue
				}
				again, err := sketch.DecodeQuantiles(parts[b].AppendEncoded(nil))
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
				t.Fatalf("seed %d: other bytes for %d values", seed, len(values))
			}
		}
	}
}

func TestNoQuantilesOfNothing(t *testing.T) {
	var s sketch.Quantiles
	s.Merge(&sketch.Quantiles{})
	if s.Quantile(0.5) != 0 || s.Count() != 0 {
		t.Errorf("%v of %d", s.Quantile(0.5), s.Count())
	}
	s.Add(0)
	s.Add(7)
	if s.Quantile(0) != 0 || s.Quantile(1) != 7 || s.Quantile(-3) != 0 || s.Quantile(9) != 7 || s.Quantile(math.NaN()) != 0 {
		t.Errorf("%v, %v, %v", s.Quantile(0), s.Quantile(1), s.Quantile(math.NaN()))
	}
	if s.Reset(); !bytes.Equal(s.AppendEncoded(nil), new(sketch.Quantiles).AppendEncoded(nil)) {
		t.Error("something is left after Reset")
	}
}

// What was stored is read as long as there is any of it.
func TestTheFirstVersionsOfTheEncodingsAreStillReadAndWritten(t *testing.T) {
	s := quantilesOf([]uint64{0, 0, 1, 7, 7, 1_000, 123_456_789})
	var c sketch.Counts
	c.Add([]byte("/a"), 3)
	c.Add([]byte("/ab"), 1)
	h := sketch.NewHeavy(1)
	for i := range 12 {
		h.Add([]byte{'a' + byte(i)}, int64(i+1))
	}
	for name, e := range map[string]struct {
		old   string
		now   []byte
		again func([]byte) ([]byte, error)
	}{
		"quantiles": {"01020400016002f70101c90401959aef3a", s.AppendEncoded(nil), func(b []byte) ([]byte, error) {
			s, err := sketch.DecodeQuantiles(b)
			return s.AppendEncoded(nil), err
		}},
		"counts": {"010200022f610302016201", c.AppendEncoded(nil), func(b []byte) ([]byte, error) {
			c, err := sketch.DecodeCounts(b)
			return c.AppendEncoded(nil), err
		}},
		"heavy": {"01014e010a000163030000016404000001650500000166060000016707000001680800000169090000016a0a0000016b0c0100016c0e02", h.AppendEncoded(nil), func(b []byte) ([]byte, error) {
			h, err := sketch.DecodeHeavy(b)
			return h.AppendEncoded(nil), err
		}},
	} {
		if got := hex.EncodeToString(e.now); got != e.old {
			t.Errorf("%s are written differently; raise the version and keep reading the old one: %s, before %s", name, got, e.old)
		}
		old, err := hex.DecodeString(e.old)
		if err != nil {
			t.Fatal(err)
		}
		again, err := e.again(old)
		if err != nil || !bytes.Equal(old, again) {
			t.Errorf("%s are read differently: %x, %v", name, again, err)
		}
	}
}

// FuzzQuantiles holds that bytes are refused or come out as they went in.
func FuzzQuantiles(tf *testing.F) {
	f := mutate.Of(tf)
	f.Add(new(sketch.Quantiles).AppendEncoded(nil))
	f.Add(quantilesOf([]uint64{0}).AppendEncoded(nil))
	f.Add(quantilesOf(skewed(rand.New(rand.NewPCG(1, 1)), 30)).AppendEncoded(nil))
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := sketch.DecodeQuantiles(b)
		if err != nil {
			return
		}
		for _, q := range someQs {
			if v := s.Quantile(q); v < float64(s.Least()) || v > float64(s.Most()) {
				t.Errorf("quantile %v is %v", q, v)
			}
		}
		first := s.AppendEncoded(nil)
		again, err := sketch.DecodeQuantiles(first)
		if err != nil || !bytes.Equal(again.AppendEncoded(nil), first) {
			t.Errorf("not the same again: %v", err)
		}
	})
}

func BenchmarkQuantilesAdd(b *testing.B) {
	values := skewed(rand.New(rand.NewPCG(1, 1)), 1<<16)
	for name, limit := range map[string]uint64{"latencies": 1 << 20, "anything": math.MaxUint64} {
		b.Run(name, func(b *testing.B) {
			var s sketch.Quantiles
			b.ReportAllocs()
			b.ResetTimer()
			for i := range b.N {
				s.Add(values[i&(1<<16-1)] % limit)
			}
			b.ReportMetric(float64(len(s.AppendEncoded(nil))), "encoded-B")
		})
	}
}

func BenchmarkQuantilesMerge(b *testing.B) {
	values := skewed(rand.New(rand.NewPCG(1, 1)), 1<<12)
	s, o := quantilesOf(values), quantilesOf(values[:1<<10])
	b.ReportAllocs()
	for b.Loop() {
		s.Merge(o)
	}
}
