package nab_test

import (
	"math"
	"os"
	"path/filepath"
	"testing"
	"time"

	"millrace/internal/nab"
)

func timeOf(minute int) string {
	return time.Date(2024, 1, 1, 0, minute, 0, 0, time.UTC).Format(time.DateTime)
}

func write(t *testing.T, dir, path, text string) {
	t.Helper()
	path = filepath.Join(dir, path)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// one is a series of 1,000 rows with a window from 500 to 599 and scores at some
// rows.
func one(scores map[int]float64) []nab.Series {
	s := nab.Series{Windows: []nab.Window{{First: 500, Last: 599}}, Scores: make([]float64, 1000)}
	for row, v := range scores {
		s.Scores[row] = v
	}
	return []nab.Series{s}
}

// sigmoid is the published worth of a detection at a place relative to a window.
func sigmoid(place float64) float64 { return 2/(1+math.Exp(5*place)) - 1 }

func TestScoresFollowThePublishedRules(t *testing.T) {
	standard := nab.Profiles[0]
	for name, c := range map[string]struct {
		scores map[int]float64
		want   float64
	}{
		"nothing said":                            {nil, 0},
		"the first row of the window":             {map[int]float64{500: 1}, 100},
		"the middle of the window":                {map[int]float64{550: 1}, 50 + 50*sigmoid(-0.5)/sigmoid(-1)},
		"the earliest of many":                    {map[int]float64{500: 1, 550: 1, 599: 1}, 100},
		"only false alarms: better to say none":   {map[int]float64{300: 1, 301: 1}, 0},
		"a false alarm before":                    {map[int]float64{300: 1, 500: 1}, 100 - 50*0.11},
		"a false alarm soon after costs less":     {map[int]float64{500: 1, 610: 1}, 100 + 50*0.11*sigmoid(11.0/99)},
		"a false alarm long after costs all":      {map[int]float64{500: 1, 999: 1}, 100 - 50*0.11},
		"rows of the probation do not count":      {map[int]float64{149: 1, 500: 1}, 100},
		"the threshold spares lower false alarms": {map[int]float64{300: 0.5, 500: 0.6}, 100},
	} {
		if got := nab.Score(one(c.scores), standard).Score; math.Abs(got-c.want) > 1e-9 {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}

func TestTheProbationIsThatOfNAB(t *testing.T) {
	for n, want := range map[int]int{0: 0, 6: 0, 7: 1, 1000: 150, 4032: 604, 5000: 750, 20000: 750} {
		if got := nab.Probation(n); got != want {
			t.Errorf("%d of %d rows, want %d", got, n, want)
		}
	}
}
