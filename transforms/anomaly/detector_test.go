package anomaly_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"millrace/transforms/anomaly"
)

const minute = int64(60_000)

// random is n points of a series with days, noise, spikes, changes of level,
// pauses, points that are missing, repeated or late.
func random(r *rand.Rand, n int) []anomaly.Point {
	unit := math.Exp(20*r.Float64() - 10)
	level := 100 * r.NormFloat64()
	t := int64(1_700_000_000_000) + r.Int64N(1e9)
	step := minute * (1 + r.Int64N(30))
	points := make([]anomaly.Point, n)
	for i := range points {
		t += step
		v := level + 3*math.Sin(float64(t)/86_400_000*2*math.Pi) + r.NormFloat64()
		switch x := r.IntN(400); {
		case x == 0:
			level += 10 * r.NormFloat64()
		case x == 1:
			t += step * r.Int64N(100)
		case x < 5:
			v *= 10
		case x < 7:
			v = []float64{math.NaN(), math.Inf(1), math.Inf(-1)}[r.IntN(3)]
		case x < 9:
			t -= step
		case x == 9:
			t -= 3 * step
		}
		points[i] = anomaly.Point{Time: t, Value: v * unit}
	}
	return points
}

func feed(d *anomaly.Detector, points []anomaly.Point) []anomaly.Result {
	out := make([]anomaly.Result, len(points))
	for i, p := range points {
		out[i] = d.Add(p)
	}
	return out
}

// usual is a series of one value a minute between 9 and 11.
func usual(n int) []anomaly.Point {
	r := rand.New(rand.NewPCG(1, 2))
	points := make([]anomaly.Point, n)
	for i := range points {
		points[i] = anomaly.Point{Time: int64(i) * minute, Value: 9 + 2*r.Float64()}
	}
	return points
}

var bothOptions = map[string]anomaly.Options{"without shapes": {}, "with shapes": {Shapes: true}}

func TestAStateIsEncodedInTheMiddleAndNoBitChanges(t *testing.T) {
	for name, o := range bothOptions {
		r := rand.New(rand.NewPCG(3, 4))
		for range 20 {
			points := random(r, 200+r.IntN(4000))
			want := feed(anomaly.New(o), points)
			var got []anomaly.Result
			d := anomaly.New(o)
			for rest := points; len(rest) > 0; {
				n := min(1+r.IntN(700), len(rest))
				got = append(got, feed(d, rest[:n])...)
				rest = rest[n:]
				b := d.AppendEncoded([]byte("x"))[1:]
				var err error
				if d, err = anomaly.Decode(b, o); err != nil {
					t.Fatalf("%s: %v", name, err)
				}
				if again := d.AppendEncoded(nil); string(again) != string(b) {
					t.Fatalf("%s: a state of %d bytes is encoded again as another one of %d", name, len(b), len(again))
				}
			}
			if diff := cmp.Diff(want, got, cmpopts.EquateNaNs()); diff != "" {
				t.Fatalf("%s: results (-uncut +cut):\n%s", name, diff)
			}
		}
	}
}

func TestScoresAreWithinZeroAndOneAndOnlyOfJudgedPoints(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	told := 0
	for _, o := range bothOptions {
		for range 20 {
			for i, got := range feed(anomaly.New(o), random(r, 3000)) {
				all := append([]float64{got.Score, got.Strangeness}, got.Views[:]...)
				for _, s := range all {
					if !(s >= 0 && s <= 1) {
						t.Fatalf("point %d: %+v", i, got)
					}
				}
				if got.Status != anomaly.Judged && got.Strangeness != 0 {
					t.Fatalf("point %d is not judged and strange: %+v", i, got)
				}
				if got.Score != 0 && got.Score != got.Strangeness {
					t.Fatalf("point %d: news is not as strange as it is: %+v", i, got)
				}
				if got.Score > 0.5 {
					told++
				}
			}
		}
	}
	if told == 0 {
		t.Error("not one point in 120,000 with spikes is news")
	}
}

