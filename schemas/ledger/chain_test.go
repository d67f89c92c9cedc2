package ledger_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"millrace/schemas/ledger"
	"millrace/schemas/record"
)

var shardA, shardB = record.ShardIdentity("stream", "a"), record.ShardIdentity("stream", "b")

// seq is a sequence number; none below 0.
func seq(n int) string {
	if n < 0 {
		return ""
	}
	return record.Sequence(strconv.Itoa(n))
}

// roll is one of shard a that follows a record (-1: reading began with it).
func roll(after, first, last int) ledger.Part {
	return ledger.Part{
		Roll:   record.RollOf(shardA, seq(first)),
		Ledger: ledger.Ledger{In: 1, Events: 1},
		Close:  &record.Close{Records: 1, After: seq(after), First: seq(first), Last: seq(last)},
	}
}

// end is the roll of a shard that was closed with nothing more after a record.
func end(after int) ledger.Part {
	return ledger.Part{Roll: record.RollOf(shardA, seq(after+1)), Close: &record.Close{After: seq(after), End: true}}
}

func lossy(p ledger.Part) ledger.Part {
	c := *p.Close
	c.Lost = true
	p.Close = &c
	return p
}

func TestRollsThatFollowOneAnotherHaveNoBreak(t *testing.T) {
	elsewhere := roll(-1, 7, 900)
	elsewhere.Roll = record.RollOf(shardB, seq(7))
	for name, rolls := range map[string][]ledger.Part{
		"none":                    nil,
		"one":                     {roll(-1, 5, 5)},
		"in any order":            {roll(30, 44, 50), roll(-1, 5, 20), roll(20, 25, 30)},
		"of two shards":           {roll(20, 25, 30), elsewhere, roll(-1, 5, 20)},
		"from the very first one": {roll(-1, 0, 3), roll(3, 4, 4)},
		"up to a shard's end":     {roll(-1, 5, 20), end(20)},
		"of a shard of nothing":   {end(-1)},
	} {
		if breaks, err := ledger.Chain(rolls); err != nil || len(breaks) > 0 {
			t.Errorf("%s: %v, %v", name, breaks, err)
		}
	}
}

func TestBreaksBetweenRollsAreFound(t *testing.T) {
	open := ledger.Part{Roll: record.RollOf(shardA, seq(40))}
	elsewhere := roll(3, 7, 900)
	elsewhere.Roll = record.RollOf(shardB, seq(7))
	at := func(kind ledger.BreakKind, first, after, last int) ledger.Break {
		return ledger.Break{Kind: kind, Shard: shardA.String(), Roll: record.RollOf(shardA, seq(first)), After: seq(after), Last: seq(last)}
	}
	for name, c := range map[string]struct {
		rolls []ledger.Part
		want  []ledger.Break
	}{
		"a roll is missing":         {[]ledger.Part{roll(-1, 5, 20), roll(30, 31, 50)}, []ledger.Break{at(ledger.Hole, 31, 20, 30)}},
		"reading began anew":        {[]ledger.Part{roll(-1, 5, 20), roll(-1, 31, 50)}, []ledger.Break{at(ledger.Hole, 31, 20, 30)}},
		"reading began in what was": {[]ledger.Part{roll(-1, 5, 20), roll(-1, 20, 50)}, []ledger.Break{at(ledger.Overlap, 20, 19, 20)}},
		"a roll was cut otherwise":  {[]ledger.Part{roll(-1, 5, 20), roll(20, 21, 40), roll(30, 33, 50)}, []ledger.Break{at(ledger.Overlap, 33, 30, 40)}},
		"a roll twice":              {[]ledger.Part{roll(-1, 5, 20), roll(-1, 5, 20)}, []ledger.Break{at(ledger.Overlap, 5, 4, 20)}},
		"records gone":              {[]ledger.Part{roll(-1, 5, 20), lossy(roll(20, 33, 50))}, []ledger.Break{at(ledger.Loss, 33, 20, 32)}},
		"records gone at once":      {[]ledger.Part{lossy(roll(-1, 33, 50))}, []ledger.Break{at(ledger.Loss, 33, -1, 32)}},
		"the first is missing":      {[]ledger.Part{roll(20, 25, 30)}, []ledger.Break{at(ledger.Beginning, 25, -1, 20)}},
		"the last is missing":       {[]ledger.Part{roll(-1, 5, 20), end(30)}, []ledger.Break{at(ledger.Hole, 31, 20, 30)}},
		"the end is lost":           {[]ledger.Part{roll(-1, 5, 20), lossy(end(20))}, []ledger.Break{at(ledger.Loss, 21, 20, -1)}},
		"no end":                    {[]ledger.Part{roll(-1, 5, 39), open}, []ledger.Break{at(ledger.Unfinished, 40, 39, -1)}},
		"every shard for itself": {[]ledger.Part{roll(-1, 5, 20), elsewhere}, []ledger.Break{
			{Kind: ledger.Beginning, Shard: shardB.String(), Roll: elsewhere.Roll, Last: seq(3)},
		}},
	} {
		got, err := ledger.Chain(c.rolls)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		for _, b := range got {
			if s := b.String(); !strings.HasPrefix(s, string(b.Kind)+": ") || !strings.Contains(s, b.Roll) || strings.Contains(s, "%!") || strings.Contains(s, "  ") {
				t.Errorf("%s reads %q", name, s)
			}
		}
	}
}

