package sessions_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"

	"millrace/transforms/sessions"
)

func revision(day int64) int32 { return int32(day % 3) }

// collect folds events, cut at random into blocks, into the fragments of one
// shard, and returns them in random order.
func collect(t testing.TB, r *rand.Rand, opt sessions.Options, events []owned) [][]byte {
	t.Helper()
	var blobs [][]byte
	collectors := make([]*sessions.Collector, 3)
	flush := func(c *sessions.Collector) {
		for _, p := range c.Flush(1) {
			blobs = append(blobs, p.Blob)
		}
	}
	for i := range collectors {
		var err error
		if collectors[i], err = sessions.NewCollector(opt); err != nil {
			t.Fatal(err)
		}
	}
	for _, i := range r.Perm(len(events)) {
		c := collectors[r.IntN(len(collectors))]
		e := events[i].Event
		path := bytes.Clone(e.Path)
		e.Path = path
		touch := bytes.Clone(e.Touch)
		e.Touch = touch
		c.Add(sessions.VisitorOf(events[i].visitor), &e)
		clear(path) // the collector must not hold on to it
		clear(touch)
		if r.IntN(15) == 0 {
			flush(c)
		}
	}
	for _, c := range collectors {
		flush(c)
	}
	r.Shuffle(len(blobs), func(i, j int) { blobs[i], blobs[j] = blobs[j], blobs[i] })
	return blobs
}

