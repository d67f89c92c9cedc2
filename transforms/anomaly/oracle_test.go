package anomaly

import (
	"math"
	"math/rand/v2"
	"testing"
)

func TestRanksAreThoseOfSortedDistancesToTheWidthOfABin(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	var h history
	var seen []float64
	exact := func(d, wider float64) float64 {
		as, top := 1, 0.0
		for _, s := range seen {
			if s*d < 0 {
				continue
			}
			if math.Abs(s) >= math.Abs(d)/(tolerance*wider) {
				as++
			}
			top = max(top, math.Abs(s))
		}
		all := float64(len(seen) + 1)
		rank := math.Log(all/float64(as)) / math.Log(all)
		if beyond := math.Abs(d)/tolerance - top; beyond > 0 {
			rank += math.Log10(1 + beyond/max(top, 1))
		}
		return min(rank, ceiling)
	}
	for i := range 3000 {
		d := math.Exp(3*r.NormFloat64()) * float64(1-2*r.IntN(2))
		if i%7 == 0 {
			d *= 30
		}
		if got := h.rank(d); i < enough && got != 0 {
			t.Fatalf("distance %d is ranked: %v", i, got)
		} else if i >= enough && math.Abs(d) > 0.1 {
			high, low := exact(d, 1/1.0001), exact(d, 1.07)
			if got > high+1e-9 || got < low-1e-9 {
				t.Fatalf("distance %d, %v: rank %v, want %v to %v", i, d, got, low, high)
			}
		}
		h.add(d)
		seen = append(seen, d)
	}
}

func TestTheNearestShapeIsTheOneOfASearchThroughAll(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 2))
	n := newNeighbours()
	var z []float64
	for i := range 6000 {
		v := math.Sin(float64(i)/30) + 0.1*r.NormFloat64()
		if r.IntN(200) == 0 {
			v = 1e5 * r.NormFloat64()
		}
		if i == 3500 {
			n.restart()
			z = z[:0]
		}
		z = append(z, v)
		got, known := n.add(v)
		want, found := nearest(z)
		if known != found || math.Abs(got-want) > 1e-3*(1+want) {
			t.Fatalf("value %d: distance %v, %v; want %v, %v", i, got, known, want, found)
		}
	}
}

func nearest(z []float64) (d float64, found bool) {
	best := math.Inf(1)
	last := len(z) - 1
	for lag := shapeGap; lag <= shapeRing && last-lag-shapeSize+1 >= 0; lag++ {
		sum := 0.0
		for i := last; i > last-shapeSize; i-- {
			sum += (z[i] - z[i-lag]) * (z[i] - z[i-lag])
		}
		best, found = min(best, sum), true
	}
	if !found {
		return 0, false
	}
	return math.Sqrt(best), true
}

func TestHalvingKeepsTheRanks(t *testing.T) {
	var h history
	r := rand.New(rand.NewPCG(3, 3))
	for range 100_000 {
		h.add(r.NormFloat64() * 10)
	}
	before := h.rank(25)
	h.halve()
	n := uint32(0)
	for _, s := range h.sides {
		for _, c := range s.counts {
			n += c
		}
	}
	if n != h.n || n < 50_000 || n > 51_000 {
		t.Errorf("%d distances counted, %d said", n, h.n)
	}
	if after := h.rank(25); math.Abs(before-after) > 0.05 {
		t.Errorf("rank %v before, %v after", before, after)
	}
}

func TestLogarithms(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 4))
	for range 100_000 {
		x := math.Exp(40*r.Float64() - 20)
		if got, want := log2(x), math.Log2(x); math.Abs(got-want) > 1e-12*(1+math.Abs(want)) {
			t.Fatalf("log2(%v) = %v, want %v", x, got, want)
		}
	}
	for k := -10; k <= 30; k++ {
		if got := log2(math.Ldexp(1, k)); got != float64(k) {
			t.Errorf("log2(2^%d) = %v", k, got)
		}
	}
}

func TestTheUpperEndOfABinIsTheLowerOneOfTheNext(t *testing.T) {
	for b := range bins - 1 {
		if end := upper(b); bin(end) != b+1 || bin(math.Nextafter(end, 0)) != b {
			t.Errorf("bin %d ends at %v, which is in bin %d", b, end, bin(end))
		}
	}
}
