package clickevents

import (
	"strconv"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"millrace/schemas/badrow"
	"millrace/transforms/decode"
)

// earliest is 1995-01-01T00:00:00Z: an earlier time is a broken clock.
const earliest = 788_918_400_000

// stamps are the members that tell an event's time.
type stamps struct {
	Time     jsontext.Value `json:"time"`
	Sent     jsontext.Value `json:"sent_at"`
	Received jsontext.Value `json:"received_at"`
}

// read gives the event time, and the device's where it was corrected, else 0.
func (s *stamps) read() (ms, device, received int64, reason badrow.Reason) {
	ms, ok := readTime(s.Time)
	if !ok {
		return 0, 0, 0, badrow.Timestamp
	}
	sent, known, ok := optionalTime(s.Sent)
	if !ok {
		return 0, 0, 0, badrow.Timestamp
	}
	received, arrived, ok := optionalTime(s.Received)
	if !ok {
		return 0, 0, 0, badrow.Timestamp
	}
	if known && arrived && sent >= ms && received-sent != 0 {
		ms, device = received-(sent-ms), ms
	}
	if ms < earliest {
		return 0, 0, 0, badrow.TimeBounds
	}
	return ms, device, received, badrow.None
}

func optionalTime(v jsontext.Value) (ms int64, known, ok bool) {
	if len(v) == 0 || string(v) == "null" {
		return 0, false, true
	}
	ms, ok = readTime(v)
	return ms, ok, ok
}

// readTime reads ISO 8601 with an offset, cut to milliseconds, or Unix milliseconds.
func readTime(v jsontext.Value) (int64, bool) {
	if len(v) > 2 && v[0] == '"' {
		t, err := time.Parse(time.RFC3339, string(v[1:len(v)-1]))
		return t.UnixMilli(), err == nil && t.Year() <= lastYear
	}
	if len(v) == 0 || len(v) > 15 {
		return 0, false
	}
	ms, err := strconv.ParseInt(string(v), 10, 64)
	return ms, err == nil
}

// lastYear bounds times, so that differences of them cannot overflow.
const lastYear = 9999

// EventTime reads the event time of a raw line, in Unix milliseconds; sources use it
// for watermarks. Whenever Decode makes an event of the line, ok is true and ms is the
// event's time.
func EventTime(line []byte) (ms int64, ok bool) {
	var s stamps
	if err := json.Unmarshal(decode.TrimMark(line), &s); err != nil {
		return 0, false
	}
	ms, _, _, reason := s.read()
	return ms, reason == badrow.None
}
