package sessions_test

import (
	"bytes"
	"math"
	"math/rand/v2"
	"slices"
	"sort"
	"testing"

	"github.com/google/go-cmp/cmp"

	"millrace/transforms/sessions"
)

// sink is a table of upserts by id, where the greater version wins.
type sink struct {
	t        *testing.T
	rows     map[string]sessions.Session
	versions map[string]int64
}

func (k *sink) apply(u sessions.Update) {
	for _, s := range slices.Concat(u.Provisional, u.Sealed) {
		if s.Version < k.versions[s.ID] {
			k.t.Errorf("session %s: version %d after %d", s.ID, s.Version, k.versions[s.ID])
		}
		k.rows[s.ID], k.versions[s.ID] = s, s.Version
	}
	for _, w := range u.Withdrawn {
		if _, ok := k.rows[w.ID]; !ok {
			k.t.Errorf("session %s is withdrawn and was never written", w.ID)
		}
		if w.Version <= k.versions[w.ID] {
			k.t.Errorf("session %s: withdrawn with version %d, written with %d", w.ID, w.Version, k.versions[w.ID])
		}
		delete(k.rows, w.ID)
		k.versions[w.ID] = w.Version
	}
}

func (k *sink) sorted() []sessions.Session {
	var out []sessions.Session
	for _, s := range k.rows {
		out = append(out, s)
	}
	sortSessions(out)
	return out
}

func sortSessions(s []sessions.Session) {
	sort.Slice(s, func(i, j int) bool {
		if s[i].Visitor != s[j].Visitor {
			return s[i].Visitor < s[j].Visitor
		}
		return s[i].Start < s[j].Start
	})
}

func TestLiveSealsWhatBatchFinds(t *testing.T) {
	withdrawn := map[bool]int{}
	eachOption(t, 8, func(t *testing.T, r *rand.Rand, opt sessions.Options) {
		events := randomEvents(r, opt.Gap.Milliseconds())
		want, ids := oracleAll(events, opt, revision), map[string]bool{}
		for _, s := range want {
			ids[s.ID] = true
		}
		opt.Settled = r.IntN(2) == 0
		s, err := sessions.NewSessionizer(opt, revision)
		if err != nil {
			t.Fatal(err)
		}
		disorder := []int64{minute, hour, 20 * hour}[r.IntN(3)]
		arrival := arrivals(r, events, disorder)
		var (
			state  []byte
			sealed []sessions.Session
			last   = int64(math.MinInt64)
			out    = sink{t: t, rows: map[string]sessions.Session{}, versions: map[string]int64{}}
		)
		for from := 0; from <= len(arrival); {
			to := min(from+1+r.IntN(20), len(arrival))
			watermark := int64(math.MaxInt64)
			for _, e := range arrival[to:] {
				watermark = min(watermark, e.Time)
			}
			u, err := s.Advance(state, collect(t, r, opt, arrival[from:to]), watermark)
			if err != nil {
				t.Fatal(err)
			}
			if state = u.State; (state == nil) != (u.Next == math.MaxInt64) {
				t.Errorf("%d bytes of state, next at %d", len(state), u.Next)
			}
			if state != nil {
				checkNext(t, s, u, watermark, opt.Settled)
			}
			out.apply(u)
			withdrawn[opt.Settled] += len(u.Withdrawn)
			for _, p := range u.Provisional {
				if opt.Settled && !ids[p.ID] {
					t.Errorf("session %s from %d is written at %d and will be none", p.ID, p.Start, watermark)
				}
			}
			sealed = append(sealed, u.Sealed...)
			if len(u.Closed) != len(u.Sealed) {
				t.Fatalf("%d times for %d sealed sessions", len(u.Closed), len(u.Sealed))
			}
			for i, closed := range u.Closed {
				// So it does not depend on where the steps lie.
				if closed > watermark || closed <= last {
					t.Errorf("session %s closed at %d, in the step from watermark %d to %d", u.Sealed[i].ID, closed, last, watermark)
				}
			}
			last = watermark
			if from = to; from == len(arrival) {
				break
			}
		}
		if state != nil {
			t.Errorf("%d bytes of state after the last watermark", len(state))
		}
		sortSessions(sealed)
		if diff := cmp.Diff(want, sealed); diff != "" {
			t.Errorf("sealed (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff(want, out.sorted()); diff != "" {
			t.Errorf("rows that remain (-want +got):\n%s", diff)
		}
	})
	if withdrawn[false] < 100 || withdrawn[true] > 0 {
		t.Errorf("%d sessions withdrawn, %d with settled starts", withdrawn[false], withdrawn[true])
	}
}

// checkNext holds that nothing happens before Next, and something then: what a midnight
// cuts off is written later, where starts are to be settled.
func checkNext(t *testing.T, s *sessions.Sessionizer, u sessions.Update, watermark int64, settled bool) {
	t.Helper()
	if u.Next <= watermark {
		t.Errorf("next at %d, the watermark is %d", u.Next, watermark)
	}
	for at, happens := range map[int64]bool{u.Next - 1: false, u.Next: true} {
		v, err := s.Advance(u.State, nil, at)
		if err != nil {
			t.Fatal(err)
		}
		rows := len(v.Sealed) + len(v.Provisional) + len(v.Withdrawn)
		forgets := happens && !bytes.Equal(v.State, u.State) // a visitor of an index
		if settled && u.Next%day == 0 && happens {
			continue
		}
		if (rows > 0 || forgets) != happens {
			t.Errorf("%d rows at %d, next was to be at %d", rows, at, u.Next)
		}
	}
}

// arrivals orders events by time with a bounded disorder.
func arrivals(r *rand.Rand, events []owned, disorder int64) []owned {
	type timed struct {
		at int64
		owned
	}
	list := make([]timed, len(events))
	for i, e := range events {
		list[i] = timed{e.Time + r.Int64N(disorder), e}
	}
	slices.SortStableFunc(list, func(a, b timed) int { return int(a.at - b.at) })
	out := make([]owned, len(list))
	for i := range list {
		out[i] = list[i].owned
	}
	return out
}

func TestStateIsBoundedForAVisitorWhoNeverRests(t *testing.T) {
	opt := sessions.Options{CampaignCut: true, MaxEvents: 100}
	s, err := sessions.NewSessionizer(opt, nil)
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(3, 3))
	var state []byte
	largest, sealed := 0, 0
	for at := firstMidnight; at < firstMidnight+10*day; at += hour {
		var events []owned
		for k := range int64(60) {
			events = append(events, owned{visitor: "crawler", Event: randomEvent(r, at+k*minute)})
		}
		u, err := s.Advance(state, collect(t, r, opt, events), at+hour)
		if err != nil {
			t.Fatal(err)
		}
		state = u.State
		largest = max(largest, len(state))
		sealed += len(u.Sealed)
	}
	if largest > 8_000 || sealed == 0 {
		t.Errorf("up to %d bytes of state, %d sessions sealed", largest, sealed)
	}
}

func TestAdvanceWithoutNewsWritesNothingAgain(t *testing.T) {
	s, err := sessions.NewSessionizer(sessions.Options{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(4, 4))
	first, err := s.Advance(nil, collect(t, r, sessions.Options{}, randomEvents(r, 0)), firstMidnight)
	if err != nil {
		t.Fatal(err)
	}
	again, err := s.Advance(first.State, nil, firstMidnight)
	if err != nil {
		t.Fatal(err)
	}
	want := sessions.Update{State: first.State, Next: first.Next}
	if diff := cmp.Diff(want, again); diff != "" {
		t.Errorf("second update (-want +got):\n%s", diff)
	}
}
