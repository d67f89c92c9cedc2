package decode

import (
	"bytes"
	"net/netip"

	"millrace/schemas/badrow"
	"millrace/schemas/pii"
)

// AccessLog is one parsed line. Its fields are views into the line or into the
// parser's scratch and are valid until the parser's next Parse, or until the
// line's block is reused. A field the line does not have is empty.
type AccessLog struct {
	VHost     []byte     // server name (vhost_combined); its port is dropped
	Client    pii.Text   // address or host name as logged, without a port; empty for "-"
	Addr      netip.Addr // the client's address, IPv4-mapped IPv6 as IPv4, without zone; invalid for a host name
	User      pii.Text   // empty for "-"; may contain spaces
	Time      int64      // Unix milliseconds UTC
	Method    []byte     // capital letters, '-' and '_'
	Target    pii.Text   // path?query with log escapes undone, percent-encoding kept; may contain spaces
	Protocol  []byte     // "HTTP/1.1"; empty for HTTP/0.9 ("GET /x")
	Request   pii.Text   // the whole request line instead of the three when it is not METHOD TARGET [PROTOCOL]
	Status    int32      // three digits as logged, 0 to 999
	Bytes     int64      // -1 for "-"
	Referrer  pii.Text   // empty for "-"
	UserAgent pii.Text   // empty for "-"
	HasAgent  bool       // whether the line has a user agent field, be it "-"
}

// Parser parses lines. The zero value is ready. A parser belongs to one
// goroutine: it keeps scratch for unescaping and the last date it saw.
type Parser struct {
	clock   clock
	scratch scratch
	plain   bool   // the current line needs no unescaping anywhere
	layout  Format // layout of the last line that parsed
}

// Parse reads one line (without its line end) of a file whose format is f into
// into. It returns badrow.None, or why the line is no event: Format, Truncated,
// Timestamp, TimeBounds (before 1995; for the upper bound see CheckArrival) or
// Number; into then holds nothing of use.
func (p *Parser) Parse(line []byte, f Format, into *AccessLog) badrow.Reason {
	p.plain = isPlain(line)
	if !p.plain {
		p.scratch.reset()
		line = TrimMark(line)
	}
	reason := p.parse(line, f, into)
	if reason != badrow.None && reason != badrow.Truncated && hasOpenQuote(line) {
		return badrow.Truncated
	}
	return reason
}

// TrimMark drops the byte order mark that some programs write before the first line of a file.
func TrimMark(line []byte) []byte { return bytes.TrimPrefix(line, byteOrderMark) }

var byteOrderMark = []byte("\xef\xbb\xbf")

func (p *Parser) parse(line []byte, f Format, into *AccessLog) badrow.Reason {
	at, reason := p.readHead(line, f, into)
	if reason != badrow.None {
		return reason
	}
	n := quoted(line[at:])
	if n < 0 {
		return badrow.Truncated
	}
	p.readRequest(line[at:at+n], into)
	at += n + 1
	at, reason = readNumbers(line, at, into)
	if reason != badrow.None {
		return reason
	}
	return p.readTail(line[at:], f, into)
}

// text is the text of a field, empty for "-".
func (p *Parser) text(field []byte) pii.Text {
	if len(field) == 1 && field[0] == '-' {
		return pii.Text{}
	}
	if p.plain {
		return pii.Of(field)
	}
	return pii.Of(p.scratch.text(field))
}

// readNumbers reads ` status bytes`, which begin at line[at], and returns where
// they end.
func readNumbers(line []byte, at int, into *AccessLog) (int, badrow.Reason) {
	b := line[at:]
	if len(b) < len(" 200 0") {
		return 0, short(b)
	}
	h, t, u := b[1]-'0', b[2]-'0', b[3]-'0'
	if b[0] != ' ' || b[4] != ' ' || h > 9 || t > 9 || u > 9 {
		return 0, badrow.Number
	}
	into.Status = int32(h)*100 + int32(t)*10 + int32(u)
	i := 5
	if b[i] == '-' {
		into.Bytes = -1
		i++
	} else {
		var size int64
		for ; i < len(b) && b[i]-'0' <= 9; i++ {
			if i >= 5+18 { // 18 digits always fit
				return 0, badrow.Number
			}
			size = size*10 + int64(b[i]-'0')
		}
		if i == 5 {
			return 0, badrow.Number
		}
		into.Bytes = size
	}
	if i < len(b) && b[i] != ' ' {
		return 0, badrow.Number
	}
	return at + i, badrow.None
}

// short judges what stands where ` status bytes` should, when it is too short
// to hold both.
func short(b []byte) badrow.Reason {
	for i, c := range b {
		space := i == 0 || i == len(" 200")
		if space != (c == ' ') || !space && c-'0' > 9 {
			return badrow.Number
		}
	}
	return badrow.Truncated
}

// readTail reads what follows the size: nothing, or the referrer and user agent
// of a combined line, then fields it does not know.
func (p *Parser) readTail(b []byte, f Format, into *AccessLog) badrow.Reason {
	into.Referrer, into.UserAgent, into.HasAgent = pii.Text{}, pii.Text{}, false
	combined := f == Combined || f == VhostCombined
	if len(b) < 2 || b[1] != '"' {
		if combined && len(b) == 1 {
			return badrow.Truncated // a space, then nothing: it breaks off before the referrer
		}
		p.sawTail(Common)
		return closed(b)
	}
	b = b[2:]
	n := quoted(b)
	if n < 0 {
		return badrow.Truncated
	}
	referrer := b[:n]
	if b = b[n+1:]; len(b) < 2 || b[1] != '"' {
		switch {
		case !combined: // a server's own quoted field
			p.sawTail(Common)
			return closed(b)
		case len(b) < 2:
			return badrow.Truncated
		}
		return badrow.Format
	}
	b = b[2:]
	if n = quoted(b); n < 0 {
		return badrow.Truncated
	}
	into.Referrer = p.text(referrer)
	into.UserAgent, into.HasAgent = p.text(b[:n]), true
	p.sawTail(Combined)
	if n+1 == len(b) {
		return badrow.None
	}
	return closed(b[n+1:])
}

// sawTail completes the layout that readHead began.
func (p *Parser) sawTail(f Format) {
	if p.layout != VhostCombined {
		p.layout = f
	}
}

// closed accepts fields that are not read, if the quoted ones among them close.
func closed(b []byte) badrow.Reason {
	if hasOpenQuote(b) {
		return badrow.Truncated
	}
	return badrow.None
}
