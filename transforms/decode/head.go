package decode

import (
	"bytes"
	"net/netip"

	"millrace/schemas/badrow"
	"millrace/schemas/pii"
)

const (
	afterClient = " - " // nobody knows an ident any more
	afterStamp  = `] "` // up to the text of the request

	headWords = 3 // client, ident, user
)

// readHead reads everything before the request line and returns where the
// request's text begins.
func (p *Parser) readHead(line []byte, f Format, into *AccessLog) (int, badrow.Reason) {
	stamp := p.readUsualHead(line, f, into)
	if stamp == 0 {
		return p.readAnyHead(line, f, into)
	}
	end := stamp + stampLen
	return end + len(afterStamp), p.readTime(line[stamp:end], into)
}

// readUsualHead reads `[server ]IPv4 - user [` with a user of one word and
// returns where the time begins, or 0 for any other line. It only spares the
// searches of the general way: what it accepts, readAnyHead reads alike.
func (p *Parser) readUsualHead(line []byte, f Format, into *AccessLog) (stamp int) {
	var server []byte
	at := 0
	if f == VhostCombined {
		at = bytes.IndexByte(line, ' ') + 1
		if at == 0 {
			return 0
		}
		server, _ = cutPort(line[:at-1])
		if !isHost(server) || string(server) == "-" {
			return 0
		}
	}
	b := line[at:]
	addr, n, ok := readIPv4(b)
	user := n + len(afterClient)
	if !ok || len(b) < user || string(b[n:user]) != afterClient {
		return 0
	}
	space := user
	for space < len(b) && b[space] != ' ' {
		space++
	}
	stamp = space + len(" [")
	end := stamp + stampLen
	if len(b) < end+len(afterStamp) || b[stamp-1] != '[' || string(b[end:end+len(afterStamp)]) != afterStamp {
		return 0
	}
	p.layout = Unknown
	if at > 0 {
		p.layout = VhostCombined
	}
	into.VHost, into.Client, into.Addr = server, pii.Of(b[:n]), addr
	into.User = p.user(b[user:space])
	return at + stamp
}

// user is the text of a user name; "" is Apache's spelling of an empty one.
func (p *Parser) user(b []byte) pii.Text {
	if string(b) == `""` {
		return pii.Text{}
	}
	return p.text(b)
}

func (p *Parser) readTime(stamp []byte, into *AccessLog) badrow.Reason {
	ms, ok := p.clock.read(stamp)
	if !ok {
		return badrow.Timestamp
	}
	into.Time = ms
	if ms < earliest {
		return badrow.TimeBounds
	}
	return badrow.None
}

func (p *Parser) readAnyHead(line []byte, f Format, into *AccessLog) (int, badrow.Reason) {
	open, end := findStamp(line)
	if end < 0 {
		return 0, unstamped(line)
	}
	if open == 0 || line[open-1] != ' ' {
		return 0, badrow.Format
	}
	h, ok := splitHead(line[:open-1], f)
	if !ok {
		return 0, badrow.Format
	}
	p.layout = Unknown
	if h.server != nil {
		p.layout = VhostCombined
	}
	into.VHost, into.Client, into.Addr = h.server, pii.Of(h.client), h.addr
	into.User = p.user(h.user)
	return end + len(afterStamp), p.readTime(line[open+1:end], into)
}

// findStamp finds the time field: open is the place of its '[', end of its ']',
// negative when there is none. It is the last '[' before the first `] "`. A
// server escapes quotes in the user name, so no name can pose as the time.
func findStamp(line []byte) (open, end int) {
	first := bytes.IndexByte(line, '[')
	if first < 0 {
		return -1, -1
	}
	for at := first; ; {
		n := bytes.IndexByte(line[at:], ']')
		if n < 0 {
			return first, -1
		}
		if end = at + n; bytes.HasPrefix(line[end:], []byte(afterStamp)) {
			return first + bytes.LastIndexByte(line[first:end], '['), end
		}
		at = end + 1
	}
}

// unstamped judges a line without `[time] "`: one that starts like an access log
// has broken off, any other is something else.
func unstamped(line []byte) badrow.Reason {
	open := bytes.LastIndexByte(line, '[')
	if open < 0 {
		first, _, _ := cutSpace(line)
		if _, addr, _ := readClient(first); addr.IsValid() {
			return badrow.Truncated
		}
		return badrow.Format
	}
	stamp := line[open:]
	end := bytes.IndexByte(stamp, ']')
	brokenOff := end < 0 || len(bytes.TrimRight(stamp[end+1:], " ")) == 0
	if brokenOff && bytes.Count(line[:open], []byte{' '}) >= headWords {
		return badrow.Truncated
	}
	return badrow.Format
}

// head is what stands before the time.
type head struct {
	server, client, user []byte
	addr                 netip.Addr
}

// splitHead splits `[server[:port] ]client ident user`. Four or more words can
// be a server name before the client, or a user name with spaces.
func splitHead(b []byte, f Format) (h head, ok bool) {
	first, rest, ok1 := cutSpace(b)
	second, third, ok2 := cutSpace(rest)
	if !ok1 || !ok2 {
		return head{}, false
	}
	client := first
	h.user = third
	if _, user, four := cutSpace(third); four {
		vhost, ok := hasServer(first, second, f)
		if !ok {
			return head{}, false
		}
		if vhost {
			client, h.user = second, user
			if h.server, _ = cutPort(first); !isHost(h.server) {
				return head{}, false
			}
			if string(h.server) == "-" {
				h.server = h.server[:0]
			}
		}
	}
	h.client, h.addr, ok = readClient(client)
	return h, ok
}

// hasServer tells whether the first of four words is a server name. Ident is
// never an address, so an address in second place is the client. Two bare
// addresses are as likely a proxy chain; only a file known to have server names
// may say otherwise, since a client's address must not land in VHost.
func hasServer(first, second []byte, f Format) (vhost, ok bool) {
	_, firstAddr := readAddr(first)
	if f == VhostCombined {
		noIdent := string(second) == "-"
		_, client, _ := readClient(first)
		return !(noIdent && client.IsValid()), true
	}
	_, secondAddr := readAddr(second)
	switch {
	case firstAddr:
		return false, !secondAddr
	case secondAddr:
		return true, true
	}
	return hasPort(first) && string(second) != "-", true
}

func hasPort(b []byte) bool {
	_, ok := cutPort(b)
	return ok
}

func cutSpace(b []byte) (before, after []byte, found bool) {
	if i := bytes.IndexByte(b, ' '); i >= 0 {
		return b[:i], b[i+1:], true
	}
	return b, nil, false
}
