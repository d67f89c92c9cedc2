package device_test

import (
	"testing"

	"millrace/internal/mutate"
	"millrace/transforms/device"
)

// FuzzInspect: the format that a file is found to have can be written, read again and
// opened, and the file has it still.
func FuzzInspect(tf *testing.F) {
	f := mutate.Of(tf)
	f.Add([]byte("{\"event_time\":\"2026-03-01T10:00:00Z\",\"device_id\":\"m1\",\"code\":\"x\",\"value\":1}\n"), "")
	f.Add([]byte("timestamp,value\n2013-07-04 00:00:00,69.88\n"), "csv time=timestamp device:=r code:=t zone:=Z")
	f.Add([]byte("{\"resourceType\":\"Observation\"}\n"), "")
	f.Add([]byte("\"a\"\"b\",c|d\n1,2\n"), "csv device=c")
	f.Fuzz(func(t *testing.T, head []byte, text string) {
		given, err := device.ParseSpec(text)
		if err != nil {
			return
		}
		s, near, _, err := device.Inspect(head, given)
		if err != nil {
			return
		}
		again, err := device.ParseSpec(s.String())
		if err != nil || again.String() != s.String() {
			t.Fatalf("%q is read as %q, %v", s, again, err)
		}
		found, at, _, err := device.Inspect(head, again)
		if err != nil || found.String() != s.String() || at != near {
			t.Fatalf("%q with %d; inspected again %q with %d, %v", s, near, found, at, err)
		}
		if d, err := s.Open(); err == nil {
			var r device.Record
			d.Decode(head, &r)
		}
	})
}
