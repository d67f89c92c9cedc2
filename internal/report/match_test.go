package report

import (
	"bytes"
	"math/rand/v2"
	"testing"
)

func TestMatchAgreesWithLookingForEveryPattern(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	const alphabet = "/.etcpasswdunionselect<script${jndi:\xff \x00"
	hits := 0
	for range 20_000 {
		text := make([]byte, r.IntN(40))
		for i := range text {
			text[i] = alphabet[r.IntN(len(alphabet))]
		}
		if r.IntN(2) == 0 {
			p := probes[r.IntN(len(probes))]
			text = append(text, p.patterns[r.IntN(len(p.patterns))]...)
		}
		for _, in := range []string{inPath, inTarget, inRequest} {
			var want uint32
			for i, p := range probes {
				for _, m := range p.patterns {
					if p.In == in && bytes.Contains(text, m) {
						want |= 1 << i
					}
				}
			}
			if got := match(probes, in, text); got != want {
				t.Fatalf("match(%s, %q) = %b, want %b", in, text, got, want)
			}
			if want != 0 {
				hits++
			}
		}
	}
	if hits < 1000 {
		t.Errorf("only %d texts matched", hits)
	}
}
