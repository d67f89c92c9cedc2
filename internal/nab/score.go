package nab

import (
	"cmp"
	"math"
	"slices"
)

// Profile weighs what a detection is worth, and what a false alarm and a missed
// window cost.
type Profile struct {
	Name       string
	TP, FP, FN float64
}

// Profiles are the three of NAB, from its config/profiles.json.
var Profiles = []Profile{
	{Name: "standard", TP: 1, FP: 0.11, FN: 1},
	{Name: "reward_low_FP_rate", TP: 1, FP: 0.22, FN: 1},
	{Name: "reward_low_FN_rate", TP: 1, FP: 0.11, FN: 2},
}

// Window is an anomaly by its first and last row.
type Window struct{ First, Last int }

// Series is one file of the corpus with a detector's score for each row.
type Series struct {
	Category string
	Windows  []Window // in order, apart from each other
	Scores   []float64
}

// Probation is the number of rows at the beginning of n that are not judged.
func Probation(n int) int {
	return int(min(math.Floor(0.15*float64(n)), 0.15*5000))
}

// sigmoid is what a detection at a place relative to a window is worth: -1 is
// the first row of the window, 0 its end, and one that is three windows behind it
// is as bad as can be.
func sigmoid(place float64) float64 {
	if place > 3 {
		return -1
	}
	return 2/(1+math.Exp(5*place)) - 1
}

// point is one judged row: what the detector said, and what saying it is worth.
type point struct {
	score, worth float64
	window       int // index into the windows of all series, or outside
	row          int // of its series
	series       int
}

const outside = -1

// points judges every row after the probation under a profile. The windows'
// places in all series count from firstWindow.
func (s *Series) points(p Profile, series, firstWindow int) []point {
	best := sigmoid(-1)
	from := Probation(len(s.Scores))
	out := make([]point, 0, len(s.Scores)-from)
	next := 0 // window not ended yet
	for i, score := range s.Scores {
		if next < len(s.Windows) && i > s.Windows[next].Last {
			next++
		}
		pt := point{score: score, window: outside, row: i, series: series}
		switch {
		case next < len(s.Windows) && i >= s.Windows[next].First:
			w := s.Windows[next]
			place := -float64(w.Last-i+1) / float64(w.Last-w.First+1)
			pt.worth = sigmoid(place) * p.TP / best
			pt.window = firstWindow + next
		case next == 0:
			pt.worth = -p.FP
		default:
			w := s.Windows[next-1]
			pt.worth = sigmoid(float64(i-w.Last)/float64(w.Last-w.First)) * p.FP
		}
		if i >= from {
			out = append(out, pt)
		}
	}
	return out
}

// Result is what a detector reaches under one profile.
type Result struct {
	Profile    Profile
	Threshold  float64 // rows with this score or more are detections; above all scores if none is best
	Score      float64 // 0: as good as no detection at all; 100: each window in its first row, no false alarm
	ByCategory map[string]float64
}

// Score chooses the threshold with the best score on all series, the highest of
// equals, and normalises as NAB does: 0 is a detector that never speaks.
func Score(all []Series, p Profile) Result {
	j := judge(all, p)
	threshold, total := j.best()
	r := Result{Profile: p, Threshold: threshold, ByCategory: map[string]float64{}}
	r.Score = normalise(total, j.null, float64(j.windows)*p.TP)
	for _, c := range categories(all) {
		var of []Series
		for i := range all {
			if all[i].Category == c {
				of = append(of, all[i])
			}
		}
		part := judge(of, p)
		r.ByCategory[c] = normalise(part.at(threshold), part.null, float64(part.windows)*p.TP)
	}
	return r
}

// normalise is NaN where there is no window to find: what false alarms cost there
// is in the score of all.
func normalise(sum, null, perfect float64) float64 {
	if perfect == null {
		return math.NaN()
	}
	return 100 * (sum - null) / (perfect - null)
}

// judged are the points of some series from the highest score to the lowest.
type judged struct {
	points  []point
	credit  []float64 // of each window: its cost if missed
	null    float64
	windows int
}

func judge(all []Series, p Profile) *judged {
	j := &judged{}
	for i := range all {
		j.points = append(j.points, all[i].points(p, i, j.windows)...)
		j.windows += len(all[i].Windows)
	}
	slices.SortStableFunc(j.points, func(a, b point) int { return cmp.Compare(b.score, a.score) })
	j.credit = make([]float64, j.windows) // a window within the probation costs nothing
	for _, pt := range j.points {
		if pt.window != outside {
			j.credit[pt.window] = -p.FN
		}
	}
	for _, c := range j.credit {
		j.null += c
	}
	return j
}

// best goes down the thresholds. A window earns its best detection, a false
// alarm costs each time.
func (j *judged) best() (threshold, total float64) {
	credit := slices.Clone(j.credit)
	threshold, total = math.Inf(1), j.null
	sum := j.null
	for i, pt := range j.points {
		sum += gain(credit, pt)
		last := i+1 == len(j.points) || j.points[i+1].score != pt.score
		if last && sum > total {
			threshold, total = pt.score, sum
		}
	}
	return threshold, total
}

func (j *judged) at(threshold float64) float64 {
	credit := slices.Clone(j.credit)
	sum := j.null
	for _, pt := range j.points {
		if pt.score < threshold {
			break
		}
		sum += gain(credit, pt)
	}
	return sum
}

func gain(credit []float64, pt point) float64 {
	if pt.window == outside {
		return pt.worth
	}
	more := max(pt.worth-credit[pt.window], 0)
	credit[pt.window] += more
	return more
}

func categories(all []Series) []string {
	var names []string
	for i := range all {
		names = append(names, all[i].Category)
	}
	slices.Sort(names)
	return slices.Compact(names)
}
