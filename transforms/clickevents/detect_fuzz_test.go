package clickevents_test

import (
	"testing"

	"millrace/internal/mutate"
	"millrace/transforms/clickevents"
)

// FuzzDetect: a time comes with the format, and a line of an event is one behind any
// number of lines that are none.
func FuzzDetect(tf *testing.F) {
	f := mutate.Of(tf)
	f.Add([]byte(whole))
	f.Add([]byte("\n \r\n{\"v\":1}\nx"))
	f.Add([]byte("10.0.0.1 - - [x]"))
	f.Fuzz(func(t *testing.T, head []byte) {
		format, near := clickevents.Detect(head)
		if format != "" && format != clickevents.Format || format == "" && near != 0 {
			t.Fatalf("%q, %d", format, near)
		}
		if again, at := clickevents.Detect(append([]byte("# no event\n\n"), head...)); again != format || at != near {
			t.Fatalf("%q, %d behind other lines, %q, %d alone", again, at, format, near)
		}
	})
}
