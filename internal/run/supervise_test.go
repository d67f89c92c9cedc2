package run

import (
	"errors"
	"strings"
	"testing"
	"time"
)

func TestALostJobBeginsAtItsNewestCheckpointUntilThatIsFutile(t *testing.T) {
	cause := errors.New("out of memory")
	v := vigil{from: "savepoint-1"}
	for i, step := range []struct {
		checkpoint, from string
		pause            time.Duration
	}{
		{"", "savepoint-1", 2 * leastPause}, // none of its own: where it began
		{"chk-7", "chk-7", leastPause},
		{"chk-7", "chk-7", 2 * leastPause}, // it had begun there, and came no further
		{"", "chk-7", 4 * leastPause},
		{"chk-9", "chk-9", leastPause},
		{"", "chk-9", 2 * leastPause},
		{"", "chk-9", 4 * leastPause},
		{"", "chk-9", 8 * leastPause},
		{"", "chk-9", 16 * leastPause},
	} {
		pause, err := v.lost(step.checkpoint, cause)
		if err != nil || v.from != step.from || pause != step.pause {
			t.Fatalf("loss %d: begins at %s after %v, %v; want %s after %v", i, v.from, pause, err, step.from, step.pause)
		}
	}
	if _, err := v.lost("", cause); !errors.Is(err, cause) || !strings.Contains(err.Error(), "5 times in a row") {
		t.Errorf("what is futile is tried again at %s, %v", v.from, err)
	}
	v = vigil{}
	if _, err := v.lost("", cause); err != nil || v.from != "" {
		t.Errorf("a job without any checkpoint begins at %q, %v", v.from, err)
	}
}