// A factor that is a power of two changes no bit of a score, and neither do weeks.
func TestUnitAndWeekDoNotMatter(t *testing.T) {
	points := random(rand.New(rand.NewPCG(7, 8)), 5000)
	moved := make([]anomaly.Point, len(points))
	for i, p := range points {
		moved[i] = anomaly.Point{Time: p.Time + 5*7*24*60*minute, Value: p.Value * 1024}
	}
	want, got := feed(anomaly.New(anomaly.Options{Shapes: true}), points), feed(anomaly.New(anomaly.Options{Shapes: true}), moved)
	for i := range want {
		if want[i].Score != got[i].Score || want[i].Strangeness != got[i].Strangeness || want[i].Views != got[i].Views {
			t.Fatalf("point %d: %+v and %+v", i, want[i], got[i])
		}
		if !math.IsNaN(want[i].Low) && (want[i].Low*1024 != got[i].Low || want[i].High*1024 != got[i].High) {
			t.Fatalf("point %d: expected %v to %v, and %v to %v", i, want[i].Low, want[i].High, got[i].Low, got[i].High)
		}
	}
}

func TestASpikeIsNewsOnceAndAgainWhenItGetsWorse(t *testing.T) {
	d := anomaly.New(anomaly.Options{})
	feed(d, usual(2000))
	at := int64(2000) * minute
	scores := make([]float64, 0, 5)
	for i, v := range []float64{11.6, 11.6, 11.6, 40, 40} {
		scores = append(scores, d.Add(anomaly.Point{Time: at + int64(i)*minute, Value: v}).Score)
	}
	if scores[0] < 0.3 || scores[1] != 0 || scores[2] != 0 || scores[3] < 1.15*scores[0] || scores[4] != 0 {
		t.Errorf("scores %v", scores)
	}
}

func TestTheExpectedRangeHoldsTheUsualAndTheViewsSayWhatWasStrange(t *testing.T) {
	d := anomaly.New(anomaly.Options{})
	inside := 0
	all := feed(d, usual(4000))
	for _, r := range all[1000:] {
		if r.Value >= r.Low && r.Value <= r.High {
			inside++
		}
	}
	if share := float64(inside) / 3000; share < 0.96 || share > 0.998 {
		t.Errorf("%.3f of the values are in the expected range, which is for 0.98", share)
	}
	r := d.Add(anomaly.Point{Time: 4000 * minute, Value: 2})
	if r.Value >= r.Low || r.Low < 8 || r.High > 12 {
		t.Errorf("2 where %v to %v was expected", r.Low, r.High)
	}
	for _, v := range []anomaly.View{anomaly.Level, anomaly.Day, anomaly.Week, anomaly.Envelope} {
		if r.Views[v] < 0.7 {
			t.Errorf("view %v: %v", v, r.Views[v])
		}
	}
}

func TestTheFirstPointsAreLearnedAndNotJudged(t *testing.T) {
	for i, r := range feed(anomaly.New(anomaly.Options{}), usual(200)) {
		if judged := r.Status == anomaly.Judged; judged != (i >= 150) {
			t.Errorf("point %d is %v", i, r.Status)
		}
	}
}

func TestWhatIsNoValueOrNotNewIsNotLearned(t *testing.T) {
	points := usual(1000)
	last := points[999].Time
	for name, c := range map[string]struct {
		point anomaly.Point
		want  anomaly.Status
	}{
		"NaN":             {anomaly.Point{Time: last + minute, Value: math.NaN()}, anomaly.Missing},
		"infinite":        {anomaly.Point{Time: last + minute, Value: math.Inf(-1)}, anomaly.Missing},
		"no time":         {anomaly.Point{Time: math.MaxInt64, Value: 10}, anomaly.Missing},
		"the same time":   {anomaly.Point{Time: last, Value: 1e6}, anomaly.Duplicate},
		"an earlier time": {anomaly.Point{Time: last - minute, Value: 1e6}, anomaly.TooOld},
	} {
		d := anomaly.New(anomaly.Options{Shapes: true})
		feed(d, points)
		before := d.AppendEncoded(nil)
		if r := d.Add(c.point); r.Status != c.want || r.Score != 0 {
			t.Errorf("%s: %+v", name, r)
		}
		if string(before) != string(d.AppendEncoded(nil)) {
			t.Errorf("%s: the state changed", name)
		}
	}
}

