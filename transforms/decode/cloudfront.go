package decode

import (
	"bytes"
	"errors"
	"strings"

	"millrace/schemas/badrow"
)

// cloudFrontFields are the fields of standard logs, in their order. Each
// generation of logs has the first so many of them.
const cloudFrontFields = "date time x-edge-location sc-bytes c-ip cs-method cs(Host) cs-uri-stem sc-status cs(Referer) cs(User-Agent) cs-uri-query cs(Cookie) " +
	"x-edge-result-type x-edge-request-id x-host-header cs-protocol cs-bytes time-taken x-forwarded-for ssl-protocol ssl-cipher x-edge-response-result-type " +
	"cs-protocol-version fle-status fle-encrypted-fields c-port time-to-first-byte x-edge-detailed-result-type sc-content-type sc-content-len sc-range-start sc-range-end"

var cloudFrontMeaning = map[string]field{
	"date": fieldDate, "time": fieldClock, "timestamp": fieldTime, "timestamp(ms)": fieldTime, "x-edge-location": fieldPlace, "sc-bytes": fieldBytes, "c-ip": fieldClient,
	"cs-method": fieldMethod, "x-host-header": fieldHost, "cs-uri-stem": fieldPath, "sc-status": fieldStatus, "cs(Referer)": fieldReferrer,
	"cs(User-Agent)": fieldAgent, "cs-uri-query": fieldQuery, "x-edge-result-type": fieldResult,
	"x-edge-request-id": fieldRequestID, "cs-bytes": fieldReceived, "time-taken": fieldSeconds, "x-forwarded-for": fieldForwarded,
	"ssl-protocol": fieldTLS, "ssl-cipher": fieldCipher, "cs-protocol-version": fieldProtocol,
}

// CloudFront reads the standard logs of Amazon CloudFront: tab separated, named
// by a #Fields line, the user agent percent-encoded. A row may be shorter than
// the header, as rows of older generations are, as long as it has a status.
type CloudFront struct {
	assembly
	names   string
	columns []field
	least   int // columns up to the last one that an event cannot do without
}

// NewCloudFront makes a decoder of rows with the named fields, separated by
// spaces; those of today when empty.
func NewCloudFront(fields string) (*CloudFront, error) {
	c := &CloudFront{names: fields}
	if fields == "" {
		c.names = cloudFrontFields
	}
	c.escapes = escapeURL
	for i, name := range strings.Fields(c.names) {
		f := cloudFrontMeaning[name]
		c.columns = append(c.columns, f)
		c.has[f] = true
		if f == fieldDate || f == fieldClock || f == fieldTime || f == fieldStatus || f == fieldMethod || f == fieldPath {
			c.least = i + 1
		}
	}
	if !c.has[fieldTime] && !(c.has[fieldDate] && c.has[fieldClock]) || !c.has[fieldStatus] {
		return nil, errors.New("reading log format cloudfront: its fields have no time or no status; give the names of the #Fields line, or none for those of today")
	}
	return c, nil
}

// cutFields returns the names of a #Fields line.
func cutFields(line []byte) (string, bool) {
	rest, ok := bytes.CutPrefix(line, []byte("#Fields:"))
	return strings.Join(strings.Fields(string(rest)), " "), ok
}

// Decode reads a row. A #Fields line in the middle must name the fields that the
// decoder knows, or the first of them, or more: with another order the rows after
// it would be misread, wherever a block begins.
func (c *CloudFront) Decode(line []byte, into *AccessLog) (bool, badrow.Reason) {
	skip, reason := c.fields(line)
	if skip || reason != badrow.None {
		return skip, reason
	}
	return false, c.finish(into)
}

// EventTime implements Decoder.
func (c *CloudFront) EventTime(line []byte) (int64, bool) { return c.clock(c.fields(line)) }

// fields finds the fields of a row.
func (c *CloudFront) fields(line []byte) (bool, badrow.Reason) {
	if len(line) == 0 {
		return true, badrow.None
	}
	if line[0] == '#' {
		if names, ok := cutFields(line); ok && !strings.HasPrefix(names+" ", c.names+" ") && !strings.HasPrefix(c.names+" ", names+" ") {
			return false, badrow.Format
		}
		return true, badrow.None
	}
	clear(c.raw[:])
	n, rest := 0, line
	for more := true; more && n < len(c.columns); n++ {
		var text []byte
		if tab := bytes.IndexByte(rest, '\t'); tab >= 0 {
			text, rest = rest[:tab], rest[tab+1:]
		} else {
			text, rest, more = rest, nil, false
		}
		if f := c.columns[n]; f != fieldNone {
			c.set(f, text)
		}
	}
	switch {
	case n < 2:
		return false, badrow.Format
	case n < c.least:
		return false, badrow.Truncated
	}
	return false, badrow.None
}

// Detail implements Decoder.
func (c *CloudFront) Detail() *Detail { return &c.detail }
