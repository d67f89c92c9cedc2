package funnels_test

import (
	"sort"
	"testing"

	"github.com/google/go-cmp/cmp"

	"millrace/internal/vectors"
	"millrace/transforms/funnels"
)

func read(t testing.TB, name string, into any) {
	t.Helper()
	if err := vectors.Read(name, into); err != nil {
		t.Fatal(err)
	}
}

// condition compares the value of an event.
type condition struct{ Eq, Le, Ge any }

func (c condition) holds(t testing.TB, v any) bool {
	t.Helper()
	switch {
	case c.Eq != nil:
		return c.Eq == v
	case c.Le != nil:
		return v.(float64) <= c.Le.(float64)
	case c.Ge != nil:
		return v.(float64) >= c.Ge.(float64)
	}
	t.Fatal("a condition of another kind")
	return false
}

// pair is [time, value].
type pair [2]any

func hitsOf(t testing.TB, pairs []pair, conditions []condition) (hits []funnels.Hit) {
	t.Helper()
	for _, p := range pairs {
		h := funnels.Hit{Time: int64(p[0].(float64))}
		for i, c := range conditions {
			if c.holds(t, p[1]) {
				h.Steps |= 1 << i
			}
		}
		hits = append(hits, h)
	}
	return hits
}

var modeNames = map[string]funnels.Mode{
	"strict_deduplication": funnels.StrictDeduplication, "strict_order": funnels.StrictOrder,
	"strict_increase": funnels.StrictIncrease, "strict_once": funnels.StrictOnce, "allow_reentry": funnels.AllowReentry,
}

func modesOf(t testing.TB, names []string) (m funnels.Mode) {
	t.Helper()
	for _, n := range names {
		one, ok := modeNames[n]
		if !ok {
			t.Fatalf("mode %s", n)
		}
		m |= one
	}
	return m
}

func TestWindowFunnelGivesTheLevelsOfItsReference(t *testing.T) {
	var file struct {
		Cases []struct {
			ID     string
			Window int64
			Modes  []string
			Steps  []condition
			Events []pair
			Level  int `json:"expected_level"`
		}
	}
	read(t, "window_funnel.json", &file)
	if len(file.Cases) < 40 {
		t.Fatalf("%d cases", len(file.Cases))
	}
	for _, c := range file.Cases {
		t.Run(c.ID, func(t *testing.T) {
			got := funnels.WindowFunnel(hitsOf(t, c.Events, c.Steps), len(c.Steps), c.Window, modesOf(t, c.Modes))
			if got != c.Level {
				t.Errorf("level %d, want %d", got, c.Level)
			}
		})
	}
}

func TestRetentionGivesTheSumsOfItsReference(t *testing.T) {
	var file struct {
		Days  map[string][2]int
		Conds []string
		Sums  []int64
	}
	read(t, "retention.json", &file)
	users := map[int]uint64{}
	for day, uids := range file.Days {
		i := sort.SearchStrings(file.Conds, day)
		for u := uids[0]; u < uids[1]; u++ {
			users[u] |= 1 << i
		}
	}
	got := make(funnels.Retention, len(file.Conds))
	for _, union := range users {
		got.Add(union)
	}
	if len(file.Sums) == 0 || len(file.Sums) != len(got) {
		t.Fatalf("%d sums, want %d", len(got), len(file.Sums))
	}
	for i, want := range file.Sums {
		t.Run(file.Conds[i], func(t *testing.T) {
			if got[i] != want {
				t.Errorf("sum %d, want %d", got[i], want)
			}
		})
	}
}

func TestSequencesMatchLikeTheirReference(t *testing.T) {
	var file struct {
		Events []pair
		Cases  []struct {
			Pattern string
			Conds   []condition
			Match   int
			Count   int
			Times   []int64 `json:"longest_prefix_times"`
		}
	}
	read(t, "sequence.json", &file)
	if len(file.Cases) < 10 {
		t.Fatalf("%d cases", len(file.Cases))
	}
	for _, c := range file.Cases {
		t.Run(c.Pattern, func(t *testing.T) {
			p, err := funnels.ParsePattern(c.Pattern, len(c.Conds))
			if err != nil {
				t.Fatal(err)
			}
			hits := hitsOf(t, file.Events, c.Conds)
			match, err := p.Match(hits)
			if err != nil || match != (c.Match == 1) {
				t.Errorf("match %t, %v", match, err)
			}
			if count, err := p.Count(hits); err != nil || count != c.Count {
				t.Errorf("count %d, %v; want %d", count, err, c.Count)
			}
			times, err := p.Events(hits)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.Times, append([]int64{}, times...)); diff != "" {
				t.Errorf("times (-want +got):\n%s", diff)
			}
		})
	}
}
