package generate

import (
	"math/bits"
	"math/rand/v2"
)

// rng draws from PCG directly: through the rand.Rand interface each number would
// cost an indirect call.
type rng struct{ pcg rand.PCG }

func newRNG(seed, stream uint64) rng { return rng{pcg: *rand.NewPCG(seed, stream)} }

func (r *rng) uint64() uint64 { return r.pcg.Uint64() }

// n draws from [0, n). The bias of multiply-shift, below n/2^64, is nothing here.
func (r *rng) n(n int) int {
	hi, _ := bits.Mul64(r.pcg.Uint64(), uint64(n))
	return int(hi)
}

// between draws from [low, high].
func (r *rng) between(low, high int) int { return low + r.n(high-low+1) }

// share is a probability as a threshold for 63 random bits.
type share uint64

func shareOf(p float64) share {
	if p <= 0 {
		return 0
	}
	return share(p * (1 << 63))
}

func (r *rng) hit(p share) bool { return p != 0 && r.pcg.Uint64()>>1 < uint64(p) }

func (r *rng) oneIn(n int) bool { return r.n(n) == 0 }

// expOne is the mean of exp.
const expOne = 1 << 16

// exp draws from the exponential distribution with mean expOne, at most 9.7
// times that.
func (r *rng) exp() int64 { return int64(expTable[r.pcg.Uint64()>>52]) }

// wait draws an exponential time with the given mean, in [1, most].
func (r *rng) wait(mean, most int) int {
	return min(1+int(r.exp()*int64(mean)>>16), most)
}

// logUniform draws a rank from [0, n) with a probability falling as 1/(rank+head):
// Zipf's law with its top flattened. It needs no table: an octave is drawn evenly,
// then a place in it. head is a power of two.
func (r *rng) logUniform(head, n int) int {
	low := bits.TrailingZeros64(uint64(head))
	octaves := bits.Len64(uint64(n+head-1)) - low
	for {
		base := 1 << (low + r.n(octaves))
		if rank := base + r.n(base) - head; rank < n {
			return rank
		}
	}
}

// mix scrambles a number (the finaliser of SplitMix64), so that what belongs to a
// visitor or a page need not be stored.
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}
