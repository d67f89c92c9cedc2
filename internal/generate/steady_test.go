package generate

import (
	"strings"
	"testing"
	"time"
)

func TestASteadyFarmHasItsRateFromTheFirstSecondOn(t *testing.T) {
	for _, rate := range []float64{200, 2000} {
		farm, err := Weblog(WeblogConfig{Rate: rate, Lines: int64(120 * rate), Steady: true, Flat: true, Disorder: -1, Visitors: 50_000})
		if err != nil {
			t.Fatal(err)
		}
		perSecond := map[int64]int{}
		for line := range farm.Lines() {
			perSecond[line.At-farm.cfg.Start.Unix()]++
		}
		for second := range int64(115) {
			if n := float64(perSecond[second]); n < 0.75*rate || n > 1.25*rate {
				t.Errorf("second %d has %g lines, the rate is %g", second, n, rate)
			}
		}
		if truth := farm.Truth(); truth.Lines != int64(120*rate) {
			t.Errorf("%d lines", truth.Lines)
		}
	}
}

func TestShuffledLinesComeLaterByUpToTheBound(t *testing.T) {
	const shuffle, disorder = 30, 5
	farm, err := Weblog(WeblogConfig{Rate: 500, Lines: 60_000, Steady: true, Shuffle: shuffle * time.Second, Disorder: disorder * time.Second, Malformed: -1})
	if err != nil {
		t.Fatal(err)
	}
	delays := map[int64]int{}
	lines := 0
	for line := range farm.Lines() {
		_, rest, _ := strings.Cut(string(line.Text), "[")
		text, _, _ := strings.Cut(rest, "]")
		at, err := time.Parse("02/Jan/2006:15:04:05 -0700", text)
		if err != nil {
			t.Fatal(err)
		}
		delays[line.At-at.Unix()]++
		lines++
	}
	if lines != 60_000 {
		t.Errorf("%d lines", lines)
	}
	for delay := range delays {
		if delay < 0 || delay > shuffle+disorder {
			t.Errorf("a line is %d s late", delay)
		}
	}
	for delay := int64(0); delay <= shuffle; delay++ {
		if n := delays[delay]; n < lines/(shuffle+1)/2 || n > lines/(shuffle+1)*2 {
			t.Errorf("%d of %d lines are %d s late", n, lines, delay)
		}
	}
	for _, cfg := range []WeblogConfig{{Shuffle: -time.Second}, {Shuffle: 2 * time.Hour}, {Steady: true}} {
		if cfg.Validate() == nil {
			t.Errorf("%+v is accepted", cfg)
		}
	}
}

func TestAStoppedFarmGivesWhatItMade(t *testing.T) {
	farm, err := Weblog(WeblogConfig{Rate: 500, Days: 1, Steady: true, Shuffle: 10 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	sessions := 0
	farm.OnSession = func(Session) { sessions++ }
	var given, after int64
	for range farm.Lines() {
		if given++; given == 20_000 {
			farm.Stop()
			after = farm.written
		}
	}
	truth := farm.Truth()
	if given != truth.Lines || given != after || given == 20_000 {
		t.Errorf("%d lines were given, %d made when it was stopped; the truth says %d", given, after, truth.Lines)
	}
	if int64(sessions) != truth.Sessions || sessions == 0 {
		t.Errorf("%d sessions, the truth says %d", sessions, truth.Sessions)
	}
}
