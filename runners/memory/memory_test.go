package memory

import (
	"math"
	"runtime/debug"
	"testing"
)

func TestTheLimitFollowsWhatLives(t *testing.T) {
	for live, want := range map[int64]int64{0: softLimit, 300 << 20: softLimit, 1 << 30: 5 << 28} {
		if got := limitFor(live); got != want {
			t.Errorf("limit for %d bytes alive is %d, want %d", live, got, want)
		}
	}
}

func TestTheCollectorIsAsBeforeAfterARun(t *testing.T) {
	t.Setenv("GOGC", "")
	t.Setenv("GOMEMLIMIT", "")
	percent := debug.SetGCPercent(77)
	defer debug.SetGCPercent(percent)
	undo := Tune()
	if limit := debug.SetMemoryLimit(-1); limit < softLimit || limit == math.MaxInt64 {
		t.Errorf("the limit of a run is %d", limit)
	}
	undo()
	if got := debug.SetGCPercent(77); got != 77 {
		t.Errorf("percent is %d after the run", got)
	}
	if limit := debug.SetMemoryLimit(-1); limit != math.MaxInt64 {
		t.Errorf("limit is %d after the run", limit)
	}
}

func TestWhatTheUserSetStands(t *testing.T) {
	t.Setenv("GOMEMLIMIT", "1GiB")
	before := debug.SetMemoryLimit(-1)
	defer Tune()()
	if got := debug.SetMemoryLimit(-1); got != before {
		t.Errorf("limit became %d", got)
	}
}
