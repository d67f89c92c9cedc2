package driver

import "fmt"

// Parameter documents one parameter of an endpoint's URL. A test of the endpoint
// holds that the documented ones are those it reads.
type Parameter struct {
	Name    string
	Type    string // "text", "size", "duration", "integer", "boolean" or the values to choose from
	Default string // "" when there is none
	Source  bool   // read when the place is a source
	Sink    bool   // read when it is a lake or another sink
	Doc     string
}

// FormatBytes writes a size as URL.Bytes reads it: 64MiB.
func FormatBytes(n int64) string {
	for i, suffix := range []string{"GiB", "MiB", "KiB"} {
		if unit := int64(1) << (30 - 10*i); n >= unit && n%unit == 0 {
			return fmt.Sprint(n/unit, suffix)
		}
	}
	return fmt.Sprint(n)
}
