package funnels_test

import (
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"

	"millrace/transforms/funnels"
)

// anyHolds tells whether any event satisfies a condition.
func anyHolds(events []uint64, condition int) bool {
	for _, steps := range events {
		if steps>>condition&1 == 1 {
			return true
		}
	}
	return false
}

// randomConditions draws the events of a user, each as the conditions it satisfies. Few
// events satisfy many; some satisfy none, and some users have no events.
func randomConditions(r *rand.Rand, conditions int) (events []uint64) {
	for range r.IntN(6) {
		var steps uint64
		for range r.IntN(3) {
			steps |= 1 << r.IntN(conditions)
		}
		events = append(events, steps)
	}
	return events
}

// TestRetentionCountsWhomItsRuleNames asks the rule (r1 = any(cond1), ri = r1 and
// any(condi)) of every user and condition, one event after another. Users are counted in
// parts, which add up, and the events of each are put together in any order.
func TestRetentionCountsWhomItsRuleNames(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 5))
	asked := map[bool]int{} // how many users came back, or not
	for drawn := 0; drawn < users; {
		conditions := 1 + r.IntN(8)
		if r.IntN(4) == 0 {
			conditions = 1 + r.IntN(64)
		}
		kept := 1 + r.IntN(conditions) // the others are beyond what is asked for
		want := make(funnels.Retention, kept)
		parts := []funnels.Retention{make(funnels.Retention, kept), make(funnels.Retention, kept), make(funnels.Retention, kept)}
		for range 1 + r.IntN(100) {
			drawn++
			events := randomConditions(r, conditions)
			var rule uint64
			for i := range conditions {
				if anyHolds(events, 0) && anyHolds(events, i) {
					rule |= 1 << i
					if i < kept {
						want[i]++
					}
				}
			}
			asked[rule > 1]++
			var union uint64
			for _, i := range r.Perm(len(events)) {
				union |= events[i]
			}
			if got := funnels.Retained(union); got != rule {
				t.Fatalf("user with events %b: conditions %b, want %b", events, got, rule)
			}
			parts[r.IntN(len(parts))].Add(union)
		}
		got := make(funnels.Retention, kept)
		for _, part := range parts {
			for i, n := range part {
				got[i] += n
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("%d conditions after %d users (-want +got):\n%s", conditions, drawn, diff)
		}
	}
	if asked[true] < users/20 || asked[false] < users/20 {
		t.Errorf("users who came back or not: %v", asked)
	}
}
