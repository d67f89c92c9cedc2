package endpoint

import (
	"encoding/json"
	"testing"

	"millrace/internal/mutate"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// FuzzMessages reads any bytes as what lies in state and crosses shuffles: the parts of
// a roll, and a split that is to be read.
func FuzzMessages(tf *testing.F) {
	f := mutate.Of(tf)
	f.Add([]byte(`{"part":{"roll":"r","ledger":{"in":2,"events":2},"close":{"Records":2}}}`))
	f.Add([]byte(`{"name":"a","source":"s","start":0,"end":-1,"length":5}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		const roll = "r"
		part, segments, err := gather(roll, [][]byte{text, text})
		if err == nil {
			m, err := readMessage(text)
			if err != nil {
				t.Fatal(err)
			}
			if part.Roll != roll || m.Part != nil && m.Part.Roll != roll {
				t.Fatalf("a part of roll %q is gathered", m.Part.Roll)
			}
			if m.Part != nil && part.Ledger.In != 2*m.Part.Ledger.In || m.Segment != nil && len(segments) != 2 {
				t.Fatalf("%+v and %d segments of %s, twice", part, len(segments), text)
			}
			newRollFn(LiveLake{}).whole(part, segments)
		}
		split, err := decodeSplit(text)
		if err != nil {
			return
		}
		written, err := json.Marshal(split)
		if err != nil {
			t.Fatal(err)
		}
		again, err := decodeSplit(written)
		if diff := cmp.Diff(split, again, cmpopts.EquateEmpty()); err != nil || diff != "" {
			t.Fatalf("%s is read otherwise, %v (-before +after):\n%s", written, err, diff)
		}
	})
}
