package live

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"millrace/internal/generate"
	"millrace/io/kinesisio"
)

// memory is a stream that remembers when lines came.
type memory struct {
	mu    sync.Mutex
	at    []time.Time
	keys  []string
	lines []string
	down  func() bool // while true, Put waits
	fault error
}

func (m *memory) Put(ctx context.Context, r kinesisio.Record) error {
	for m.down != nil && m.down() {
		rest(ctx, time.Second)
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.at, m.keys, m.lines = append(m.at, time.Now()), append(m.keys, r.Key), append(m.lines, string(r.Data))
	return m.fault
}

func (m *memory) Close(context.Context) error { return nil }

func (m *memory) Stats() kinesisio.ProducerStats {
	m.mu.Lock()
	defer m.mu.Unlock()
	n := int64(len(m.lines))
	return kinesisio.ProducerStats{Accepted: n, Acknowledged: n}
}

// eventTime is when the line says it was, which must not be malformed.
func eventTime(line string) (time.Time, bool) {
	_, rest, _ := strings.Cut(line, "[")
	text, _, _ := strings.Cut(rest, "]")
	at, err := time.Parse("02/Jan/2006:15:04:05 -0700", text)
	return at, err == nil
}

func play(ctx context.Context, t *testing.T, o Options, m *memory) (Summary, error) {
	t.Helper()
	if err := o.Validate(); err != nil {
		t.Fatal(err)
	}
	return o.WithDefaults().play(ctx, context.WithoutCancel(ctx), m)
}

func TestLinesComeAtTheirTimesAndRate(t *testing.T) {
	for _, c := range []struct {
		rate, speed float64
		disorder    time.Duration
	}{{2000, 0, 7 * time.Second}, {2000, 0, -1}, {37, 0, -1}, {500, 60, 30 * time.Second}, {1000, 0.5, -1}} {
		t.Run(fmt.Sprint(c), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				time.Sleep(300 * time.Millisecond) // not on a whole second
				m := &memory{}
				o := Options{Farm: generate.WeblogConfig{Rate: c.rate, Lines: int64(30 * c.rate), Disorder: c.disorder, Malformed: -1}, Speed: c.speed}
				begin := time.Now()
				sum, err := play(t.Context(), t, o, m)
				if err != nil {
					t.Fatal(err)
				}
				if sum.Acknowledged != o.Farm.Lines || sum.Interrupted || sum.Took < 28*time.Second || sum.Took > 40*time.Second {
					t.Errorf("summary %+v", sum)
				}
				start := begin.Truncate(time.Second).Add(time.Second)
				perStep, perSecond := map[time.Duration]int{}, map[time.Duration]int{}
				for i, at := range m.at {
					passed := at.Sub(start)
					perStep[passed/(50*time.Millisecond)]++
					perSecond[passed/time.Second]++
					event, ok := eventTime(m.lines[i])
					if !ok {
						t.Fatalf("no time in %s", m.lines[i])
					}
					speed := o.WithDefaults().Speed
					late := passed - time.Duration(float64(event.Sub(start))/speed)
					bound := 500*time.Millisecond + time.Duration(float64(time.Second+c.disorder)/speed)
					if late < -step || late > bound {
						t.Fatalf("a line of %s comes %s after the start", event.Sub(start), passed)
					}
				}
				for at, n := range perStep {
					if float64(n) > 2+1.5*c.rate*0.05+c.rate*0.02 {
						t.Errorf("%d lines in 50 ms at %s", n, at*50*time.Millisecond)
					}
				}
				for at, n := range perSecond {
					if at > 0 && at < 25 && (float64(n) < 0.7*c.rate || float64(n) > 1.3*c.rate) {
						t.Errorf("%d lines in second %d, the rate is %g", n, at, c.rate)
					}
				}
			})
		})
	}
}

