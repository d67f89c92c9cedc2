package vectors_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"millrace/internal/vectors"
)

// merges is a session that two others leave when an event comes between them.
func merges(t *testing.T) vectors.LateMerge {
	t.Helper()
	cases, err := vectors.LateMerges()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range cases {
		if c.ID == "late-event-merges" {
			return c
		}
	}
	t.Fatal("no late-event-merges")
	return vectors.LateMerge{}
}

func TestWhatIsLeftIsWhatWasNotDeletedAsItWasWrittenLast(t *testing.T) {
	c := merges(t)
	var left []string
	for _, s := range c.Final() {
		left = append(left, s.ID)
		if s.Op != "" || s.Events != 3 || s.Duration != 3_000_000 {
			t.Errorf("%+v", s)
		}
	}
	if diff := cmp.Diff([]string{"e76bb9470882c64212292f0943cef9e3"}, left); diff != "" {
		t.Errorf("ids (-want +got):\n%s", diff)
	}
	if n := len(c.Emitted()); n != 4 {
		t.Errorf("%d changes", n)
	}
}

func TestEventsBecomeLinesInTheirBatches(t *testing.T) {
	c := merges(t)
	lines, err := c.Lines("192.0.2.1", "Agent/1")
	if err != nil {
		t.Fatal(err)
	}
	want := [][]string{
		{
			`192.0.2.1 - - [17/May/2025:10:05:03 +0000] "GET /a HTTP/1.1" 200 100 "-" "Agent/1"`,
			`192.0.2.1 - - [17/May/2025:10:55:03 +0000] "GET /c HTTP/1.1" 200 100 "-" "Agent/1"`,
		},
		{`192.0.2.1 - - [17/May/2025:10:30:03 +0000] "GET /b HTTP/1.1" 200 100 "-" "Agent/1"`},
	}
	if diff := cmp.Diff(want, lines); diff != "" {
		t.Errorf("lines (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]int64{1747477803000}, c.Horizons()); diff != "" {
		t.Errorf("horizons (-want +got):\n%s", diff)
	}
	if user, err := c.User(); user != "u1" || err != nil {
		t.Errorf("user %q, %v", user, err)
	}
}

func TestWhatCannotBeALineIsRefused(t *testing.T) {
	for _, e := range []vectors.SessionEvent{
		{ID: "x", Type: "click"}, {ID: "x", Type: "page", Campaign: "spring"}, {ID: "x", Type: "page", T: 1},
	} {
		if line, err := e.Line("192.0.2.1", "Agent/1"); err == nil || !strings.Contains(err.Error(), "event x") {
			t.Errorf("%+v is %q, %v", e, line, err)
		}
	}
}
