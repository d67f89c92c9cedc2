package live

import (
	"context"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"millrace/internal/generate"
	"millrace/internal/generate/devices"
)

// said is what of a line tells when it was.
type said struct {
	Received int64     `json:"received_at"`
	Event    time.Time `json:"event_time"`
}

// playScript plays at a speed for some seconds of the clock and tells how late lines came
// at most, and how many in each second.
func playScript(t *testing.T, script *Script, speed float64, dir string) (m *memory, latest time.Duration, perSecond map[int]int) {
	t.Helper()
	begin := time.Now()
	m = &memory{}
	sum, err := play(t.Context(), t, Options{Script: script, Speed: speed, TruthDir: dir}, m)
	if err != nil || !sum.Truth {
		t.Fatalf("%+v, %v", sum, err)
	}
	start := script.Start
	if start.IsZero() {
		start = begin.Truncate(time.Second).Add(time.Second)
	}
	perSecond = map[int]int{}
	for i, line := range m.lines {
		var s said
		passed := m.at[i].Sub(begin)
		perSecond[int(passed.Seconds())]++
		if json.Unmarshal([]byte(line), &s) != nil {
			continue // a bad one
		}
		if s.Received > 0 {
			s.Event = time.UnixMilli(s.Received)
		}
		if s.Event.IsZero() {
			continue
		}
		due := begin.Add(time.Duration(float64(s.Event.Sub(start)) / speed))
		if early := due.Sub(m.at[i]); early > time.Second+time.Duration(float64(time.Second)/speed) {
			t.Fatalf("it comes %v before its time: %s", early, line)
		}
		latest = max(latest, m.at[i].Sub(due))
	}
	return m, latest, perSecond
}

func TestAShopIsPlayedAtItsTimesAndRate(t *testing.T) {
	for _, c := range []struct{ rate, speed float64 }{{200, 1}, {500, 60}} {
		dir := t.TempDir()
		synctest.Test(t, func(t *testing.T) {
			const seconds = 20
			script, err := Shop(generate.ClickConfig{Seed: 5, Duplicates: 0.02, Malformed: 0.01}, c.rate, c.speed, int64(seconds*c.rate))
			if err != nil {
				t.Fatal(err)
			}
			m, latest, perSecond := playScript(t, script, c.speed, dir)
			if len(m.lines) != int(seconds*c.rate) || latest > 5*time.Second {
				t.Errorf("%d lines, up to %v late", len(m.lines), latest)
			}
			for second, n := range perSecond {
				if second > 1 && second < seconds-1 && math.Abs(float64(n)-c.rate) > c.rate/3 {
					t.Errorf("%d lines in second %d", n, second)
				}
			}
			if n := len(slices.Compact(slices.Sorted(slices.Values(m.keys)))); n < 50 {
				t.Errorf("%d keys", n)
			}
		})
		var truth generate.ClickTruth
		readTruth(t, dir, &truth)
		if truth.Lines != int64(20*c.rate) || truth.Sessions != 0 {
			t.Errorf("the truth is %+v", truth)
		}
	}
}

func TestAWardIsPlayedAtItsTimes(t *testing.T) {
	for _, c := range []struct {
		speed  float64
		length time.Duration // of event time
	}{{1, 90 * time.Second}, {120, 2 * time.Hour}} {
		dir := t.TempDir()
		lines := 0
		synctest.Test(t, func(t *testing.T) {
			cfg := devices.Config{Seed: 5, Canaries: true, Start: time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)}.ForRate(600)
			script, err := Ward(cfg, c.speed, c.length)
			if err != nil {
				t.Fatal(err)
			}
			m, latest, _ := playScript(t, script, c.speed, dir)
			lines = len(m.lines)
			want := c.length.Minutes() * 600
			if math.Abs(float64(lines)-want) > want/8 || latest > 5*time.Second {
				t.Errorf("%d lines, want about %.0f; up to %v late", lines, want, latest)
			}
		})
		var truth devices.Truth
		readTruth(t, dir, &truth)
		bad := int64(0)
		for _, n := range truth.Bad {
			bad += n
		}
		if truth.Lines != int64(lines) || truth.Readings+bad != truth.Lines || (len(truth.Events) > 0) != (c.length >= time.Hour) {
			t.Errorf("%d lines came; the truth is %+v", lines, truth)
		}
	}
}

func TestAnInterruptedWardHasATruthOfWhatItGave(t *testing.T) {
	dir := t.TempDir()
	lines := 0
	synctest.Test(t, func(t *testing.T) {
		script, err := Ward(devices.Config{}, 60, 0)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(30*time.Second, cancel)
		m := &memory{}
		if sum, err := play(ctx, t, Options{Script: script, Speed: 60, TruthDir: dir}, m); err != nil || !sum.Interrupted || !sum.Truth {
			t.Errorf("%+v, %v", sum, err)
		}
		lines = len(m.lines)
	})
	var truth devices.Truth
	if readTruth(t, dir, &truth); truth.Lines != int64(lines) || lines < 1000 {
		t.Errorf("%d lines came, %d are in the truth", lines, truth.Lines)
	}
}

func TestScriptsAreChecked(t *testing.T) {
	for _, c := range []struct{ rate, speed float64 }{{0, 1}, {1, 0}, {-1, 1}} {
		if _, err := Shop(generate.ClickConfig{}, c.rate, c.speed, 10); err == nil {
			t.Errorf("a shop of rate %g at speed %g is played", c.rate, c.speed)
		}
	}
	if _, err := Shop(generate.ClickConfig{Canaries: 1000}, 1, 1, 10); err == nil {
		t.Error("too many canaries are planted")
	}
	if _, err := Ward(devices.Config{Patients: -1, Machines: -1}, 1, 0); err == nil {
		t.Error("an empty ward is played")
	}
}

func readTruth(t *testing.T, dir string, into any) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, "truth.json"))
	if err == nil {
		err = json.Unmarshal(text, into)
	}
	if err != nil {
		t.Fatal(err)
	}
}
