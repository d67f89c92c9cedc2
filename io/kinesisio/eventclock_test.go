package kinesisio

import (
	"math/rand/v2"
	"testing"
)

func TestAWatermarkFollowsTheLatestTime(t *testing.T) {
	const hour, arrival = clockLeap, int64(1_700_000_000_000)
	type seen struct{ at, want int64 } // want is the latest time afterwards, less a base
	const base = arrival - 100*hour
	for name, list := range map[string][]seen{
		"it follows and never falls":            {{0, 0}, {10, 10}, {5, 10}, {hour + 10, hour + 10}},
		"a leap waits for four that confirm it": {{0, 0}, {2 * hour, 0}, {2*hour + 5, 0}, {2*hour + 9, 0}, {2*hour + 7, 0}, {2*hour + 8, 2 * hour}, {2*hour + 8, 2*hour + 8}},
		"the lowest of the five counts":         {{0, 0}, {3 * hour, 0}, {2*hour + 1, 0}, {3 * hour, 0}, {3 * hour, 0}, {3 * hour, 2*hour + 1}},
		"one silly time is forgotten":           {{0, 0}, {50 * hour, 0}, {1, 1}, {50 * hour, 1}, {2, 2}, {50 * hour, 2}, {3, 3}, {50 * hour, 3}, {4, 4}, {50 * hour, 4}, {5, 5}},
		"a nearer leap takes the place":         {{0, 0}, {50 * hour, 0}, {2 * hour, 0}, {2 * hour, 0}, {2 * hour, 0}, {2 * hour, 0}, {2 * hour, 2 * hour}},
		"times after the arrival are it":        {{0, 0}, {101 * hour, 0}, {102 * hour, 0}, {103 * hour, 0}, {110 * hour, 0}, {120 * hour, 100 * hour}},
		"a day after the arrival is nothing":    {{0, 0}, {124*hour + 1, 0}, {1 << 62, 0}, {1, 1}},
		"far in the past is nothing":            {{0, 0}, {-1 << 62, 0}, {1, 1}},
		"no time is nothing to a leap":          {{0, 0}, {2 * hour, 0}, {2 * hour, 0}, {noTime, 0}, {2 * hour, 0}, {2 * hour, 0}, {2 * hour, 2 * hour}},
		"the first time counts at once":         {{-50 * hour, -50 * hour}},
	} {
		var c eventClock
		for i, s := range list {
			at := base + s.at
			if s.at > 1<<60 || s.at < -1<<60 {
				at = s.at
			}
			c.see(at, arrival)
			if c.Latest == nil || *c.Latest-base != s.want {
				t.Errorf("%s: after time %d the latest is %v, not %d", name, i, *c.Latest-base, s.want)
				break
			}
		}
	}
}

func TestAWatermarkKeepsItsBounds(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	const disorder = 1000
	for range 200 {
		var c eventClock
		if c.watermark(disorder) != noTime {
			t.Fatal("a clock that saw nothing has a time")
		}
		arrival, last := int64(1_700_000_000_000), int64(noTime)
		for range 500 {
			arrival += rng.Int64N(100_000)
			at := arrival - rng.Int64N(50*clockLeap) + rng.Int64N(100*clockLeap)
			c.see(at, arrival)
			if rng.IntN(50) == 0 {
				c.raise(arrival - disorder - rng.Int64N(clockLeap))
			}
			mark := c.watermark(disorder)
			if mark < last || mark > arrival-disorder {
				t.Fatalf("the watermark is %d after %d, of a record that arrived at %d", mark, last, arrival)
			}
			last = mark
		}
		child := c.child()
		if child.watermark(disorder) != last || child.Leap != nil {
			t.Fatal("a child begins elsewhere")
		}
		child.raise(arrival + 1)
		child.see(arrival, arrival)
		if c.watermark(disorder) != last {
			t.Fatal("a child moves its parent")
		}
	}
}
