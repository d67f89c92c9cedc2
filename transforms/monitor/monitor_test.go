package monitor_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"millrace/internal/mutate"
	"millrace/transforms/clean"
	"millrace/transforms/monitor"
)

var options = monitor.Options{
	Clean: clean.Options{Gap: 5 * time.Minute, StuckFor: 2 * time.Minute, StuckReadings: 5},
	Step:  20 * time.Second, Hold: 5 * time.Minute, Warnings: true,
}

// lines collects what is told as text.
type lines []string

func (l *lines) sink() monitor.Sink {
	add := func(format string, a ...any) { *l = append(*l, fmt.Sprintf(format, a...)) }
	return monitor.Sink{
		Flag:   func(f *monitor.Flagged) { add("flag %v %d %s %v", *f.Point.Key, f.Point.Time, f.Flag, *f.Judged) },
		Minute: func(m *monitor.Minute) { about := *m.About; x := *m; x.About = nil; add("minute %+v %v", x, about) },
		Hour:   func(h *monitor.Hour) { add("hour %+v", *h) },
		Grid:   func(k monitor.Key, a *monitor.About, g clean.GridPoint) { add("grid %v %s %v", k, a.Unit, g) },
		Score:  func(s *monitor.Score) { add("score %+v", *s) },
	}
}

func (l lines) sorted() lines { slices.Sort(l); return l }

const start = 1772359200000 // 2026-03-01 10:00 UTC

// random makes points of some patients and machines over two days.
func random(rng *rand.Rand, n int) (points []monitor.Point) {
	codes := []struct {
		code    string
		counter bool
		base    float64
	}{{"8867-4", false, 70}, {"59408-5", false, 97}, {"energy", true, 0}}
	for i := range n {
		c := codes[rng.IntN(len(codes))]
		p := monitor.Point{
			Key:   &monitor.Key{Subject: fmt.Sprintf("s%d", rng.IntN(2)), Device: fmt.Sprintf("d%d", rng.IntN(2)), Code: c.code},
			About: &monitor.About{Display: c.code, Unit: "1", Counter: c.counter, Patient: true},
			Time:  start + int64(rng.IntN(40))*int64(1+rng.IntN(4500))*1000, Source: fmt.Sprint(rng.IntN(3)), Position: int64(i),
			Value: c.base + float64(rng.IntN(5))*1.1, Low: 1, High: 99,
		}
		if rng.IntN(3) == 0 {
			p.DeviceTime = p.Time + rng.Int64N(999)
		}
		points = append(points, p)
	}
	return points
}

// TestNeitherOrderNorPartsMatter: folded in one go or as they come, in any order and
// with the state stored in between, the same is told.
func TestNeitherOrderNorPartsMatter(t *testing.T) {
	for seed := range uint64(40) {
		rng := rand.New(rand.NewPCG(seed, 7))
		points := random(rng, 150)
		var want lines
		monitor.New(options).Fold(slices.Clone(points), math.MaxInt64, want.sink())
		rng.Shuffle(len(points), func(i, j int) { points[i], points[j] = points[j], points[i] })
		var got lines
		var state []byte
		waiting := slices.Clone(points)
		for until := int64(start - start%60000); len(waiting) > 0 || until < start+60*3600*1000; until += 60_000 * int64(1+rng.IntN(300)) {
			m, err := monitor.Restore(options, state)
			if err != nil {
				t.Fatal(err)
			}
			waiting = m.Fold(waiting, until, got.sink())
			if state, err = m.AppendState(nil); err != nil {
				t.Fatal(err)
			}
		}
		m, _ := monitor.Restore(options, state)
		m.Fold(nil, math.MaxInt64, got.sink())
		if diff := cmp.Diff(want.sorted(), got.sorted()); diff != "" {
			t.Fatalf("seed %d (-at once +in parts):\n%s", seed, diff)
		}
	}
}

// TestMinutesAreThoseOfAnObviousCount compares counts, extremes and quantiles.
func TestMinutesAreThoseOfAnObviousCount(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	type window struct {
		key   monitor.Key
		start int64
	}
	values := map[window][]float64{}
	var points []monitor.Point
	for i := range 500 {
		k := monitor.Key{Subject: "s", Device: fmt.Sprint(rng.IntN(3)), Code: "temperature"}
		p := monitor.Point{Key: &k, About: &monitor.About{}, Time: start + int64(i)*997, Position: int64(i), Value: float64(rng.IntN(1000)), Low: 0, High: 2000}
		points = append(points, p)
		w := window{k, p.Time - p.Time%60_000}
		values[w] = append(values[w], p.Value)
	}
	seen := 0
	var ignored lines
	sink := ignored.sink()
	sink.Minute = func(m *monitor.Minute) {
		seen++
		all := values[window{m.Key, m.Start}]
		sum := 0.0
		for _, v := range all {
			sum += v
		}
		last := all[len(all)-1]
		sorted := slices.Sorted(slices.Values(all))
		want := monitor.Minute{
			Key: m.Key, About: m.About, Start: m.Start, Count: int64(len(all)), Flagged: m.Flagged, Values: int64(len(all)), Min: sorted[0], Max: sorted[len(all)-1],
			Mean: sum / float64(len(all)), Last: last, P50: sorted[(len(all)-1)/2], P95: sorted[(len(all)-1)*95/100],
		}
		if diff := cmp.Diff(want, *m); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
	monitor.New(options).Fold(points, math.MaxInt64, sink)
	if seen != len(values) {
		t.Errorf("%d minutes, not %d", seen, len(values))
	}
}

func TestAScoreTakesTheVitalsOfAnHour(t *testing.T) {
	at := func(minutes int64, code string, value float64) monitor.Point {
		return monitor.Point{
			Key: &monitor.Key{Subject: "p", Device: "d", Code: code}, About: &monitor.About{Patient: true},
			Time: start + minutes*60_000, Position: minutes, Value: value, Low: 0, High: 300,
		}
	}
	var got []string
	var ignored lines
	sink := ignored.sink()
	sink.Score = func(s *monitor.Score) {
		got = append(got, fmt.Sprintf("%d: %d %s", (s.Start-start)/60_000, s.Result.Total, s.Result.Risk()))
	}
	monitor.New(options).Fold([]monitor.Point{
		at(0, "9279-1", 26), at(0, "8867-4", 135), at(30, "59408-5", 92), at(61, "8310-5", 39.5), at(62, "8310-5", 9999),
	}, math.MaxInt64, sink)
	if diff := cmp.Diff([]string{"0: 6 medium", "30: 8 high", "61: 4 low"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// FuzzRestore: whatever the state, it is refused, or a monitor that can go on.
func FuzzRestore(tf *testing.F) {
	f := mutate.Of(tf)
	m := monitor.New(options)
	var ignored lines
	m.Fold(random(rand.New(rand.NewPCG(1, 2)), 20), start+3_600_000, ignored.sink())
	state, err := m.AppendState(nil)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(state)
	f.Add([]byte{2})
	f.Add([]byte("\x01{\"Hours\":[null]}"))
	f.Fuzz(func(t *testing.T, state []byte) {
		m, err := monitor.Restore(options, state)
		if err != nil {
			return
		}
		again, err := m.AppendState(nil)
		if err != nil {
			t.Skip("times beyond what JSON holds")
		}
		if m, err = monitor.Restore(options, again); err != nil {
			t.Fatal(err)
		}
		if twice, err := m.AppendState(nil); err != nil || string(twice) != string(again) {
			t.Fatalf("%s became %s: %v", again, twice, err)
		}
	})
}
