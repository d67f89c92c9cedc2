package sessions_test

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"millrace/internal/mutate"
	"millrace/transforms/sessions"
)

var fuzzOptions = []sessions.Options{
	{},
	{MaxDuration: time.Hour, CampaignCut: true, MaxEvents: 3, DayCutZone: "Europe/Berlin"},
	{Attribution: true, Index: true},
	{Attribution: true, CampaignCut: true, MaxEvents: 3},
}

// FuzzFragments holds that bytes nobody wrote give an error or sessions, and
// never a panic, and that sessions found in them are sound.
func FuzzFragments(tf *testing.F) {
	f := mutate.Of(tf)
	for i, opt := range fuzzOptions {
		r := rand.New(rand.NewPCG(9, uint64(i)))
		for _, b := range collect(f, r, opt, randomEvents(r, 0))[:2] {
			f.Add(b, uint8(i))
		}
	}
	f.Fuzz(func(t *testing.T, blob []byte, which uint8) {
		opt := fuzzOptions[int(which)%len(fuzzOptions)]
		s, err := sessions.NewSessionizer(opt, nil)
		if err != nil {
			t.Fatal(err)
		}
		if s.Add(blob) != nil {
			return
		}
		list := s.Sessions()
		for _, x := range list {
			if x.Events < 1 || x.Pages > x.Events || x.End < x.Start || x.Version < x.Events {
				t.Errorf("unsound session %+v", x)
			}
		}
		u, err := s.Advance(nil, [][]byte{blob}, math.MaxInt64)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(list, u.Sealed, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("sealed (-batch +live):\n%s", diff)
		}
	})
}

// FuzzState holds that state is read, or refused, and what is read comes out
// the same again.
func FuzzState(tf *testing.F) {
	f := mutate.Of(tf)
	for i, opt := range fuzzOptions {
		r := rand.New(rand.NewPCG(10, uint64(i)))
		s, err := sessions.NewSessionizer(opt, nil)
		if err != nil {
			f.Fatal(err)
		}
		u, err := s.Advance(nil, collect(f, r, opt, randomEvents(r, 0)), firstMidnight)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(u.State, uint8(i))
	}
	f.Fuzz(func(t *testing.T, state []byte, which uint8) {
		s, err := sessions.NewSessionizer(fuzzOptions[int(which)%len(fuzzOptions)], nil)
		if err != nil {
			t.Fatal(err)
		}
		first, err := s.Advance(state, nil, math.MinInt64)
		if err != nil {
			return
		}
		second, err := s.Advance(first.State, nil, math.MinInt64)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(sessions.Update{State: first.State, Next: first.Next}, second); diff != "" {
			t.Errorf("a second time (-want +got):\n%s", diff)
		}
	})
}
