package decode

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"millrace/schemas/badrow"
)

// variables are the variables of nginx that mean something here; others are
// passed over.
var variables = map[string]field{
	"remote_addr": fieldClient, "realip_remote_addr": fieldNone, "remote_user": fieldUser, "time_local": fieldTime, "time_iso8601": fieldTime, "msec": fieldTime,
	"request": fieldRequest, "request_method": fieldMethod, "request_uri": fieldURL, "uri": fieldPath, "document_uri": fieldPath, "args": fieldQuery, "query_string": fieldQuery,
	"server_protocol": fieldProtocol, "status": fieldStatus, "body_bytes_sent": fieldBytes, "bytes_sent": fieldBytes, "http_referer": fieldReferrer, "http_user_agent": fieldAgent,
	"host": fieldHost, "http_host": fieldHost, "server_name": fieldHost, "http_x_forwarded_for": fieldForwarded, "request_time": fieldSeconds,
	"request_length": fieldReceived, "request_id": fieldRequestID, "ssl_protocol": fieldTLS, "ssl_cipher": fieldCipher, "upstream_cache_status": fieldResult, "upstream_status": fieldTarget,
}

// part is a variable of a log_format and the text up to the next.
type part struct {
	field
	after  []byte // literal text behind it; empty at the end of the line
	quoted bool   // the literal text before it ends in a quote
}

// LogFormat reads logs that nginx writes by a log_format of its configuration.
type LogFormat struct {
	assembly
	before []byte
	parts  []part
}

// NewLogFormat makes a decoder for the text of a log_format, as in the
// configuration with its pieces joined: `$remote_addr [$time_local] "$request"
// $status`. Escaping must be nginx's default; for escape=json use JSONLines.
func NewLogFormat(format string) (*LogFormat, error) {
	d := &LogFormat{}
	d.escapes = escapeSlash
	var texts, names []string
	rest := format
	for {
		at := strings.IndexByte(rest, '$')
		if at < 0 {
			texts = append(texts, rest)
			break
		}
		texts = append(texts, rest[:at])
		rest = rest[at+1:]
		brace := strings.HasPrefix(rest, "{")
		rest = strings.TrimPrefix(rest, "{")
		n := 0
		for n < len(rest) && isNameByte(rest[n]) {
			n++
		}
		if n == 0 || brace && !strings.HasPrefix(rest[n:], "}") {
			return nil, fmt.Errorf("reading log format nginx: no name of a variable behind the dollar sign in %q", "$"+rest[:min(len(rest), 12)])
		}
		names = append(names, rest[:n])
		rest = rest[n:]
		if brace {
			rest = rest[1:]
		}
	}
	d.before = []byte(texts[0])
	for i, name := range names {
		p := part{field: variables[name], after: []byte(texts[i+1]), quoted: strings.HasSuffix(texts[i], `"`)}
		if len(p.after) == 0 && i+1 < len(names) {
			return nil, fmt.Errorf("reading log format nginx: nothing stands between $%s and $%s, so no one can tell where the first ends", name, names[i+1])
		}
		if p.field != fieldNone {
			if d.has[p.field] && p.field != fieldTime && p.field != fieldHost && p.field != fieldBytes {
				return nil, fmt.Errorf("reading log format nginx: $%s says again what another variable says", name)
			}
			if d.has[p.field] {
				p.field = fieldNone // the first one counts
			} else {
				d.has[p.field] = true
			}
		}
		d.parts = append(d.parts, p)
	}
	if !d.has[fieldTime] {
		return nil, errors.New("reading log format nginx: it has no time; add $time_iso8601, $time_local or $msec")
	}
	if !d.has[fieldRequest] && !d.has[fieldURL] && !d.has[fieldPath] {
		return nil, errors.New("reading log format nginx: it has no request; add $request, $request_uri or $uri")
	}
	return d, nil
}

func isNameByte(c byte) bool { return c == '_' || c-'0' <= 9 || c|0x20 >= 'a' && c|0x20 <= 'z' }

// Decode reads a line. A quoted variable that never closes makes it Truncated,
// and so does a line that ends before the format does.
func (d *LogFormat) Decode(line []byte, into *AccessLog) (bool, badrow.Reason) {
	skip, reason := d.fields(line)
	if skip || reason != badrow.None {
		return skip, reason
	}
	return false, d.finish(into)
}

// EventTime implements Decoder.
func (d *LogFormat) EventTime(line []byte) (int64, bool) { return d.clock(d.fields(line)) }

// fields finds the variables of a line.
func (d *LogFormat) fields(line []byte) (bool, badrow.Reason) {
	if len(line) == 0 {
		return true, badrow.None
	}
	rest, ok := bytes.CutPrefix(line, d.before)
	if !ok {
		return false, badrow.Format
	}
	clear(d.raw[:])
	for i := range d.parts {
		p := &d.parts[i]
		n := len(rest)
		if len(p.after) > 0 {
			if n = bytes.Index(rest, p.after); n < 0 {
				return false, d.broken(i, rest)
			}
		} else if i+1 == len(d.parts) && !p.quoted {
			if space := bytes.IndexByte(rest, ' '); space >= 0 {
				n = space // a field that the format does not have
			}
		}
		if p.field != fieldNone {
			d.set(p.field, rest[:n])
		}
		rest = rest[n+len(p.after):]
	}
	return false, badrow.None
}

// broken judges a line in which the text behind variable i is missing.
func (d *LogFormat) broken(i int, rest []byte) badrow.Reason {
	if d.parts[i].quoted && bytes.IndexByte(rest, '"') < 0 || i > 0 && len(rest) == 0 {
		return badrow.Truncated
	}
	// Without its last text the line may have ended early.
	if i > 0 && bytes.IndexByte(rest, ' ') < 0 && !d.parts[i].quoted {
		return badrow.Truncated
	}
	return badrow.Format
}

// Detail implements Decoder.
func (d *LogFormat) Detail() *Detail { return &d.detail }