func sessionizer(t testing.TB, opt sessions.Options, blobs [][]byte) *sessions.Sessionizer {
	t.Helper()
	s, err := sessions.NewSessionizer(opt, revision)
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range blobs {
		if err := s.Add(b); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

// eachOption runs a property under every combination of options, a few times
// each, with seeds of its own.
func eachOption(t *testing.T, times int, property func(t *testing.T, r *rand.Rand, opt sessions.Options)) {
	for i, opt := range allOptions() {
		for k := range times {
			seed := uint64(i*1000 + k)
			property(t, rand.New(rand.NewPCG(seed, 7)), opt)
			if t.Failed() {
				t.Fatalf("seed %d, options %+v", seed, opt)
			}
		}
	}
}

func TestSplitFollowsTheRulesToTheLetter(t *testing.T) {
	eachOption(t, 4, func(t *testing.T, r *rand.Rand, opt sessions.Options) {
		names, of := byVisitor(randomEvents(r, opt.Gap.Milliseconds()))
		for _, v := range names {
			got, err := sessions.Split(v, of[v], opt, revision)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(oracle(v, of[v], opt, revision), got); diff != "" {
				t.Errorf("sessions (-want +got):\n%s", diff)
			}
		}
	})
}

func TestFragmentsOfShuffledBlocksGiveTheSameSessions(t *testing.T) {
	eachOption(t, 4, func(t *testing.T, r *rand.Rand, opt sessions.Options) {
		events := randomEvents(r, opt.Gap.Milliseconds())
		got := sessionizer(t, opt, collect(t, r, opt, events)).Sessions()
		if diff := cmp.Diff(oracleAll(events, opt, revision), got); diff != "" {
			t.Errorf("sessions (-want +got):\n%s", diff)
		}
	})
}

func TestTheDayBeforeAndTheDayAfterDecideADay(t *testing.T) {
	eachOption(t, 3, func(t *testing.T, r *rand.Rand, opt sessions.Options) {
		if opt.NoMidnightBound {
			return
		}
		events := randomEvents(r, opt.Gap.Milliseconds())
		all := oracleAll(events, opt, revision)
		for d := firstMidnight / day; d < firstMidnight/day+6; d++ {
			var near []owned
			for _, e := range events {
				if e.Time >= (d-1)*day && e.Time < (d+2)*day {
					near = append(near, e)
				}
			}
			var want []sessions.Session
			for _, s := range all {
				if s.Start/day == d {
					want = append(want, s)
				}
			}
			got := sessionizer(t, opt, collect(t, r, opt, near)).SessionsOf(d)
			if diff := cmp.Diff(want, got); diff != "" && len(want)+len(got) > 0 {
				t.Errorf("sessions of day %d (-want +got):\n%s", d, diff)
			}
		}
	})
}

func TestASessionIsShorterThanTwoDays(t *testing.T) {
	longest := int64(0)
	eachOption(t, 1, func(t *testing.T, r *rand.Rand, opt sessions.Options) {
		if opt.NoMidnightBound {
			return
		}
		var events []owned
		at := firstMidnight + r.Int64N(day)
		for range 400 {
			events = append(events, owned{visitor: "crawler", Event: randomEvent(r, at)})
			at += 29 * minute
		}
		for _, s := range sessionizer(t, opt, collect(t, r, opt, events)).Sessions() {
			longest = max(longest, s.Duration())
		}
	})
	if longest >= 2*day || longest < day {
		t.Errorf("the longest session of a visitor who never rests takes %d ms, want one to two days", longest)
	}
}

func TestEqualEventsGiveEqualBytes(t *testing.T) {
	eachOption(t, 3, func(t *testing.T, r *rand.Rand, opt sessions.Options) {
		events := randomEvents(r, opt.Gap.Milliseconds())
		var want string
		again, err := sessions.NewCollector(opt)
		if err != nil {
			t.Fatal(err)
		}
		seen := map[string]*sessions.Seen{} // by visitors of again, whose numbers change with each flush
		for i := range 5 {
			c := again
			if i == 0 {
				if c, err = sessions.NewCollector(opt); err != nil {
					t.Fatal(err)
				}
			}
			for _, i := range r.Perm(len(events)) {
				e := &events[i]
				switch {
				case c != again || r.IntN(4) == 0:
					c.Add(sessions.VisitorOf(e.visitor), &e.Event)
					continue
				case seen[e.visitor] == nil:
					seen[e.visitor] = &sessions.Seen{}
				}
				c.AddSeen(seen[e.visitor], sessions.VisitorOf(e.visitor), &e.Event)
			}
			got := fmt.Sprintf("%x", c.Flush(4))
			if i%2 == 0 { // frees memory and nothing else
				c.Forget()
			}
			if want == "" {
				want = got
			}
			if got != want {
				t.Errorf("another order of events gave other bytes:\n%s\n%s", want, got)
			}
		}
	})
}

func TestAVisitorIsInOneShardAndAFragmentOnOneDay(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	c, err := sessions.NewCollector(sessions.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var events []owned
	for i := range 40 {
		for _, e := range randomEvents(r, 0) {
			e.visitor += fmt.Sprint(i)
			c.Add(sessions.VisitorOf(e.visitor), &e.Event)
			events = append(events, e)
		}
	}
	shards := map[int][][]byte{}
	previous := [2]int64{-1, -1}
	for _, p := range c.Flush(8) {
		if at := [2]int64{p.Day, int64(p.Shard)}; at[0] < previous[0] || at[0] == previous[0] && at[1] <= previous[1] {
			t.Errorf("part of day and shard %v after %v", at, previous)
		} else {
			previous = at
		}
		for _, s := range sessionizer(t, sessions.Options{}, [][]byte{p.Blob}).Sessions() {
			if s.Start/day != p.Day || s.End/day != p.Day {
				t.Errorf("part of day %d holds events of %d to %d", p.Day, s.Start, s.End)
			}
		}
		shards[p.Shard] = append(shards[p.Shard], p.Blob)
	}
	if len(shards) != 8 {
		t.Fatalf("%d shards, want 8", len(shards))
	}
	got := map[string]sessions.Session{}
	for _, blobs := range shards {
		for _, s := range sessionizer(t, sessions.Options{}, blobs).Sessions() {
			got[s.ID] = s
		}
	}
	want := map[string]sessions.Session{}
	for _, s := range oracleAll(events, sessions.Options{}, revision) {
		want[s.ID] = s
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("sessions of all shards (-want +got):\n%s", diff)
	}
}
