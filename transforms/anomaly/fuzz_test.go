package anomaly_test

import (
	"math/rand/v2"
	"testing"

	"millrace/internal/mutate"
	"millrace/transforms/anomaly"
)

// Whatever the bytes are: an error, or a detector that works and is encoded as
// the same bytes.
func FuzzDecode(tf *testing.F) {
	f := mutate.Of(tf)
	for _, n := range []int{0, 1, 149, 150, 400, 3000} {
		for i, o := range []anomaly.Options{{}, {Shapes: true}} {
			d := anomaly.New(o)
			feed(d, random(rand.New(rand.NewPCG(uint64(n), 1)), n))
			if n < 1000 {
				f.Add(d.AppendEncoded(nil), i == 1)
			}
		}
	}
	more := random(rand.New(rand.NewPCG(1, 1)), 300)
	f.Fuzz(func(t *testing.T, b []byte, shapes bool) {
		o := anomaly.Options{Shapes: shapes}
		d, err := anomaly.Decode(b, o)
		if err != nil {
			return
		}
		if again := d.AppendEncoded(nil); string(again) != string(b) {
			t.Fatalf("%x is encoded as %x", b, again)
		}
		for _, r := range feed(d, more) {
			if !(r.Strangeness >= 0 && r.Strangeness <= 1) {
				t.Fatalf("%+v", r)
			}
		}
		if _, err := anomaly.Decode(d.AppendEncoded(nil), o); err != nil {
			t.Fatalf("what a decoded detector becomes is no state: %v", err)
		}
	})
}
