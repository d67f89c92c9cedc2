package sessions_test

import (
	"fmt"
	"testing"

	"millrace/transforms/sessions"
)

// TestAHotVisitorIsCountedInFullAndExaminedUpToTheCap: a bot of 60,000 requests in
// one chain, with a campaign in the middle and one behind the cap.
func TestAHotVisitorIsCountedInFullAndExaminedUpToTheCap(t *testing.T) {
	const events, within, behind = 60_000, 30_000, 55_000
	for name, c := range map[string]struct {
		opt       sessions.Options
		sessions  []int64 // events of each
		truncated []bool
		largest   int // bytes of state
	}{
		"without detail": {sessions.Options{Attribution: true}, []int64{events}, []bool{true}, 500},
		"with detail": {
			sessions.Options{Attribution: true, CampaignCut: true},
			[]int64{within, events - within},
			[]bool{false, true},
			10 * 50_000,
		},
	} {
		t.Run(name, func(t *testing.T) {
			collector, err := sessions.NewCollector(c.opt)
			if err != nil {
				t.Fatal(err)
			}
			s, err := sessions.NewSessionizer(c.opt, nil)
			if err != nil {
				t.Fatal(err)
			}
			var state []byte
			visitor := sessions.VisitorOf("bot")
			for i := range int64(events) {
				e := sessions.Event{Time: firstMidnight + i*second, Position: i, Page: true, Path: fmt.Appendf(nil, "/%d", i%100), Bot: true}
				if i == within || i == behind {
					e.Campaign = fmt.Append(nil, "campaign ", i)
				}
				if i == events-1 {
					e.Touch = touch("late", "but seen")
				}
				collector.Add(visitor, &e)
				if i%20_000 != 19_999 {
					continue
				}
				for _, p := range collector.Flush(1) {
					u, err := s.Advance(state, [][]byte{p.Blob}, firstMidnight)
					if err != nil {
						t.Fatal(err)
					}
					if state = u.State; len(state) > c.largest {
						t.Errorf("%d bytes of state after %d events", len(state), i+1)
					}
				}
			}
			u, err := s.Advance(state, nil, firstMidnight+2*day)
			if err != nil {
				t.Fatal(err)
			}
			if len(u.Sealed) != len(c.sessions) {
				t.Fatalf("%d sessions", len(u.Sealed))
			}
			for i, x := range u.Sealed {
				if x.Events != c.sessions[i] || x.Pages != x.Events || x.Truncated != c.truncated[i] || x.Version != events {
					t.Errorf("session %d: %+v", i, x)
				}
			}
			if last := u.Sealed[len(u.Sealed)-1]; last.Exit != "/99" || last.LastTouch != sessions.Touch(touch("late", "but seen")) {
				t.Errorf("the last session ends at %s, by %q", last.Exit, last.LastTouch)
			}
		})
	}
}