func TestAProvisionalLookLearnsNothing(t *testing.T) {
	for _, o := range bothOptions {
		points := random(rand.New(rand.NewPCG(9, 10)), 3000)
		d := anomaly.New(o)
		for i, p := range points {
			if i%100 == 50 {
				before := d.AppendEncoded(nil)
				look := d.Look(p)
				if string(before) != string(d.AppendEncoded(nil)) {
					t.Fatalf("point %d: a look changed the state", i)
				}
				if diff := cmp.Diff(look, d.Clone().Add(p), cmpopts.EquateNaNs()); diff != "" {
					t.Fatal(diff)
				}
			}
			d.Add(p)
		}
	}
}

func TestAConstantSeriesIsQuietUntilItChanges(t *testing.T) {
	for _, constant := range []float64{0, 7, -1e300} {
		d := anomaly.New(anomaly.Options{})
		at := int64(0)
		add := func(v float64) anomaly.Result {
			at += minute
			return d.Add(anomaly.Point{Time: at, Value: v})
		}
		for i := range 1000 {
			if r := add(constant); r.Score != 0 || i >= 150 && r.Low != constant {
				t.Fatalf("point %d of %v: %+v", i, constant, r)
			}
		}
		if r := add(constant + math.Abs(constant)/100 + 1); r.Score != 1 || r.Status != anomaly.Judged {
			t.Errorf("the first other value after %v: %+v", constant, r)
		}
		if r := add(constant); r.Status != anomaly.Learning {
			t.Errorf("the warm-up does not begin anew after %v: %+v", constant, r)
		}
	}
}

// After a pause the last values say nothing of those that come: a mean of both
// sides, or a shape across, would be strange.
func TestAfterAPauseTheLastValuesAreForgottenAndTheRanksKept(t *testing.T) {
	d := anomaly.New(anomaly.Options{Shapes: true})
	feed(d, usual(3000))
	short := d.Clone()
	after := int64(3000+100) * minute
	if r := short.Add(anomaly.Point{Time: 3005 * minute, Value: 14}); r.Views[anomaly.Rolling] > 0.9 || r.Views[anomaly.Shape] == 0 {
		t.Errorf("after five minutes: %+v", r)
	}
	r := d.Add(anomaly.Point{Time: after, Value: 14})
	if r.Status != anomaly.Judged || r.Views[anomaly.Level] < 0.7 {
		t.Errorf("what is strange is no longer strange after a pause: %+v", r)
	}
	if r.Views[anomaly.Rolling] < 0.7 || r.Views[anomaly.Shape] != 0 {
		t.Errorf("the last values before a pause of 100 minutes still count: %+v", r)
	}
}

func TestExtremeValuesGiveFiniteResults(t *testing.T) {
	extremes := []float64{math.MaxFloat64, -math.MaxFloat64, math.SmallestNonzeroFloat64, 0, 1, -1e-300, 1e300}
	r := rand.New(rand.NewPCG(11, 12))
	for range 50 {
		d := anomaly.New(anomaly.Options{Shapes: true})
		for i := range 600 {
			got := d.Add(anomaly.Point{Time: int64(i) * minute, Value: extremes[r.IntN(1+r.IntN(len(extremes)))]})
			if !(got.Strangeness >= 0 && got.Strangeness <= 1) || math.IsInf(got.Low, 0) || math.IsInf(got.High, 0) {
				t.Fatalf("point %d: %+v", i, got)
			}
		}
	}
}

func TestAStateIsBounded(t *testing.T) {
	for name, c := range map[string]struct {
		o      anomaly.Options
		bounds int
	}{"without shapes": {anomaly.Options{}, 16 << 10}, "with shapes": {anomaly.Options{Shapes: true}, 48 << 10}} {
		r := rand.New(rand.NewPCG(13, 14))
		d := anomaly.New(c.o)
		for i := range 150_000 {
			v := math.Exp(30*r.Float64()-15) * float64(1-2*r.IntN(2)) // fills every bin
			d.Add(anomaly.Point{Time: int64(i) * 7 * minute, Value: v})
		}
		if size := len(d.AppendEncoded(nil)); size > c.bounds {
			t.Errorf("%s: %d bytes, %d are promised", name, size, c.bounds)
		} else {
			t.Logf("%s: %d bytes", name, size)
		}
	}
}
