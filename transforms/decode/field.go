package decode

import (
	"bytes"
	"net/netip"

	"millrace/schemas/badrow"
	"millrace/schemas/pii"
)

// field is what a place in a line means.
type field uint8

// The fields. Several may say the same in different ways; a log has one of them.
const (
	fieldNone      field = iota
	fieldTime            // a time in any way that readAnyTime knows
	fieldDate            // yyyy-mm-dd
	fieldClock           // HH:MM:SS, with fieldDate
	fieldClient          // address or host, perhaps with a port
	fieldUser            //
	fieldHost            // server name
	fieldMethod          //
	fieldURL             // path, or absolute URL, with query
	fieldPath            // path without query
	fieldQuery           // query, with fieldPath
	fieldProtocol        // HTTP/1.1
	fieldRequest         // METHOD URL PROTOCOL
	fieldStatus          //
	fieldBytes           //
	fieldReferrer        //
	fieldAgent           //
	fieldForwarded       //
	fieldSeconds         // duration in seconds, with a fraction
	fieldMillis          // duration in milliseconds
	fieldReceived        //
	fieldRequestID       //
	fieldResult          //
	fieldPlace           //
	fieldTLS             //
	fieldCipher          //
	fieldTarget          // status of what stands behind; of several the last
	numFields
)

// ecsFields are the names by which mappings call the fields.
var ecsFields = map[string]field{
	"@timestamp": fieldTime, "client.address": fieldClient, "user.name": fieldUser, "url.domain": fieldHost,
	"http.request.method": fieldMethod, "url.original": fieldURL, "url.path": fieldPath, "url.query": fieldQuery,
	"http.version": fieldProtocol, "http.request.line": fieldRequest, "http.response.status_code": fieldStatus,
	"http.response.body.bytes": fieldBytes, "http.request.referrer": fieldReferrer, "user_agent.original": fieldAgent,
	"event.duration_seconds": fieldSeconds,
	"event.duration_millis":  fieldMillis, "http.request.bytes": fieldReceived, "http.request.id": fieldRequestID,
	"event.action": fieldResult, "observer.name": fieldPlace, "tls.version": fieldTLS, "tls.cipher": fieldCipher,
	"target.status_code": fieldTarget,
}

// escaping is how a log writes what could break its lines.
type escaping uint8

const (
	escapeNone  escaping = iota // nothing to undo
	escapeSlash                 // backslashes, as Apache and nginx
	escapeURL                   // percent signs in header fields, as CloudFront
)

// assembly puts an event together from the fields of a line.
type assembly struct {
	raw     [numFields][]byte
	has     [numFields]bool // whether the format has the field at all
	parser  Parser
	detail  Detail
	escapes escaping
	decoded []byte
	target  []byte
	day     dayClock
}

// set takes the text of a field; "-" is none.
func (a *assembly) set(f field, text []byte) {
	if len(text) == 1 && text[0] == '-' {
		text = nil
	}
	a.raw[f] = text
}

// clock is the time of the fields, unless it makes a bad row.
func (a *assembly) clock(skip bool, reason badrow.Reason) (int64, bool) {
	if skip || reason != badrow.None {
		return 0, false
	}
	ms, ok := a.time()
	return ms, ok && ms >= earliest
}

// finish reads the fields into an event.
func (a *assembly) finish(into *AccessLog) badrow.Reason {
	a.parser.scratch.reset()
	a.parser.plain = false
	a.decoded, a.target = a.decoded[:0], a.target[:0]
	ms, ok := a.time()
	switch {
	case !ok:
		return badrow.Timestamp
	case ms < earliest:
		return badrow.TimeBounds
	}
	into.Time = ms
	if reason := a.numbers(into); reason != badrow.None {
		return reason
	}
	if reason := a.client(into); reason != badrow.None {
		return reason
	}
	into.User, into.VHost = a.text(a.raw[fieldUser]), nil
	if host, _ := cutPort(a.raw[fieldHost]); len(host) > 0 && isHost(host) {
		into.VHost = host
	}
	a.request(into)
	into.Referrer, into.UserAgent = a.text(a.raw[fieldReferrer]), a.header(a.raw[fieldAgent])
	into.HasAgent = a.has[fieldAgent]
	a.details()
	return badrow.None
}

func (a *assembly) time() (int64, bool) {
	if date := a.raw[fieldDate]; date != nil {
		base, ok1 := a.day.date(date)
		day, ok2 := clockTime(a.raw[fieldClock])
		return base + day, ok1 && ok2
	}
	return a.day.any(a.raw[fieldTime])
}

func (a *assembly) numbers(into *AccessLog) badrow.Reason {
	into.Status, into.Bytes = 0, -1
	if s := a.raw[fieldStatus]; s != nil {
		n, ok := number(s)
		if !ok || n > 999 {
			return badrow.Number
		}
		into.Status = int32(n)
	}
	if s := a.raw[fieldBytes]; s != nil {
		n, ok := number(s)
		if !ok {
			return badrow.Number
		}
		into.Bytes = n
	}
	return badrow.None
}

// number reads up to 18 digits.
func number(b []byte) (n int64, ok bool) {
	if len(b) == 0 || len(b) > 18 {
		return 0, false
	}
	for _, c := range b {
		if c-'0' > 9 {
			return 0, false
		}
		n = n*10 + int64(c-'0')
	}
	return n, true
}

