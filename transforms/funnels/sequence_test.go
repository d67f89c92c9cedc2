package funnels_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"millrace/internal/mutate"
	"millrace/transforms/funnels"
)

// part is one part of a pattern: "." or ".*", or a condition, or a time.
type part struct {
	condition int // from 1
	any, star bool
	op        string
	n         int64
}

func (p part) String() string {
	switch {
	case p.star:
		return ".*"
	case p.any:
		return "."
	case p.op != "":
		return fmt.Sprintf("(?t%s%d)", p.op, p.n)
	}
	return fmt.Sprintf("(?%d)", p.condition)
}

// randomParts draws a pattern that is well formed.
func randomParts(r *rand.Rand) (parts []part) {
	events := 0
	for range r.IntN(7) {
		switch k := r.IntN(8); {
		case k < 4:
			parts = append(parts, part{condition: 1 + r.IntN(3)})
			events++
		case k == 4:
			parts = append(parts, part{any: true})
			events++
		case k == 5:
			parts = append(parts, part{star: true})
		case events > 0:
			parts = append(parts, part{op: []string{"<", "<=", ">", ">=", "=="}[r.IntN(5)], n: r.Int64N(4)}, part{condition: 1 + r.IntN(3)})
			events++
		}
	}
	return parts
}

// backtrack tries to match parts from hit at on, where last is the hit matched
// before; it returns the hits that events of the pattern took. Gaps are as short as
// can be, and are tried in that order.
func backtrack(parts []part, hits []funnels.Hit, at, last int, gap bool, times []part) ([]int, bool) {
	if len(parts) == 0 {
		return nil, true
	}
	p := parts[0]
	switch {
	case p.star:
		return backtrack(parts[1:], hits, at, last, true, times)
	case p.op != "":
		return backtrack(parts[1:], hits, at, last, true, append(slices.Clone(times), p))
	}
	for ; at < len(hits); at++ {
		fits := p.any || hits[at].Steps&(1<<(p.condition-1)) != 0
		for _, c := range times {
			d := hits[at].Time - hits[last].Time
			fits = fits && map[string]bool{"<": d < c.n, "<=": d <= c.n, ">": d > c.n, ">=": d >= c.n, "==": d == c.n}[c.op]
		}
		if fits {
			if rest, ok := backtrack(parts[1:], hits, at+1, at, false, nil); ok {
				return append([]int{at}, rest...), true
			}
		}
		if !gap {
			return nil, false
		}
	}
	return nil, false
}

func TestPatternsMatchWhatBacktrackingFinds(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 4))
	matches := 0
	for range users {
		parts := randomParts(r)
		var text strings.Builder
		for _, p := range parts {
			text.WriteString(p.String())
		}
		p, err := funnels.ParsePattern(text.String(), 3)
		if err != nil {
			t.Fatal(err)
		}
		all := randomHits(r, 3)
		hits := slices.DeleteFunc(slices.Clone(all), func(h funnels.Hit) bool { return h.Steps == 0 })
		name := fmt.Sprintf("%s in %v", text.String(), all)

		_, want := backtrack(parts, hits, 0, -1, true, nil)
		want = want && len(hits) > 0
		if want {
			matches++
		}
		if got, err := p.Match(all); err != nil || got != want {
			t.Fatalf("%s: match %t, %v; want %t", name, got, err, want)
		}
		count := 0
		for from := 0; from < len(hits); count++ {
			at, ok := backtrack(parts, hits, from, -1, true, nil)
			if !ok {
				break
			}
			from++
			if len(at) > 0 {
				from = at[len(at)-1] + 1
			}
		}
		if got, err := p.Count(all); err != nil || got != count {
			t.Fatalf("%s: count %d, %v; want %d", name, got, err, count)
		}
		var times []int64
		for n := len(parts); n > 0 && times == nil; n-- {
			if c := parts[n-1]; c.star || c.op != "" {
				continue // a beginning ends with an event
			}
			at, ok := backtrack(parts[:n], hits, 0, -1, true, nil)
			if !ok {
				continue
			}
			times = []int64{}
			events := slices.DeleteFunc(slices.Clone(parts[:n]), func(p part) bool { return p.star || p.op != "" })
			for i, hit := range at {
				if !events[i].any {
					times = append(times, hits[hit].Time)
				}
			}
		}
		got, err := p.Events(all)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(append([]int64{}, times...), append([]int64{}, got...)); diff != "" {
			t.Fatalf("%s: times (-want +got):\n%s", name, diff)
		}
	}
	if matches < users/10 || matches > users*9/10 {
		t.Errorf("%d of %d match", matches, users)
	}
}

