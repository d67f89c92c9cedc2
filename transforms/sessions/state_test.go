package sessions_test

import (
	"fmt"
	"testing"

	"millrace/transforms/sessions"
)

// TestTheStateOfOpenSessionsIsBounded keeps 100,000 sessions open: what one takes
// does not grow with its events, and is small.
func TestTheStateOfOpenSessionsIsBounded(t *testing.T) {
	const (
		open    = 100_000
		shards  = 64
		most    = 100 // bytes of an open session, before compression
		rounds  = 5
		between = minute
	)
	visitors := make([]sessions.Visitor, open)
	for i := range visitors {
		visitors[i] = sessions.VisitorOf(fmt.Sprintf("tok_visitor_k1_%032x", uint64(i)*0x9e3779b97f4a7c15))
	}
	c, err := sessions.NewCollector(sessions.Options{})
	if err != nil {
		t.Fatal(err)
	}
	s, err := sessions.NewSessionizer(sessions.Options{}, revision)
	if err != nil {
		t.Fatal(err)
	}
	state := map[int][]byte{}
	first := 0
	for round := range rounds {
		for i := range visitors {
			c.Add(visitors[i], &sessions.Event{
				Time: firstMidnight + 6*hour + int64(round)*between + int64(i%1000), Source: "0123456789abcdef0123456789abcdef",
				Position: int64(round*open+i) * 200, Page: true, Path: fmt.Appendf(nil, "/product/%d", (i+round)%5000),
			})
		}
		size := 0
		for _, p := range c.Flush(shards) {
			u, err := s.Advance(state[int(p.Shard)], [][]byte{p.Blob}, firstMidnight+6*hour+int64(round)*between)
			if err != nil {
				t.Fatal(err)
			}
			if len(u.Sealed) > 0 {
				t.Fatalf("%d sessions are sealed in round %d", len(u.Sealed), round)
			}
			state[int(p.Shard)] = u.State
			size += len(u.State)
		}
		if round == 1 { // before, each was one event
			first = size
			t.Logf("%d open sessions take %d bytes, %d each", open, size, size/open)
		}
		if round > 0 && size > first*5/4 || size > most*open {
			t.Errorf("round %d: %d bytes, %d for each open session; the second round had %d", round, size, size/open, first)
		}
	}
}
