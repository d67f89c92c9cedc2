package nearest

import (
	"math/rand/v2"
	"slices"
	"testing"
)

var names = []string{"top_pages", "sessions.gap", "sessions.day_zone", "split", "format", "big"}

func TestAMistypedNameIsUnderstood(t *testing.T) {
	for typed, want := range map[string]string{
		"split":             "split",
		"splt":              "split",
		"splitt":            "split",
		"splot":             "split",
		"SPLIT":             "split",
		"spilt":             "split", // swapped letters are two edits
		"top-page":          "top_pages",
		"sessions.zone":     "sessions.day_zone", // four edits of thirteen letters
		"session.gap":       "sessions.gap",
		"sessions":          "sessions.day_zone", // begins like it; the first of two
		"formatting":        "format",
		"bg":                "big",
		"zzzzz":             "",
		"":                  "",
		"x":                 "",
		"zz":                "",
		"something_else_by": "",
	} {
		if got := Name(typed, names); got != want {
			t.Errorf("%q was understood as %q, want %q", typed, got, want)
		}
	}
	if got := Name("split", nil); got != "" {
		t.Errorf("of no names %q is nearest", got)
	}
}

func TestTheOrderOfNamesDoesNotMatter(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	given := []string{"cat", "bat", "rat", "hat"}
	for range 20 {
		rng.Shuffle(len(given), func(i, j int) { given[i], given[j] = given[j], given[i] })
		before := slices.Clone(given)
		if got := Name("mat", given); got != "bat" {
			t.Fatalf("of %v %q is nearest to mat, want bat", given, got)
		}
		if !slices.Equal(given, before) {
			t.Fatalf("the names were moved: %v", given)
		}
	}
}

// TestDistanceIsLevenshtein compares with the definition.
func TestDistanceIsLevenshtein(t *testing.T) {
	rng := rand.New(rand.NewPCG(2, 2))
	word := func() string {
		b := make([]byte, rng.IntN(6))
		for i := range b {
			b[i] = "abc"[rng.IntN(3)]
		}
		return string(b)
	}
	for range 2000 {
		a, b := word(), word()
		if got, want := distance(a, b), slow(a, b); got != want {
			t.Fatalf("%q to %q: %d, want %d", a, b, got, want)
		}
	}
}

func slow(a, b string) int {
	switch {
	case a == "":
		return len(b)
	case b == "":
		return len(a)
	case a[0] == b[0]:
		return slow(a[1:], b[1:])
	}
	return 1 + min(slow(a[1:], b), slow(a, b[1:]), slow(a[1:], b[1:]))
}
