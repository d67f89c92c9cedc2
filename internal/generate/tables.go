package generate

// Tables of distributions. math.Log, math.Exp and math.Pow differ in the last bit
// between processors, and a compiler may fuse x*y+z where the hardware can; so the
// functions here use only the four operations, each rounded by its conversion.

// expTable holds 4096 quantiles of the exponential distribution, mean 1<<16.
var expTable = func() (t [4096]uint32) {
	for i := range t {
		t[i] = uint32(float64(-ln(float64(2*i+1)/8192) * expOne))
	}
	return t
}()

const ln2 = 0.693147180559945309417232121458

// ln is the natural logarithm of x > 0, good to 1e-12.
func ln(x float64) float64 {
	e := 0
	for ; x < 0.75; x *= 2 {
		e--
	}
	for ; x > 1.5; x /= 2 {
		e++
	}
	z := (x - 1) / (x + 1)
	square, power, sum := float64(z*z), z, 0.0
	for k := 1; k < 40; k += 2 {
		sum = float64(sum + float64(power/float64(k)))
		power = float64(power * square)
	}
	return float64(float64(float64(e)*ln2) + float64(2*sum))
}

// exp is e^x for -50 < x <= 0, good to 1e-9.
func exp(x float64) float64 {
	x /= 1024
	term, sum := 1.0, 1.0
	for k := 1; k < 10; k++ {
		term = float64(float64(term*x) / float64(k))
		sum = float64(sum + term)
	}
	for range 10 {
		sum = float64(sum * sum)
	}
	return sum
}

// alias draws from a fixed distribution with one random number and one look-up
// (Vose, "A linear algorithm for generating random numbers with a given
// distribution", 1991), built with integers.
type alias []struct{ keep, other uint32 }

// zipf is the distribution with weights (head+rank)^-s over n ranks.
func zipf(s, head float64, n int) alias {
	weights := make([]uint64, n)
	for i := range weights {
		weights[i] = uint64(float64(exp(float64(-s*ln(float64(head+float64(i))/head))) * (1 << 30)))
	}
	return newAlias(weights)
}

func newAlias(weights []uint64) alias {
	n := uint64(len(weights))
	total := uint64(0)
	for _, w := range weights {
		total += w
	}
	a := make(alias, n)
	rest := make([]uint64, n) // weight * n, to be compared with total
	var poor, rich []uint32
	for i, w := range weights {
		a[i].keep, a[i].other = 1<<32-1, uint32(i)
		if rest[i] = w * n; rest[i] < total {
			poor = append(poor, uint32(i))
		} else {
			rich = append(rich, uint32(i))
		}
	}
	for len(poor) > 0 && len(rich) > 0 {
		p, q := poor[len(poor)-1], rich[len(rich)-1]
		poor = poor[:len(poor)-1]
		a[p].keep, a[p].other = uint32(float64(rest[p])/float64(total)*(1<<32-1)), q
		if rest[q] -= total - rest[p]; rest[q] < total {
			rich = rich[:len(rich)-1]
			poor = append(poor, q)
		}
	}
	return a
}

func (a alias) draw(r *rng) int {
	x := r.uint64()
	i := int(x >> 32 * uint64(len(a)) >> 32)
	if uint32(x) <= a[i].keep {
		return i
	}
	return int(a[i].other)
}
