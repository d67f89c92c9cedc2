package decode

import (
	"bytes"

	"millrace/schemas/badrow"
)

// albColumns are the fields of an application load balancer's log, up to the
// last one that is read. What follows is tolerated, and so are longer rows.
var albColumns = [...]field{
	fieldNone, fieldTime, fieldPlace, fieldClient, fieldNone, fieldNone, fieldNone, fieldNone, fieldStatus, fieldTarget, fieldReceived, fieldBytes,
	fieldRequest, fieldAgent, fieldCipher, fieldTLS, fieldNone, fieldRequestID, fieldNone, fieldNone, fieldNone, fieldNone, fieldResult,
}

// classicColumns are those of a classic load balancer.
var classicColumns = [...]field{
	fieldTime, fieldPlace, fieldClient, fieldNone, fieldNone, fieldNone, fieldNone, fieldStatus, fieldTarget, fieldReceived, fieldBytes,
	fieldRequest, fieldAgent, fieldCipher, fieldTLS,
}

// Columns that hold how long each part took, in seconds.
const albTimes, classicTimes = 5, 4

// ALB reads the access logs of application load balancers, and of classic ones,
// which begin with the time: separated by spaces, some fields quoted. A request
// may have spaces; an extra field is not read, but must close.
type ALB struct {
	assembly
	took [3][]byte
}

// NewALB makes a decoder.
func NewALB() *ALB {
	a := &ALB{}
	a.escapes, a.has[fieldAgent] = escapeSlash, true
	return a
}

// Decode reads a line.
func (a *ALB) Decode(line []byte, into *AccessLog) (bool, badrow.Reason) {
	skip, reason := a.fields(line)
	if skip || reason != badrow.None {
		return skip, reason
	}
	if id := a.raw[fieldRequestID]; id != nil {
		a.raw[fieldRequestID] = traceRoot(id)
	}
	if reason = a.finish(into); reason == badrow.None {
		a.detail.Took = sumTimes(a.took)
	}
	return false, reason
}

// EventTime implements Decoder.
func (a *ALB) EventTime(line []byte) (int64, bool) { return a.clock(a.fields(line)) }

// fields finds the fields of a line.
func (a *ALB) fields(line []byte) (bool, badrow.Reason) {
	if len(line) == 0 {
		return true, badrow.None
	}
	clear(a.raw[:])
	columns, times := albColumns[:], albTimes
	if line[0]-'0' <= 9 {
		columns, times = classicColumns[:], classicTimes
	}
	n, rest := 0, line
	for len(rest) > 0 {
		var text []byte
		if rest[0] == '"' {
			size := quoted(rest[1:])
			if size < 0 {
				return false, badrow.Truncated
			}
			text, rest = rest[1:1+size], rest[size+2:]
		} else {
			size := bytes.IndexByte(rest, ' ')
			if size < 0 {
				size = len(rest)
			}
			text, rest = rest[:size], rest[size:]
		}
		if len(rest) > 0 {
			if rest[0] != ' ' {
				return false, badrow.Format
			}
			rest = rest[1:]
		}
		if n < len(columns) {
			if f := columns[n]; f != fieldNone {
				a.set(f, text)
			} else if n >= times && n < times+3 {
				a.took[n-times] = text
			}
		}
		n++
	}
	switch {
	case n < 3:
		return false, badrow.Format
	case n < times+8: // up to the request
		return false, badrow.Truncated
	}
	// The client always has a port here, IPv6 without brackets.
	if c := a.raw[fieldClient]; len(c) > 0 {
		if colon := bytes.LastIndexByte(c, ':'); colon > 0 {
			if _, ok := number(c[colon+1:]); ok {
				a.raw[fieldClient] = bytes.Trim(c[:colon], "[]")
			}
		}
	}
	return false, badrow.None
}

// traceRoot is the root of a trace id, "Root=1-67891233-abcdef012345678912345678". The
// rest of the header is the client's, who can write there what he pleases.
func traceRoot(id []byte) []byte {
	const name = "Root="
	at := bytes.Index(id, []byte(name))
	if at < 0 {
		return nil
	}
	end := at + len(name)
	for end < len(id) && (id[end] == '-' || unhex(id[end]) <= 15) {
		end++
	}
	if end-at > len(name)+40 {
		return nil
	}
	return id[at:end]
}

// sumTimes adds up the parts of a duration; -1 when one is unknown.
func sumTimes(parts [3][]byte) (us int64) {
	for _, p := range parts {
		n, ok := micros(p, 6)
		if !ok {
			return -1
		}
		us += n
	}
	return us
}

// Detail implements Decoder.
func (a *ALB) Detail() *Detail { return &a.detail }
