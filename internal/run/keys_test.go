package run

import (
	"strings"
	"testing"

	"millrace/internal/maskkey"
)

func ring(t *testing.T, ids ...string) maskkey.Ring {
	t.Helper()
	var keys []maskkey.Key
	for _, id := range ids {
		id, other, _ := strings.Cut(id, "/")
		k, err := maskkey.New(id, [32]byte{id[1], 1 + byte(len(other))})
		if err != nil {
			t.Fatal(err)
		}
		keys = append(keys, k)
	}
	r, err := maskkey.NewRing(keys[0], keys[1:]...)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestALakeGoesOnWithANewKeyThatComesWithTheOld, and with no other. "k1/x" is another
// key of the same id.
func TestALakeGoesOnWithANewKeyThatComesWithTheOld(t *testing.T) {
	for _, c := range []struct {
		lake, given []string
		want        string // in the error; none when empty
	}{
		{nil, []string{"k1"}, ""},
		{[]string{"k1"}, []string{"k1"}, ""},
		{[]string{"k1"}, []string{"k2", "k1"}, ""},
		{[]string{"k1", "k2"}, []string{"k3", "k2"}, ""},
		{[]string{"k1", "k2"}, []string{"k2"}, ""},
		{[]string{"k1"}, []string{"k2"}, "masked with key k1, not with k2"},
		{[]string{"k1", "k2"}, []string{"k3", "k1"}, "masked with key k1, k2, not with k3"},
		{[]string{"k1", "k2"}, []string{"k1", "k2"}, "gone on from key k1 to key k2"},
		{[]string{"k1"}, []string{"k1/x"}, "also called k1"},
		{[]string{"k1"}, []string{"k2", "k1/x"}, "also called k1"},
		{[]string{"k1", "k2"}, []string{"k2", "k1/x"}, "also called k1"},
	} {
		var known lakeKeys
		for _, id := range c.lake {
			k := ring(t, id).Active()
			known.Keys = append(known.Keys, lakeKey{k.ID(), k.Check()})
		}
		err := checkRing("web", known, ring(t, c.given...))
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("lake %v, given %v: %v", c.lake, c.given, err)
		}
	}
}