func (a *assembly) client(into *AccessLog) badrow.Reason {
	into.Client, into.Addr = pii.Text{}, netip.Addr{}
	if len(a.raw[fieldClient]) == 0 {
		return badrow.None
	}
	text, addr, ok := readClient(a.raw[fieldClient])
	if !ok {
		return badrow.Format
	}
	into.Client, into.Addr = pii.Of(text), addr
	return badrow.None
}

// text is the text of a field; header that of one that CloudFront encodes.
func (a *assembly) text(b []byte) pii.Text {
	switch {
	case len(b) == 0:
		return pii.Text{}
	case a.escapes == escapeSlash:
		return pii.Of(a.parser.scratch.text(b))
	}
	return pii.Of(a.printable(b))
}

func (a *assembly) header(b []byte) pii.Text {
	if a.escapes != escapeURL || bytes.IndexByte(b, '%') < 0 {
		return a.text(b)
	}
	from := len(a.decoded)
	a.decoded = appendDecoded(a.decoded, b)
	if once := a.decoded[from:]; bytes.IndexByte(once, ' ') < 0 && bytes.Contains(once, []byte("%20")) {
		again := len(a.decoded) // older logs encode twice
		a.decoded = appendDecoded(a.decoded, once)
		return pii.Of(a.printable(a.decoded[again:]))
	}
	return pii.Of(a.printable(a.decoded[from:]))
}

// printable is b without what is no text; b itself when it has nothing such.
func (a *assembly) printable(b []byte) []byte {
	if isPlain(b) {
		return b
	}
	s := &a.parser.scratch
	from := len(s.out)
	s.out = appendPrintable(s.out, b)
	return s.out[from:len(s.out):len(s.out)]
}

func appendDecoded(dst, b []byte) []byte {
	for i := 0; i < len(b); i++ {
		if b[i] == '%' && i+2 < len(b) && unhex(b[i+1]) <= 15 && unhex(b[i+2]) <= 15 {
			dst = append(dst, unhex(b[i+1])<<4|unhex(b[i+2]))
			i += 2
			continue
		}
		dst = append(dst, b[i])
	}
	return dst
}

// request reads method, target and protocol, together or apart. An absolute
// target is cut into host and path.
func (a *assembly) request(into *AccessLog) {
	into.Method, into.Target, into.Protocol, into.Request = nil, pii.Text{}, nil, pii.Text{}
	method, target, protocol := a.raw[fieldMethod], a.raw[fieldURL], a.raw[fieldProtocol]
	if line := a.raw[fieldRequest]; line != nil {
		var ok bool
		if method, target, protocol, ok = splitRequest(line); !ok {
			into.Request = a.text(line)
			return
		}
	}
	if target == nil && a.raw[fieldPath] != nil {
		target = a.raw[fieldPath]
		if query := a.raw[fieldQuery]; query != nil {
			a.target = append(append(append(a.target, target...), '?'), query...)
			target = a.target
		}
	}
	if isMethod(method) {
		into.Method = method
	}
	if isProtocol(protocol) {
		into.Protocol = protocol
	}
	host, path := cutAuthority(target)
	if len(into.VHost) == 0 && isHost(host) {
		into.VHost = host
	}
	into.Target = a.text(path)
}

func isMethod(b []byte) bool {
	for _, c := range b {
		if !methodByte[c] {
			return false
		}
	}
	return len(b) > 0 && len(b) <= maxMethod
}

// cutAuthority cuts an absolute URL into host and path; what is none stays.
func cutAuthority(target []byte) (host, path []byte) {
	at := bytes.Index(target, []byte("://"))
	if at < 1 || at > 8 || target[0] == '/' {
		return nil, target
	}
	rest := target[at+3:]
	n := 0
	for n < len(rest) && rest[n] != '/' && rest[n] != '?' && rest[n] != '#' {
		n++
	}
	if bytes.IndexByte(rest[:n], '@') >= 0 {
		return nil, target // user and password: left to masking
	}
	host, _ = cutPort(rest[:n])
	if path = rest[n:]; len(path) == 0 {
		path = []byte{'/'}
	}
	return host, path
}

func (a *assembly) details() {
	d := &a.detail
	*d = Detail{
		Took: -1, Received: -1, Place: a.text(a.raw[fieldPlace]), Result: a.text(a.raw[fieldResult]),
		RequestID: a.text(a.raw[fieldRequestID]), TLSVersion: a.text(a.raw[fieldTLS]), TLSCipher: a.text(a.raw[fieldCipher]),
	}
	if b := a.raw[fieldForwarded]; b != nil {
		d.Forwarded = a.header(b)
	}
	if b := a.raw[fieldTarget]; b != nil {
		if n, ok := number(bytes.TrimLeft(b[bytes.LastIndexByte(b, ',')+1:], " ")); ok && n <= 999 {
			d.Target = int32(n)
		}
	}
	if us, ok := micros(a.raw[fieldSeconds], 6); ok {
		d.Took = us
	} else if us, ok := micros(a.raw[fieldMillis], 3); ok {
		d.Took = us
	}
	if n, ok := number(a.raw[fieldReceived]); ok {
		d.Received = n
	}
}

// micros reads a decimal number and moves its point by places, cutting the rest.
func micros(b []byte, places int) (n int64, ok bool) {
	point := false
	for i, c := range b {
		switch {
		case c == '.' && !point && i > 0:
			point = true
		case c-'0' > 9 || n > 1<<50:
			return 0, false
		case !point:
			n = n*10 + int64(c-'0')
		case places > 0:
			n = n*10 + int64(c-'0')
			places--
		}
	}
	for ; places > 0; places-- {
		n *= 10
	}
	return n, len(b) > 0 && n < 1<<60
}
