package clean_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"sort"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"millrace/transforms/clean"
)

var options = clean.Options{Gap: 5 * time.Minute, StuckFor: 10 * time.Minute, StuckReadings: 20}

const minute = 60_000

func judge(counter bool, readings []clean.Reading) []clean.Judged {
	return judgeBy(options, counter, readings)
}

func judgeBy(o clean.Options, counter bool, readings []clean.Reading) (out []clean.Judged) {
	s := clean.Series{Counter: counter}
	for _, r := range readings {
		out = append(out, s.Next(&o, r))
	}
	return out
}

// stuck finds what is stuck sooner, for short series.
var stuck = clean.Options{Gap: 5 * time.Minute, StuckFor: 10 * time.Minute, StuckReadings: 3}

func values(step int64, values ...float64) (rs []clean.Reading) {
	for i, v := range values {
		rs = append(rs, clean.Reading{Time: int64(i) * step, Value: v, Low: 0, High: 200})
	}
	return rs
}

func flags(js []clean.Judged) (out []clean.Flag) {
	for _, j := range js {
		out = append(out, j.Flags)
	}
	return out
}

func TestWhatIsOdd(t *testing.T) {
	spiked := values(1000, 70, 71, 69, 70, 72, 70, 140, 71)
	same := values(minute, slices.Repeat([]float64{37}, 21)...)
	fast := values(10_000, slices.Repeat([]float64{37}, 62)...)
	gap := values(1000, 70, 71, 72)
	gap[2].Time = 400_000
	twice := values(1000, 70, 70, 71)
	twice[1].Time = 0
	counted := values(1000, 100, 110, 130, 5, 25)
	for name, c := range map[string]struct {
		counter  bool
		readings []clean.Reading
		want     []clean.Flag
	}{
		"range":     {false, values(1000, 70, -1, 201, 200), []clean.Flag{0, clean.Range, clean.Range, 0}},
		"spike":     {false, spiked, []clean.Flag{0, 0, 0, 0, 0, 0, clean.Spike, 0}},
		"stuck":     {false, same, append(slices.Repeat([]clean.Flag{0}, 19), clean.Stuck, clean.Stuck)},
		"fast":      {false, fast, append(slices.Repeat([]clean.Flag{0}, 60), clean.Stuck, clean.Stuck)},
		"too short": {false, values(1000, slices.Repeat([]float64{37}, 21)...), slices.Repeat([]clean.Flag{0}, 21)},
		"gap":       {false, gap, []clean.Flag{0, 0, clean.Gap}},
		"duplicate": {false, twice, []clean.Flag{0, clean.Duplicate, 0}},
		"reset":     {true, counted, []clean.Flag{0, 0, 0, clean.Reset, 0}},
		"standing":  {true, same, slices.Repeat([]clean.Flag{0}, 21)},
	} {
		if diff := cmp.Diff(c.want, flags(judge(c.counter, c.readings))); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	var rates []float64
	for _, j := range judge(true, counted) {
		if j.Known {
			rates = append(rates, j.Value)
		}
	}
	if diff := cmp.Diff([]float64{10, 20, 20}, rates); diff != "" {
		t.Errorf("rates (-want +got):\n%s", diff)
	}
}

// brute says the same of a reading from all that came before it within a day.
func brute(counter bool, all []clean.Reading, at int) (j clean.Judged) {
	now := all[at]
	type past struct {
		clean.Reading
		used  float64
		known bool
	}
	var before []past
	for i, r := range all[:at] {
		was := clean.Judged{}
		if now.Time-r.Time > 24*60*minute {
			continue
		}
		if was = brute(counter, all, i); !was.Has(clean.Duplicate) {
			before = append(before, past{r, was.Value, was.Known})
		}
	}
	for _, p := range before {
		if p.Time == now.Time && p.Value == now.Value {
			return clean.Judged{Flags: clean.Duplicate}
		}
	}
	j.Value, j.Known = now.Value, true
	if counter {
		j.Value, j.Known = 0, false
	}
	if n := len(before); n > 0 {
		p := before[n-1]
		if counter && now.Value < p.Value {
			j.Flags, j.Before = clean.Reset, p.Value
		} else if counter && now.Time > p.Time {
			j.Value, j.Known = (now.Value-p.Value)/(float64(now.Time-p.Time)/1000), true
		}
		if now.Time-p.Time > 5*minute {
			j.Flags, j.Silent = j.Flags|clean.Gap, now.Time-p.Time
		}
	}
	if now.Value < now.Low {
		j.Flags, j.Limit = j.Flags|clean.Range, now.Low
	} else if now.Value > now.High {
		j.Flags, j.Limit = j.Flags|clean.Range, now.High
	}
	// The last eleven readings are looked at, so as many are remembered.
	var seen []float64
	for _, p := range before[max(0, len(before)-11):] {
		if p.known {
			seen = append(seen, p.used)
		}
	}
	if seen = seen[max(0, len(seen)-11):]; j.Known && len(seen) >= 5 {
		sort.Float64s(seen)
		median := seen[(len(seen)-1)/2]
		var off []float64
		for _, v := range seen {
			off = append(off, math.Abs(v-median))
		}
		sort.Float64s(off)
		scale := max(1.4826*off[(len(off)-1)/2], 0.02*math.Abs(median))
		if scale > 0 && math.Abs(j.Value-median) > 6*scale {
			j.Flags, j.Median = j.Flags|clean.Spike, median
		}
	}
	if n := len(before); !counter && n >= stuck.StuckReadings-1 {
		same := true
		for _, p := range before[n-stuck.StuckReadings+1:] {
			same = same && p.Value == now.Value
		}
		since := now.Time
		for i := at - 1; i >= 0 && all[i].Value == now.Value; i-- {
			if since-all[i].Time > 24*60*minute || all[i].Time/(24*60*minute) < now.Time/(24*60*minute)-1 {
				break
			}
			since = all[i].Time
		}
		if d := now.Time - since; same && d >= 10*minute {
			j.Flags, j.Same = j.Flags|clean.Stuck, d
		}
	}
	return j
}

func TestFlagsAreThoseOfAnObviousSearch(t *testing.T) {
	for seed := range uint64(60) {
		rng := rand.New(rand.NewPCG(seed, 1))
		var rs []clean.Reading
		at := int64(0)
		values := 1 + rng.IntN(4)
		for range 12 + rng.IntN(4) {
			at += []int64{0, 1000, minute, 6 * minute, 13 * 60 * minute}[rng.IntN(5)]
			rs = append(rs, clean.Reading{Time: at, Value: float64(rng.IntN(values)) * 20, Low: 10, High: 90})
		}
		for _, counter := range []bool{false, true} {
			for i, got := range judgeBy(stuck, counter, rs) {
				if diff := cmp.Diff(brute(counter, rs, i), got); diff != "" {
					t.Fatalf("seed %d counter %v reading %d (-want +got):\n%s", seed, counter, i, diff)
				}
			}
		}
	}
}

func TestADayAndTheOneBeforeAreEnough(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 3))
	const day = 24 * 60 * minute
	var rs []clean.Reading
	for at := int64(0); at < 4*day; at += int64(1+rng.IntN(50)) * minute {
		rs = append(rs, clean.Reading{Time: at, Value: float64(rng.IntN(2)) * 7, High: 100})
	}
	from, _ := slices.BinarySearchFunc(rs, int64(2*day), func(r clean.Reading, at int64) int { return int(r.Time - at) })
	all, some := judge(false, rs), judge(false, rs[from:])
	for i, r := range rs {
		if r.Time < 3*day {
			continue
		}
		if diff := cmp.Diff(all[i], some[i-from]); diff != "" {
			t.Fatalf("reading %d (-all +two days):\n%s", i, diff)
		}
	}
}

func TestAGridHoldsTheLastValue(t *testing.T) {
	var r clean.Resampler
	var got []clean.GridPoint
	emit := func(p clean.GridPoint) { got = append(got, p) }
	for _, v := range [][2]int64{{500, 1}, {1000, 2}, {1000, 3}, {2500, 4}, {9000, 5}} {
		r.Next(v[0], float64(v[1]), 1000, 3000, emit)
	}
	want := []clean.GridPoint{{1000, 3, 0}, {2000, 3, 1000}, {3000, 4, 500}, {4000, 4, 1500}, {5000, 4, 2500}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
