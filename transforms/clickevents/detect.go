package clickevents

import (
	"bytes"

	"millrace/transforms/decode"
)

// Format is the name of the format.
const Format = "clickstream"

// Detect tells by the first bytes of an input whether it holds events, and the time of
// the first one that has one; "" and 0 when not.
func Detect(head []byte) (format string, near int64) {
	for line := range bytes.Lines(decode.TrimMark(head)) {
		line = bytes.TrimSpace(line)
		if len(line) > 0 && line[0] == '{' {
			format = Format
		}
		if ms, ok := EventTime(line); ok {
			return Format, ms
		}
	}
	return format, 0
}
