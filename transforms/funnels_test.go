package transforms

import (
	"testing"
	"time"

	"millrace/transforms/funnels"
)

// TestKeysOfFunnelDaysAreFoundAgain holds the keys under which counts wait in state,
// and when they are sealed: a window after midnight, rounded up to the hour.
func TestKeysOfFunnelDaysAreFoundAgain(t *testing.T) {
	fn := liveFunnelStepsFn{Steps: funnelStepsFn{Definitions: []funnels.Definition{{Within: time.Hour}, {Within: 90 * time.Minute}, {Within: 48 * time.Hour}}}}
	midnight := time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)
	for key, after := range map[string]time.Duration{"0/20513": time.Hour, "1/20513": 2 * time.Hour, "2/20513": 48 * time.Hour, "0/20512": -23 * time.Hour} {
		end, err := fn.end(key)
		if want := midnight.Add(after).UnixMilli(); err != nil || end != want {
			t.Errorf("%s ends at %d, want %d; %v", key, end, want, err)
		}
		if k, err := parseFunnelDay(key); err != nil || k.String() != key {
			t.Errorf("%s is read as %v, %v", key, k, err)
		}
	}
	for _, key := range []string{"3/20513", "-1/20513", "x", ""} {
		if _, err := fn.end(key); err == nil {
			t.Errorf("%q has an end", key)
		}
	}
}