func TestARollThatContradictsItselfIsAnError(t *testing.T) {
	renamed := roll(-1, 5, 20)
	renamed.Roll = record.RollOf(shardA, seq(6))
	nameless := roll(-1, 5, 20)
	nameless.Roll = "roll"
	for name, r := range map[string]ledger.Part{
		"ends before it begins":      roll(-1, 20, 5),
		"follows itself":             roll(20, 20, 30),
		"named by another beginning": renamed,
		"no roll's name":             nameless,
	} {
		if breaks, err := ledger.Chain([]ledger.Part{roll(-1, 1, 2), r}); err == nil || !strings.Contains(err.Error(), "roll") {
			t.Errorf("%s: %v, %v", name, breaks, err)
		}
	}
}

// TestChainsAgreeWithCounting reads random rolls over a few numbers and counts
// for each number how many rolls account for it.
func TestChainsAgreeWithCounting(t *testing.T) {
	const numbers = 24
	rng := rand.New(rand.NewPCG(5, 5))
	kinds := map[ledger.BreakKind]int{}
	for range 20_000 {
		var rolls []ledger.Part
		count := make([]int, numbers)
		lost := make([]bool, numbers)
		for range 1 + rng.IntN(5) {
			after := rng.IntN(numbers-1) - 1
			first := after + 1 + rng.IntN(3)
			last := min(numbers-1, first+rng.IntN(6))
			if first = min(first, last); first <= after {
				continue
			}
			r := roll(after, first, last)
			from := after + 1
			switch {
			case rng.IntN(3) == 0:
				r = roll(-1, first, last)
				from = first
			case after >= 0 && rng.IntN(4) == 0:
				r = lossy(r)
				for n := from; n < first; n++ {
					lost[n] = true
				}
			case after < 0:
				from = first
			}
			rolls = append(rolls, r)
			for n := from; n <= last; n++ {
				count[n]++
			}
		}
		breaks, err := ledger.Chain(rolls)
		if err != nil {
			t.Fatal(err)
		}
		marked := map[ledger.BreakKind][]bool{}
		for _, k := range []ledger.BreakKind{ledger.Hole, ledger.Overlap, ledger.Loss} {
			marked[k] = make([]bool, numbers)
		}
		for _, b := range breaks {
			kinds[b.Kind]++
			for n := range marked[b.Kind] {
				if seq(n) > b.After && seq(n) <= b.Last {
					marked[b.Kind][n] = true
				}
			}
		}
		lowest := slices.IndexFunc(count, func(n int) bool { return n > 0 })
		highest := numbers - 1
		for highest >= 0 && count[highest] == 0 {
			highest--
		}
		for n := range numbers {
			want := fmt.Sprint(n > lowest && n < highest && count[n] == 0, count[n] > 1, lost[n])
			if got := fmt.Sprint(marked[ledger.Hole][n], marked[ledger.Overlap][n], marked[ledger.Loss][n]); got != want {
				t.Fatalf("record %d of %+v: hole, overlap, loss are %s, want %s\n%v", n, rolls, got, want, breaks)
			}
		}
	}
	for _, k := range []ledger.BreakKind{ledger.Hole, ledger.Overlap, ledger.Loss, ledger.Beginning} {
		if kinds[k] < 100 {
			t.Errorf("only %d breaks of the kind %s were tried", kinds[k], k)
		}
	}
}
