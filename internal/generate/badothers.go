package generate

import (
	"bytes"
	"strconv"
	"time"

	"millrace/schemas/badrow"
)

// otherBadKinds take turns in the layouts that are none of Apache's. Empty lines are
// no records there.
var otherBadKinds = []badKind{
	{"truncated", badrow.Truncated, func(f *Farm, b []byte) []byte {
		b = f.appendOther(b, f.product())
		return b[:bytes.Index(b, []byte("/product"))+5]
	}},
	{"garbage", badrow.Format, func(f *Farm, b []byte) []byte {
		return strconv.AppendUint(append(b, "??lost-"...), f.rng.uint64(), 36)
	}},
	{"bad_date", badrow.Timestamp, func(f *Farm, b []byte) []byte { return f.otherDate(b, "-13-41") }},
	{"nul_bytes", badrow.Format, func(f *Farm, b []byte) []byte {
		return append(b, make([]byte, f.rng.between(1, 300))...)
	}},
	{"bad_number", badrow.Number, func(f *Farm, b []byte) []byte {
		q := f.product()
		q.status = 987
		return bytes.Replace(f.appendOther(b, q), []byte("987"), []byte("9x7"), 1)
	}},
	{"invalid_utf8", badrow.Format, func(f *Farm, b []byte) []byte {
		return strconv.AppendUint(append(b, "caf\xe9\xff\xfe "...), f.rng.uint64(), 36)
	}},
	{"year_1970", badrow.TimeBounds, func(f *Farm, b []byte) []byte {
		line := f.appendOther(b, f.product())
		at := bytes.Index(line, f.dateOf())
		return append(append(append([]byte{}, line[:at]...), "1970"...), line[at+4:]...)
	}},
	{"over_long", badrow.TooLong, func(f *Farm, b []byte) []byte {
		for n := f.cfg.LongLine; n > 0; n-- {
			b = append(b, byte('A'+n%26))
		}
		return b
	}},
}

// product is a request that a malformed line can be made of.
func (f *Farm) product() *request {
	return &request{
		who: int32(f.rng.n(f.cfg.Visitors)), user: "-", addr: "203.0.113.77", agent: browsers[0],
		method: "GET", target: []byte("/product/1"), proto: "HTTP/1.1", status: 200, size: 5120,
	}
}

// otherDate is a line with another month and day.
func (f *Farm) otherDate(b []byte, monthAndDay string) []byte {
	date := f.dateOf()
	line := f.appendOther(b, f.product())
	return bytes.Replace(line, date, append(append([]byte{}, date[:4]...), monthAndDay...), 1)
}

// dateOf is the date of the running second, as the layouts write it.
func (f *Farm) dateOf() []byte {
	return time.Unix(f.now, 0).UTC().AppendFormat(nil, time.DateOnly)
}
