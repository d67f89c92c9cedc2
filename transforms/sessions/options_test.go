package sessions_test

import (
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"millrace/transforms/sessions"
)

func TestOptionsReportEverythingThatIsWrong(t *testing.T) {
	err := sessions.Options{
		Gap: 25 * time.Hour, MaxDuration: time.Microsecond, DayCutZone: "Europe/Nowhere", MaxEvents: -1,
	}.Validate()
	if err == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{"25h0m0s", "1µs", "Europe/Nowhere", "-1"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the error does not name %s: %v", want, err)
		}
	}
	if err := (sessions.Options{DayCutZone: "Local"}).Validate(); err == nil {
		t.Error("the zone of the machine is accepted")
	}
	if err := (sessions.Options{}).Validate(); err != nil {
		t.Errorf("the zero value: %v", err)
	}
}

func TestFragmentsOfOtherOptionsAreRefused(t *testing.T) {
	made := sessions.Options{Gap: time.Hour, MaxDuration: 2 * time.Hour, DayCutZone: "Europe/Berlin"}
	r := rand.New(rand.NewPCG(1, 1))
	blob := collect(t, r, made, randomEvents(r, 0))[0]
	for name, change := range map[string]func(*sessions.Options){
		"gap":    func(o *sessions.Options) { o.Gap = 2 * time.Hour },
		"detail": func(o *sessions.Options) { o.MaxDuration = 0 },
		"limit":  func(o *sessions.Options) { o.MaxEvents = 7 },
		"zone":   func(o *sessions.Options) { o.DayCutZone = "Europe/Paris" },
	} {
		opt := made
		change(&opt)
		s, err := sessions.NewSessionizer(opt, nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Add(blob); err == nil || !strings.Contains(err.Error(), "gap 3600000 ms") {
			t.Errorf("another %s: %v", name, err)
		}
	}
	// What does not shape fragments may change.
	s, err := sessions.NewSessionizer(sessions.Options{
		Gap: time.Hour, CampaignCut: true, DayCutZone: "Europe/Berlin", NoMidnightBound: true,
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Add(blob); err != nil {
		t.Error(err)
	}
}

func TestAddAllocatesNothingOnceGrown(t *testing.T) {
	visitors, of, events := traffic(5_000)
	c, err := sessions.NewCollector(sessions.Options{})
	if err != nil {
		t.Fatal(err)
	}
	add := func() {
		for i := range events {
			c.Add(visitors[of[i]], &events[i])
		}
	}
	add()
	c.Flush(64)
	add()
	if n := testing.AllocsPerRun(5, add); n > 0 {
		t.Errorf("%v allocations for %d events", n, len(events))
	}
}