func TestAfterAnOutageLinesDoNotBurst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		m := &memory{down: func() bool {
			passed := time.Since(begin)
			return passed > 10*time.Second && passed < 20*time.Second
		}}
		var status func() Status
		o := Options{Farm: generate.WeblogConfig{Rate: 400, Lines: 400 * 90}, Watch: func(s func() Status) { status = s }}
		go func() {
			time.Sleep(21 * time.Second)
			if s := status(); s.Behind < 5*time.Second {
				t.Errorf("after an outage of 10 s the run is %s behind", s.Behind)
			}
		}()
		sum, err := play(t.Context(), t, o, m)
		if err != nil || sum.Acknowledged != 400*90 {
			t.Fatal(sum, err)
		}
		perSecond := map[time.Duration]int{}
		for _, at := range m.at {
			perSecond[at.Sub(begin)/time.Second]++
		}
		for at, n := range perSecond {
			if n > 520 {
				t.Errorf("%d lines in second %d", n, at)
			}
		}
		if s := status(); s.Behind > time.Second {
			t.Errorf("at the end the run is %s behind", s.Behind)
		}
	})
}

func TestAnInterruptedRunDeliversWhatItMade(t *testing.T) {
	for _, bounded := range []bool{false, true} {
		dir := t.TempDir()
		synctest.Test(t, func(t *testing.T) {
			m := &memory{}
			o := Options{Farm: generate.WeblogConfig{Rate: 300, Shuffle: 20 * time.Second}, TruthDir: dir}
			if bounded {
				o.Farm.Lines = 1_000_000
			}
			ctx, cancel := context.WithCancel(t.Context())
			time.AfterFunc(60*time.Second, cancel)
			sum, err := play(ctx, t, o, m)
			if !bounded && err != nil || bounded && (!errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "of 1000000 lines")) {
				t.Errorf("the error is %v", err)
			}
			if !sum.Interrupted || !sum.Truth || sum.Took > 61*time.Second || sum.Acknowledged < 300*55 {
				t.Errorf("summary %+v", sum)
			}
			checkTruth(t, dir, m.lines)
		})
	}
}

// checkTruth compares what the truth counts with the lines.
func checkTruth(t *testing.T, dir string, lines []string) {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(dir, generate.TruthFile))
	if err != nil {
		t.Fatal(err)
	}
	var truth generate.Truth
	if err := json.Unmarshal(b, &truth); err != nil {
		t.Fatal(err)
	}
	if truth.Lines != int64(len(lines)) || truth.Events+truth.Bad != truth.Lines || truth.Sessions == 0 {
		t.Errorf("the truth is of %d lines, %d events; %d lines came", truth.Lines, truth.Events, len(lines))
	}
	for _, name := range []string{generate.SessionsFile, generate.AttacksFile} {
		if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
			t.Error(err)
		}
	}
}

func TestAStreamThatFailsEndsTheRunWithoutATruth(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		m := &memory{fault: errors.New("gone")}
		sum, err := play(t.Context(), t, Options{Farm: generate.WeblogConfig{Rate: 300, Lines: 600}, TruthDir: dir}, m)
		if !errors.Is(err, m.fault) || sum.Truth {
			t.Errorf("summary %+v, error %v", sum, err)
		}
	})
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestServersAreKeys(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := &memory{}
		if _, err := play(t.Context(), t, Options{Farm: generate.WeblogConfig{Rate: 500, Lines: 5000, Servers: 3}}, m); err != nil {
			t.Fatal(err)
		}
		keys := slices.Compact(slices.Sorted(slices.Values(m.keys)))
		if want := []string{"web-01", "web-02", "web-03"}; !slices.Equal(keys, want) {
			t.Errorf("keys %v, want %v", keys, want)
		}
	})
}

func TestOptionsAreChecked(t *testing.T) {
	for part, o := range map[string]Options{
		"speed -1":     {Speed: -1},
		"servers -3":   {Farm: generate.WeblogConfig{Servers: -3}},
		"shuffle 1.5s": {Farm: generate.WeblogConfig{Shuffle: 1500 * time.Millisecond}},
		"rate -1":      {Farm: generate.WeblogConfig{Rate: -1}},
		"canaries of":  {Farm: generate.WeblogConfig{Canaries: 1000, Lines: 100}},
	} {
		if err := o.Validate(); err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("%s: %v", part, err)
		}
	}
	if err := (Options{}).Validate(); err != nil {
		t.Error(err)
	}
}
