package run

import (
	"errors"
	"strings"
	"testing"

	"millrace/transforms"
)

// TestStateOfOtherShardsIsRefused: what is open in it would never be found.
func TestStateOfOtherShardsIsRefused(t *testing.T) {
	if err := (Submission{Shards: transforms.LiveShards}).Fits(); err != nil {
		t.Error(err)
	}
	for shards, said := range map[int]string{0: "another number", 64: "has 64."} {
		err := Submission{Name: "weblogs-live-1-a", Shards: shards}.Fits()
		if wrong := (*UsageError)(nil); !errors.As(err, &wrong) || !strings.Contains(err.Error(), said) {
			t.Errorf("of %d shards: %v", shards, err)
		}
	}
}
