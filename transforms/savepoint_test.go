package transforms

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"millrace/transforms/rollup"
	"millrace/transforms/sessions"
)

// TestPackedBlobsOfSavepointsStayReadable holds the form in which fragments and
// partial aggregates wait in state.
func TestPackedBlobsOfSavepointsStayReadable(t *testing.T) {
	const first = "h\x05\x10hello" // here: s2
	if got, err := unpack([]byte(first)); err != nil || string(got) != "hello" {
		t.Errorf("read as %q, %v", got, err)
	}
	if got, err := (&packer{}).pack([]byte("hello")); err != nil || string(got) != first {
		t.Errorf("written as %q, %v; give a new form a letter of its own", got, err)
	}
	if _, err := unpack([]byte("z\x05\x10hello")); !errors.Is(err, errPacked) || !strings.Contains(err.Error(), "version of the program") {
		t.Errorf("a later form: %v", err)
	}
}

// TestKeysOfSavepointsAreFoundAgain holds the keys that state lies under. Under
// another, what a savepoint holds of a visitor or of a span of time would not be
// put together with what comes.
func TestKeysOfSavepointsAreFoundAgain(t *testing.T) {
	var shards []int
	for _, id := range []string{"", "tok_visitor_0", "tok_visitor_1"} {
		shards = append(shards, sessions.VisitorOf(id).Shard(LiveShards))
	}
	if diff := cmp.Diff([]int{9, 10, 5}, shards); diff != "" {
		t.Errorf("shards of visitors (-want +got):\n%s", diff)
	}
	r, err := newRollups(10, 10, true)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"bots", "clients", "sources", "top_pages", "traffic", "visitors"}, slices.Sorted(maps.Keys(r.tables()))); diff != "" {
		t.Errorf("tables of partial aggregates (-want +got):\n%s", diff)
	}
	r.minutes = rollup.NewMinutes()
	if _, there := r.tables()["minutes"]; !there {
		t.Error("there is no table minutes")
	}
	if got := alertKey("rule", "path=/a,b"); got != "rule\x00path=/a,b" {
		t.Errorf("an alert's key is %q", got)
	}
	if got := alertKey("traffic", ""); got != "traffic\x00" {
		t.Errorf("a board's key is %q", got)
	}
	// What follows the table in a key is held with the parts, in rollup's
	// testdata/encoding_v1.txt.
}
