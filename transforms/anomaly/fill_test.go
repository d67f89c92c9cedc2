package anomaly_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"millrace/transforms/anomaly"
)

// Counts with holes, filled at the next window, or minute after minute while
// nothing comes, are the same as counts with the zeros in them.
func TestMissingWindowsOfCountsAreZerosWheneverTheyAreFilled(t *testing.T) {
	points := usual(1000)
	hole := func(i int) bool { return i >= 400 && i < 420 || i%97 == 0 && i > 0 }
	plain, atNext, eachMinute := anomaly.New(anomaly.Options{}), anomaly.New(anomaly.Options{}), anomaly.New(anomaly.Options{})
	var want, late, soon []anomaly.Result
	for i, p := range points {
		for r := range eachMinute.Fill(p.Time, minute) {
			soon = append(soon, r)
		}
		if hole(i) {
			want = append(want, plain.Add(anomaly.Point{Time: p.Time}))
			continue
		}
		want = append(want, plain.Add(p))
		for r := range atNext.Fill(p.Time, minute) {
			late = append(late, r)
		}
		late, soon = append(late, atNext.Add(p)), append(soon, eachMinute.Add(p))
	}
	for name, got := range map[string][]anomaly.Result{"at the next window": late, "each minute": soon} {
		if diff := cmp.Diff(want, got, cmpopts.EquateNaNs()); diff != "" {
			t.Errorf("filled %s (-zeros +filled):\n%s", name, diff)
		}
	}
	for r := range anomaly.New(anomaly.Options{}).Fill(1e12, minute) {
		t.Fatalf("filled before the first point: %+v", r)
	}
}
