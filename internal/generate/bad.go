package generate

import (
	"strconv"

	"millrace/schemas/badrow"
)

// badKind is a way in which a line is no log line.
type badKind struct {
	name   string
	reason badrow.Reason // what a reader should call it
	append func(f *Farm, dst []byte) []byte
}

// badKinds take turns. None contains a line end.
var badKinds = []badKind{
	{"truncated_quote", badrow.Truncated, func(f *Farm, b []byte) []byte {
		b = append(f.badHead(b, ""), ` "GET /product/`...)
		return strconv.AppendInt(b, int64(f.rng.n(products)), 10)
	}},
	{"garbage", badrow.Format, func(f *Farm, b []byte) []byte {
		b = append(b, "?? lost "...)
		b = strconv.AppendUint(b, f.rng.uint64(), 36)
		return append(b, " %% segment {} of <unknown>"...)
	}},
	{"tls_hello", badrow.Format, func(f *Farm, b []byte) []byte {
		b = append(b, "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"...)
		for range 32 {
			b = append(b, byte(f.rng.n(128)|0x80))
		}
		return append(b, "\x00\x20\x13\x02\x13\x03"...)
	}},
	{"bad_date", badrow.Timestamp, func(f *Farm, b []byte) []byte {
		dates := [...]string{"31/Feb/2025:10:00:00 +0000", "03/Mrz/2025:10:00:00 +0000", "2025-03-03T10:00:00Z", "03/Mar/2025:25:00:00 +0000", ""}
		return append(f.badHead(b, "["+dates[f.rng.n(len(dates))]+"]"), f.badTail("200", "1234")...)
	}},
	{"nul_bytes", badrow.Format, func(f *Farm, b []byte) []byte {
		return append(b, make([]byte, f.rng.between(1, 300))...)
	}},
	{"bad_number", badrow.Number, func(f *Farm, b []byte) []byte {
		b = f.badHead(b, "")
		if f.rng.oneIn(2) {
			return append(b, f.badTail("2x0", "1234")...)
		}
		return append(b, f.badTail("200", "12kB")...)
	}},
	{"invalid_utf8", badrow.Format, func(f *Farm, b []byte) []byte {
		b = append(b, "caf\xe9\xff\xfe "...)
		return strconv.AppendUint(b, f.rng.uint64(), 36)
	}},
	{"year_1970", badrow.TimeBounds, func(f *Farm, b []byte) []byte {
		return append(f.badHead(b, "[01/Jan/1970:00:00:00 +0000]"), f.badTail("200", "1234")...)
	}},
	{"empty", badrow.Format, func(_ *Farm, b []byte) []byte { return b }},
	{"truncated_head", badrow.Truncated, func(f *Farm, b []byte) []byte {
		b = f.badHead(b, "")
		return b[:len(b)-14]
	}},
	{"over_long", badrow.TooLong, func(f *Farm, b []byte) []byte {
		for n := f.cfg.LongLine; n > 0; n-- {
			b = append(b, byte('A'+n%26))
		}
		return b
	}},
}

// badHead is the beginning of a line with the given time field, or the right one.
func (f *Farm) badHead(b []byte, stamp string) []byte {
	q := request{who: int32(f.rng.n(f.cfg.Visitors)), user: "-"}
	b = f.appendHead(b, &q)
	if stamp != "" {
		return append(b, stamp...)
	}
	return append(b, f.stamp.text...)
}

func (f *Farm) badTail(status, size string) string {
	tail := ` "GET / HTTP/1.1" ` + status + " " + size
	if f.cfg.Format == Common {
		return tail
	}
	return tail + ` "-" "` + browsers[0] + `"`
}

// sendBad writes the next kind of malformed line.
func (f *Farm) sendBad(server int) {
	kinds := badKinds
	if !f.cfg.Format.apache() {
		kinds = otherBadKinds
	}
	kind := &kinds[f.badRound%len(kinds)]
	f.badRound++
	if kind.reason == badrow.TooLong {
		if f.longLeft == 0 {
			kind = &kinds[1]
		} else {
			f.longLeft--
		}
	}
	f.line = kind.append(f, f.line[:0])
	f.truth.bad(kind)
	f.pipe.send(f.now, f.delay(), server, f.line)
	f.written++
}
