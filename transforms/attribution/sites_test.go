package attribution_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"millrace/transforms/attribution"
)

// TestTheLongestSiteThatFitsCounts compares with a search through all entries.
func TestTheLongestSiteThatFitsCounts(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	label := func() string { return []string{"a", "b", "co", "uk", "de", "com", "x1"}[r.IntN(7)] }
	host := func(most int) string {
		labels := make([]string, 1+r.IntN(most))
		for i := range labels {
			labels[i] = label()
		}
		return strings.Join(labels, ".")
	}
	found := 0
	for range 500 {
		rules := ""
		entries := map[string]string{} // pattern to source
		for i := range 1 + r.IntN(6) {
			pattern := host(3)
			if r.IntN(3) == 0 {
				pattern += ".*"
			}
			if entries[pattern] == "" {
				entries[pattern] = fmt.Sprint("s", i)
				rules += fmt.Sprintf("site,%s,s%d,x\n", pattern, i)
			}
		}
		a, err := attribution.New(parse(t, rules), nil)
		if err != nil {
			t.Fatal(err)
		}
		for range 20 {
			h := host(5)
			want, longest := strings.TrimPrefix(h, "www."), -1
			for pattern, source := range entries {
				for _, fits := range expansions(pattern, h) {
					// An entry that begins further to the left is longer; one without a star wins.
					rank := 2 * len(fits)
					if !strings.HasSuffix(pattern, ".*") {
						rank++
					}
					if (h == fits || strings.HasSuffix(h, "."+fits)) && rank > longest {
						want, longest = source, rank
						found++
					}
				}
			}
			got := a.Touch(attribution.Request{Referrer: []byte("https://" + h + "/")})
			if text(got.Source) != want {
				t.Fatalf("%s is %s, want %s, of\n%s", h, text(got.Source), want, rules)
			}
		}
	}
	if found < 100 {
		t.Errorf("only %d hosts were known", found)
	}
}

// expansions are the hosts for which a pattern stands, as far as they can end h.
func expansions(pattern, h string) []string {
	base, open := strings.CutSuffix(pattern, ".*")
	if !open {
		return []string{pattern}
	}
	labels := strings.Split(h, ".")
	n := len(labels)
	if n > 2 && len(labels[n-1]) == 2 && (labels[n-2] == "co" || labels[n-2] == "com") {
		return []string{base + "." + labels[n-2] + "." + labels[n-1]}
	}
	if n > 1 {
		return []string{base + "." + labels[n-1]}
	}
	return nil
}
