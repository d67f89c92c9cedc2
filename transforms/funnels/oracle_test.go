package funnels_test

import (
	"math/rand/v2"
	"slices"
	"sort"
	"strings"
	"testing"

	"millrace/transforms/funnels"
)

// entry is a step that a row satisfies; step -1 that it satisfies none.
type entry struct {
	time      int64
	step, row int
}

func entriesOf(hits []funnels.Hit, steps int, mode funnels.Mode) (out []entry) {
	for row, h := range hits {
		none := true
		for step := range steps {
			if h.Steps&(1<<step) != 0 {
				out = append(out, entry{h.Time, step, row})
				none = false
			}
		}
		if none && mode&funnels.StrictOrder != 0 {
			out = append(out, entry{h.Time, -1, row})
		}
	}
	sort.SliceStable(out, func(i, j int) bool {
		if out[i].time != out[j].time {
			return out[i].time < out[j].time
		}
		return out[i].step < out[j].step
	})
	return out
}

// oracleLevel follows the rules for windowFunnel to the letter, one entry after
// another. For each step it keeps a list of chains: the last one only, or with
// StrictOnce all of them, each with its rows.
func oracleLevel(hits []funnels.Hit, steps int, window int64, mode funnels.Mode) int {
	type chain struct {
		first, last int64
		rows        []int
	}
	is := func(m funnels.Mode) bool { return mode&m != 0 }
	ends := make([][]chain, steps)
	deepest := func() int {
		n := steps
		for n > 0 && len(ends[n-1]) == 0 {
			n--
		}
		return n
	}
	put := func(step int, c chain) {
		if !is(funnels.StrictOnce) {
			ends[step] = nil
		}
		ends[step] = append(ends[step], c)
	}
	list := entriesOf(hits, steps, mode)
	for i, e := range list {
		switch {
		case e.step < 0:
			if len(ends[0]) > 0 {
				return deepest()
			}
		case e.step == 0:
			if is(funnels.StrictOrder) && !is(funnels.AllowReentry) && steps > 1 && len(ends[1]) > 0 {
				return deepest()
			}
			put(0, chain{e.time, e.time, []int{e.row}})
		case is(funnels.StrictDeduplication) && len(ends[e.step]) > 0:
			return list[i-1].step + 1
		case is(funnels.StrictOrder) && len(ends[0]) > 0 && len(ends[e.step-1]) == 0:
			for s := range ends {
				if len(ends[s]) == 0 {
					return s
				}
			}
		default:
			for _, c := range slices.Clone(ends[e.step-1]) {
				if e.time > c.first+window || is(funnels.StrictIncrease) && c.last >= e.time {
					continue
				}
				if is(funnels.StrictOnce) && slices.Contains(c.rows, e.row) {
					continue
				}
				put(e.step, chain{c.first, e.time, append(slices.Clone(c.rows), e.row)})
			}
			if len(ends[steps-1]) > 0 {
				return steps
			}
		}
	}
	return deepest()
}

// longestChain tries every chain there could be.
func longestChain(list []entry, steps int, window int64, once bool) int {
	best := 0
	var try func(from int, first int64, rows []int)
	try = func(from int, first int64, rows []int) {
		best = max(best, len(rows))
		if len(rows) == steps {
			return
		}
		for i := from; i < len(list); i++ {
			e := list[i]
			if e.step != len(rows) || once && slices.Contains(rows, e.row) {
				continue
			}
			start := first
			if len(rows) == 0 {
				start = e.time
			}
			if e.time-start <= window {
				try(i+1, start, append(slices.Clone(rows), e.row))
			}
		}
	}
	try(0, 0, nil)
	return best
}

// randomHits draws a user: few events, close together, many at the same time, some
// that satisfy several steps.
func randomHits(r *rand.Rand, steps int) (hits []funnels.Hit) {
	at := int64(0)
	for range r.IntN(9) {
		h := funnels.Hit{Time: at}
		for range 1 + r.IntN(2) {
			if r.IntN(6) > 0 {
				h.Steps |= 1 << r.IntN(steps)
			}
		}
		hits = append(hits, h)
		at += []int64{0, 0, 1, 1, 2, 5}[r.IntN(6)]
	}
	return hits
}

func modeString(m funnels.Mode) string {
	var names []string
	for name, bit := range modeNames {
		if m&bit != 0 {
			names = append(names, name)
		}
	}
	sort.Strings(names)
	return strings.Join(names, "+")
}

const users = 10_000 // for each mode and combination of modes

func TestWindowFunnelFollowsTheRulesToTheLetter(t *testing.T) {
	for mode := range funnels.Mode(1 << len(modeNames)) {
		r := rand.New(rand.NewPCG(uint64(mode), 1))
		seen := map[int]int{}
		for range users {
			steps := 1 + r.IntN(4)
			window := r.Int64N(8)
			hits := randomHits(r, steps)
			want := oracleLevel(hits, steps, window, mode)
			seen[want]++
			if got := funnels.WindowFunnel(hits, steps, window, mode); got != want {
				t.Fatalf("mode %q, %d steps within %d, %v: level %d, want %d", modeString(mode), steps, window, hits, got, want)
			}
		}
		if len(seen) < 4 {
			t.Errorf("mode %q: levels %v", modeString(mode), seen)
		}
	}
}

func TestTheLevelIsThatOfTheLongestChain(t *testing.T) {
	for _, mode := range []funnels.Mode{0, funnels.StrictOnce} {
		r := rand.New(rand.NewPCG(uint64(mode), 2))
		for range users {
			steps := 1 + r.IntN(4)
			window := r.Int64N(8)
			hits := randomHits(r, steps)
			want := longestChain(entriesOf(hits, steps, 0), steps, window, mode == funnels.StrictOnce)
			if got := funnels.WindowFunnel(hits, steps, window, mode); got != want {
				t.Fatalf("mode %q, %d steps within %d, %v: level %d, want %d", modeString(mode), steps, window, hits, got, want)
			}
		}
	}
}

func TestTheOrderOfHitsOfOneTimeDoesNotMatter(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 3))
	for range users {
		steps := 1 + r.IntN(4)
		window := r.Int64N(8)
		mode := funnels.Mode(r.IntN(1<<len(modeNames))) &^ funnels.StrictDeduplication // which may meet a step again before or after its first success
		hits := randomHits(r, steps)
		want := funnels.WindowFunnel(hits, steps, window, mode)
		r.Shuffle(len(hits), func(i, j int) { hits[i], hits[j] = hits[j], hits[i] })
		if got := funnels.WindowFunnel(hits, steps, window, mode); got != want {
			t.Fatalf("mode %q, %d steps within %d, %v: level %d, in another order %d", modeString(mode), steps, window, hits, want, got)
		}
	}
}
