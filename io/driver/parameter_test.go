package driver

import (
	"math/rand/v2"
	"testing"
)

func TestSizesAreWrittenAsTheyAreRead(t *testing.T) {
	for n, want := range map[int64]string{1: "1", 1000: "1000", 1 << 10: "1KiB", 3 << 20: "3MiB", 1 << 30: "1GiB", 1<<20 + 1: "1048577", 1536: "1536", 1 << 40: "1024GiB"} {
		if got := FormatBytes(n); got != want {
			t.Errorf("%d is written %s, want %s", n, got, want)
		}
	}
	rng := rand.New(rand.NewPCG(1, 1))
	for range 1000 {
		n := (1 + rng.Int64N(1<<20)) << (10 * rng.IntN(4))
		if got, ok := parseBytes(FormatBytes(n)); !ok || got != n {
			t.Fatalf("%d was written %s and read as %d", n, FormatBytes(n), got)
		}
	}
}