func TestAPatternThatIsWrongSaysWhereAndWhatCouldStandThere(t *testing.T) {
	for pattern, want := range map[string]string{
		"(?1)x":                  `column 5: "x" begins nothing; write (?N), (?t<n), . or .*`,
		"(?1)(?2":                "column 5: the parenthesis is not closed",
		"(?4)":                   "column 1: condition 4: there are 1 to 3",
		"(?0)":                   "column 1: condition 0: there are 1 to 3",
		"(?a)":                   "column 1: (?a) is neither (?N) nor (?t<n)",
		"(?1)(?t=3)(?2)":         `column 5: (?t=3): "=" is no comparison; there are <, <=, >, >= and ==`,
		"(?1)(?t>x)(?2)":         `column 5: (?t>x): "x" is no time; write a whole number, 0 or greater`,
		"(?1)(?t>-1)(?2)":        `column 5: (?t>-1): "-1" is no time; write a whole number, 0 or greater`,
		"(?t>1)(?2)":             "column 1: a time condition counts from the event before it, and there is none; begin with . or (?N)",
		"(?1)(?t>1)":             "column 11: a time condition is about the event that follows it, and none does; end with . or (?N)",
		strings.Repeat(".", 129): "column 130: more than 128 events",
	} {
		_, err := funnels.ParsePattern(pattern, 3)
		if err == nil || err.Error() != "sequence pattern, "+want {
			t.Errorf("%q: %v", pattern, err)
		}
	}
	if _, err := funnels.ParsePattern(strings.Repeat(" ", 5000), 3); err == nil {
		t.Error("a pattern of 5,000 bytes is accepted")
	}
}

// TestAPatternThatMakesBacktrackingHopelessIsMatched: with gaps tried one after
// another it takes 10^30 steps.
func TestAPatternThatMakesBacktrackingHopelessIsMatched(t *testing.T) {
	p, err := funnels.ParsePattern(strings.Repeat("(?1).*", 20)+"(?2)", 2)
	if err != nil {
		t.Fatal(err)
	}
	hits := make([]funnels.Hit, 2000)
	for i := range hits {
		hits[i] = funnels.Hit{Time: int64(i), Steps: 1}
	}
	if got, err := p.Match(hits); err != nil || got {
		t.Errorf("match %t, %v", got, err)
	}
	if _, err := p.Match(make([]funnels.Hit, 1)); err != nil {
		t.Error(err)
	}
	many := make([]funnels.Hit, 4<<20)
	for i := range many {
		many[i].Steps = 1
	}
	if _, err := p.Match(many); err == nil || !strings.Contains(err.Error(), "take a shorter span of time") {
		t.Errorf("a match that takes 336 MB: %v", err)
	}
}

func FuzzPattern(tf *testing.F) {
	f := mutate.Of(tf)
	for _, p := range []string{"", ".*", "(?1)(?t<11)(?2)", "(?1) . .* (?t >= 3)(?t<=5)(?2)", "(?1)(?t==9223372036854775807)."} {
		f.Add(p, []byte{0x10, 0x21, 0x03})
	}
	f.Fuzz(func(t *testing.T, text string, events []byte) {
		p, err := funnels.ParsePattern(text, 4)
		if err != nil {
			if !strings.HasPrefix(err.Error(), "sequence pattern") {
				t.Fatal(err)
			}
			return
		}
		if p.String() != text {
			t.Fatalf("%q is %q", text, p)
		}
		var hits []funnels.Hit
		at := int64(0)
		for _, b := range events {
			at += int64(b >> 4)
			hits = append(hits, funnels.Hit{Time: at, Steps: uint64(b & 15)})
		}
		match, err := p.Match(hits)
		if err != nil {
			t.Fatal(err)
		}
		if count, err := p.Count(hits); err != nil || (count > 0) != match {
			t.Fatalf("match %t, count %d, %v", match, count, err)
		}
		if _, err := p.Events(hits); err != nil {
			t.Fatal(err)
		}
	})
}
