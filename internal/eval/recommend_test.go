package main

import "testing"

// TestWhatGoesTogetherBeatsWhatIsPopular, on another seed than those of the report.
func TestWhatGoesTogetherBeatsWhatIsPopular(t *testing.T) {
	with, popular, err := shopRankings(11)
	if err != nil {
		t.Fatal(err)
	}
	if with.asked < 500 || with.hitRate() < 2*popular.hitRate() || with.mrr() < 2*popular.mrr() {
		t.Errorf("of %d visits, hit rate %.3f and MRR %.3f; by popularity %.3f and %.3f", with.asked, with.hitRate(), with.mrr(), popular.hitRate(), popular.mrr())
	}
}
