package maskkey

import (
	"strings"
	"testing"

	"millrace/internal/mutate"
)

// FuzzParse reads any bytes as keys: what is accepted has an id that tokens can have,
// and an error tells nothing of the content.
func FuzzParse(tf *testing.F) {
	f := mutate.Of(tf)
	f.Add([]byte("k1:" + hexOne + "\nk2:" + hexTwo))
	f.Add([]byte(hexOne[:62]))
	// What an error says of the forms of a key is no quote.
	ownWords := cure
	for _, content := range []string{"x", hexOne[:62], "k1:x", "K1:" + hexOne, strings.Repeat("0", 2*Size), "#"} {
		if _, err := Parse([]byte(content)); err != nil {
			ownWords += "\n" + err.Error()
		}
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		ring, err := Parse(content)
		if err != nil {
			for i := 0; i+16 <= len(content); i++ {
				if part := string(content[i : i+16]); strings.Contains(err.Error(), part) && !strings.Contains(ownWords, part) {
					t.Fatalf("%v quotes %q", err, part)
				}
			}
			return
		}
		key := ring.Active()
		if found, ok := ring.Lookup(key.ID()); !ok || found.Secret() != key.Secret() {
			t.Fatalf("key %s is not found by its id", key.ID())
		}
		if key.Secret() == [Size]byte{} {
			t.Fatal("a key of zeros")
		}
		for _, other := range ring.Older() {
			if other.ID() == key.ID() {
				t.Fatalf("two keys are %s", key.ID())
			}
		}
	})
}
