package decode

import "bytes"

// EventTime reads only the time of a raw line of any of the formats, in Unix
// milliseconds; sources use it for watermarks. It agrees with Parse: whenever
// Parse makes an event of the line, ok is true and ms is the event's Time. It can
// be true for lines that Parse refuses for something else, never for a time
// before 1995. The upper bound is the caller's, see CheckArrival.
func EventTime(line []byte) (ms int64, ok bool) {
	open := bytes.IndexByte(line, '[')
	if open < 0 {
		return 0, false
	}
	// The usual case, without a search for the end: text that reads as a time
	// holds no bracket, so findStamp would find the same.
	if end := open + 1 + stampLen; end+len(afterStamp) <= len(line) &&
		string(line[end:end+len(afterStamp)]) == afterStamp {
		if ms, ok = readStamp(line[open+1 : end]); ok {
			return ms, ms >= earliest
		}
	}
	open, end := findStamp(line)
	if end < 0 {
		return 0, false
	}
	ms, ok = readStamp(line[open+1 : end])
	return ms, ok && ms >= earliest
}

// EventTimeOf makes EventTime for lines of a format, the text of a Spec; lines of an
// unknown one are read like Apache's. One goroutine uses it.
func EventTimeOf(format string) func(line []byte) (ms int64, ok bool) {
	spec, err := ParseSpec(format)
	if err != nil || isApache(spec.Name) {
		return EventTime
	}
	d, err := spec.Open()
	if err != nil {
		return func([]byte) (int64, bool) { return 0, false }
	}
	return d.EventTime
}
