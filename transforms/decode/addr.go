package decode

import (
	"bytes"
	"net/netip"
)

// maxHost is the longest host name of the DNS, with room for a port.
const maxHost = 261

// readClient reads the client field: an address, an address with a port (the
// port is dropped from the text), or a host name. "-" is an unknown client:
// empty text. ok is false for what can be neither.
func readClient(b []byte) (text []byte, addr netip.Addr, ok bool) {
	if addr, ok = readAddr(b); ok {
		return b, addr, true
	}
	if len(b) == 1 && b[0] == '-' {
		return nil, netip.Addr{}, true
	}
	if host, hasPort := cutPort(b); hasPort || len(host) != len(b) {
		if addr, ok = readAddr(host); ok {
			return host, addr, true
		}
	}
	return b, netip.Addr{}, isHost(b)
}

// readAddr reads an IPv4 or IPv6 address as netip.ParseAddr does, without its
// allocations. IPv4-mapped IPv6 becomes IPv4: it is the same client. A zone is
// dropped: it names an interface of the server.
func readAddr(b []byte) (netip.Addr, bool) {
	if a, n, ok := readIPv4(b); ok && n == len(b) {
		return a, true
	}
	if zone := bytes.IndexByte(b, '%'); zone > 0 && zone < len(b)-1 && isHost(b[zone+1:]) {
		b = b[:zone]
	}
	return readIPv6(b)
}

// readIPv4 reads the dotted address at the start of b and tells how long it is.
func readIPv4(b []byte) (a netip.Addr, n int, ok bool) {
	var octets [4]byte
	for part := range octets {
		if part > 0 {
			if n >= len(b) || b[n] != '.' {
				return netip.Addr{}, 0, false
			}
			n++
		}
		start, v := n, 0
		for ; n < len(b) && b[n]-'0' <= 9; n++ {
			if v = v*10 + int(b[n]-'0'); v > 255 {
				return netip.Addr{}, 0, false
			}
		}
		if n == start || n > start+1 && b[start] == '0' {
			return netip.Addr{}, 0, false
		}
		octets[part] = byte(v)
	}
	return netip.AddrFrom4(octets), n, true
}

// readIPv6 reads RFC 4291 text: up to eight groups, one "::", an IPv4 tail.
func readIPv6(b []byte) (netip.Addr, bool) {
	if len(b) < 2 || len(b) > 45 {
		return netip.Addr{}, false
	}
	var (
		out  [16]byte
		at   = 0  // bytes of out written
		gap  = -1 // where "::" stands in out
		i    = 0
		none netip.Addr
	)
	if b[0] == ':' {
		if b[1] != ':' {
			return none, false
		}
		gap, i = 0, 2
	}
	for i < len(b) {
		if at == len(out) {
			return none, false
		}
		group, start := uint32(0), i
		for ; i < len(b) && unhex(b[i]) <= 15; i++ {
			if group = group<<4 | uint32(unhex(b[i])); i-start == 4 {
				return none, false
			}
		}
		if i == start {
			return none, false
		}
		if i < len(b) && b[i] == '.' {
			a, n, ok := readIPv4(b[start:])
			if !ok || start+n != len(b) || at > len(out)-4 {
				return none, false
			}
			tail := a.As4()
			copy(out[at:], tail[:])
			at += 4
			break
		}
		out[at], out[at+1] = byte(group>>8), byte(group)
		at += 2
		if i == len(b) {
			break
		}
		if b[i] != ':' || i+1 == len(b) {
			return none, false
		}
		i++
		if b[i] == ':' {
			if gap >= 0 {
				return none, false
			}
			gap = at
			i++
		}
	}
	switch {
	case gap < 0 && at < len(out), gap >= 0 && at == len(out):
		return none, false
	case gap >= 0:
		moved := copy(out[len(out)-(at-gap):], out[gap:at])
		clear(out[gap : len(out)-moved])
	}
	return netip.AddrFrom16(out).Unmap(), true
}

// cutPort splits host:port and [host]:port; the brackets go too. hasPort is
// false when there is no port, as in a bare IPv6 address.
func cutPort(b []byte) (host []byte, hasPort bool) {
	host = b
	digits := 0
	for digits < len(b) && b[len(b)-1-digits]-'0' <= 9 {
		digits++
	}
	if colon := len(b) - 1 - digits; colon > 0 && digits >= 1 && digits <= 5 && b[colon] == ':' {
		host, hasPort = b[:colon], true
	}
	if n := len(host); n > 2 && host[0] == '[' && host[n-1] == ']' {
		return host[1 : n-1], hasPort
	}
	if hasPort && bytes.IndexByte(host, ':') >= 0 {
		return b, false
	}
	return host, hasPort
}

// isHost tells whether b consists of what host names, addresses and the "unix:"
// of local sockets are made of.
func isHost(b []byte) bool {
	for _, c := range b {
		if !hostByte[c] {
			return false
		}
	}
	return len(b) > 0 && len(b) <= maxHost
}

var hostByte = byteSet("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-:")

func byteSet(members string) (set [256]bool) {
	for i := range len(members) {
		set[members[i]] = true
	}
	return set
}
