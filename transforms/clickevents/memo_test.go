package clickevents

import (
	"strconv"
	"strings"
	"testing"
)

// TestAMemoKnowsWhatItWasTold holds it against a map, past the point where it is full.
func TestAMemoKnowsWhatItWasTold(t *testing.T) {
	var m memo
	want := map[string]string{}
	for i := range maxMemo + 1000 {
		text := strings.Repeat("x", i%7) + strconv.Itoa(i)
		if m.find(text) != nil {
			t.Fatalf("%q is known before it came", text)
		}
		if len(want) == maxMemo {
			clear(want)
		}
		want[text] = "became " + strconv.Itoa(i*3)
		k := m.keep(text, []byte(want[text]))
		k.code, k.batch = uint32(i), 1
	}
	for text, became := range want {
		k := m.find(text)
		if k == nil || string(m.became(k)) != became || k.batch != 1 {
			t.Fatalf("%q became %v, want %q", text, k, became)
		}
	}
	if n := len(want); n != 1000 || len(m.known) != n {
		t.Errorf("%d are remembered, want %d", len(m.known), n)
	}
	if m.keep("", nil); m.find("") == nil || len(m.became(m.find(""))) != 0 {
		t.Error("the empty text is a text")
	}
	if m.keep(strings.Repeat("y", maxRepeated), nil) == nil || m.keep(strings.Repeat("z", maxRepeated+1), nil) != nil {
		t.Error("texts are remembered up to their greatest length")
	}
	if m.forget(); m.find("") != nil {
		t.Error("what was forgotten is known")
	}
}
