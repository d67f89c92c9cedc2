package sessions_test

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"millrace/transforms/sessions"
)

func touch(texts ...string) []byte {
	var views [][]byte
	for _, t := range texts {
		views = append(views, []byte(t))
	}
	return sessions.AppendTouch(nil, views...)
}

func TestTheTextsOfATouchComeBack(t *testing.T) {
	want := []string{"google", "", "spring\x00 sale"}
	if diff := cmp.Diff(want, sessions.Touch(touch(want...)).Texts()); diff != "" {
		t.Errorf("texts (-want +got):\n%s", diff)
	}
	for _, bad := range []sessions.Touch{"", "\x05abc", "\x80"} {
		if got := bad.Texts(); got != nil {
			t.Errorf("%q has the texts %q", bad, got)
		}
	}
}

func TestASessionTellsItsTouches(t *testing.T) {
	google, mail, direct := touch("google", "organic"), touch("mail", "email"), touch("(direct)", "(none)")
	for name, c := range map[string]struct {
		touches           [][]byte // of events a minute apart; nil is an internal one
		first, last, this []byte
	}{
		"one touch is all of them":                {[][]byte{google, nil, nil}, google, google, google},
		"what is direct yields":                   {[][]byte{direct, google, nil, mail, direct}, direct, mail, google},
		"where all is direct, the session is":     {[][]byte{direct, nil, direct}, direct, direct, direct},
		"an internal event tells nothing":         {[][]byte{nil, nil}, nil, nil, nil},
		"a touch in the middle is the first, too": {[][]byte{nil, mail, nil}, mail, mail, mail},
		"the last comes last":                     {[][]byte{google, mail}, google, mail, google},
		"the same again is the same":              {[][]byte{google, mail, google}, google, google, google},
	} {
		t.Run(name, func(t *testing.T) {
			for seed := range uint64(5) {
				var events []owned
				for i, b := range c.touches {
					events = append(events, owned{visitor: "v", Event: sessions.Event{
						Time: firstMidnight + int64(i)*minute, Touch: b, Direct: bytes.Equal(b, direct),
					}})
				}
				for _, opt := range []sessions.Options{{Attribution: true}, {Attribution: true, MaxDuration: 4 * time.Hour, MaxEvents: 2}} {
					s := sessionizer(t, opt, collect(t, rand.New(rand.NewPCG(seed, 1)), opt, events)).Sessions()[0]
					got := []sessions.Touch{s.FirstTouch, s.LastTouch, s.Touch}
					if diff := cmp.Diff([]sessions.Touch{sessions.Touch(c.first), sessions.Touch(c.last), sessions.Touch(c.this)}, got); diff != "" {
						t.Errorf("first, last and the session's (-want +got):\n%s", diff)
					}
				}
			}
		})
	}
}

func TestWithoutTheOptionNothingIsKept(t *testing.T) {
	events := randomEvents(rand.New(rand.NewPCG(1, 1)), 0)
	plain := collect(t, rand.New(rand.NewPCG(2, 2)), sessions.Options{}, events)
	for i := range events {
		events[i].Touch = nil
	}
	if diff := cmp.Diff(collect(t, rand.New(rand.NewPCG(2, 2)), sessions.Options{}, events), plain); diff != "" {
		t.Errorf("fragments (-without touches +with):\n%s", diff)
	}
}

func TestFragmentsWithAndWithoutTouchesMeet(t *testing.T) {
	with, without := sessions.Options{Attribution: true}, sessions.Options{}
	r := rand.New(rand.NewPCG(3, 3))
	events := randomEvents(r, 0)
	half := len(events) / 2
	blobs := append(collect(t, r, with, events[:half]), collect(t, r, without, events[half:])...)
	bare := append([]owned(nil), events...)
	for i := range bare[half:] {
		bare[half+i].Touch = nil
	}
	if diff := cmp.Diff(oracleAll(bare, with, revision), sessionizer(t, with, blobs).Sessions()); diff != "" {
		t.Errorf("with attribution (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(oracleAll(events, without, revision), sessionizer(t, without, blobs).Sessions()); diff != "" {
		t.Errorf("without (-want +got):\n%s", diff)
	}
}

func TestAnIndexForgetsAVisitorWhenTheDayEnds(t *testing.T) {
	opt := sessions.Options{Index: true}
	s, err := sessions.NewSessionizer(opt, nil)
	if err != nil {
		t.Fatal(err)
	}
	at := func(ms int64) [][]byte {
		return collect(t, rand.New(rand.NewPCG(1, 1)), opt, []owned{{visitor: "v", Event: sessions.Event{Time: firstMidnight + ms}}})
	}
	var state []byte
	var got []string
	for _, step := range []struct{ event, watermark int64 }{
		{hour, 2 * hour}, {3 * hour, 4 * hour}, {23*hour + 50*minute, 24*hour + 21*minute}, {25 * hour, 26 * hour}, {26 * hour, 49 * hour},
	} {
		u, err := s.Advance(state, at(step.event), firstMidnight+step.watermark)
		if err != nil {
			t.Fatal(err)
		}
		state = u.State
		for _, x := range u.Sealed {
			got = append(got, fmt.Sprint(x.Index, " after ", x.Previous))
		}
		if kept := len(state) > 0; kept != (step.watermark < 24*hour || step.watermark == 26*hour) {
			t.Errorf("at %d h the visitor is kept: %v, next at %d", step.watermark/hour, kept, u.Next)
		}
		if state == nil && u.Next != math.MaxInt64 {
			t.Errorf("next at %d without state", u.Next)
		}
	}
	id := func(ms int64) string { return sessions.ID("v", firstMidnight+ms) }
	want := []string{"1 after ", "2 after " + id(hour), "3 after " + id(3*hour), "1 after ", "2 after " + id(25*hour)}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("index and the one before (-want +got):\n%s", diff)
	}
}
