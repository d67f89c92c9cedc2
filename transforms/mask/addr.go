package mask

import (
	"bytes"
	"net/netip"

	"millrace/schemas/pii"
)

// TruncateAddr keeps the network of an address: /24 of IPv4, /48 of IPv6. An
// IPv4 address mapped into IPv6 counts as IPv4; a zone is dropped.
func TruncateAddr(a netip.Addr) netip.Addr {
	a = a.Unmap().WithZone("")
	bits := 48
	if a.Is4() {
		bits = 24
	}
	p, err := a.Prefix(bits)
	if err != nil { // the zero Addr
		return netip.Addr{}
	}
	return p.Addr()
}

// AppendTruncated appends the truncated form of an address in text. It returns
// dst as it was and false when the text is no IP address, such as a host name.
func AppendTruncated(dst []byte, addr pii.Text) ([]byte, bool) {
	b := pii.Reveal(addr)
	if dot := lastDotIPv4(b); dot > 0 {
		dst = append(dst, b[:dot+1]...)
		return append(dst, '0'), true
	}
	if bytes.IndexByte(b, ':') < 0 {
		return dst, false
	}
	a, err := netip.ParseAddr(string(b))
	if err != nil {
		return dst, false
	}
	return TruncateAddr(a).AppendTo(dst), true
}

// appendCanonical appends one spelling for all spellings of a client: IP
// addresses as netip writes them (mapped IPv4 as IPv4, no zone), host names in
// lower case.
func appendCanonical(dst, b []byte) []byte {
	if lastDotIPv4(b) < 0 && bytes.IndexByte(b, ':') >= 0 {
		if a, err := netip.ParseAddr(string(b)); err == nil {
			return a.Unmap().WithZone("").AppendTo(dst)
		}
	}
	return appendLower(dst, b)
}

// lastDotIPv4 returns the index of the third dot of a dotted IPv4 address, or
// -1 when b is none. Like netip it refuses leading zeros.
func lastDotIPv4(b []byte) int {
	if len(b) < len("0.0.0.0") || len(b) > len("255.255.255.255") {
		return -1
	}
	dots, last, digits, value := 0, -1, 0, 0
	for i, c := range b {
		switch {
		case isDigit(c):
			if digits > 0 && value == 0 {
				return -1
			}
			value = value*10 + int(c-'0')
			digits++
			if value > 255 {
				return -1
			}
		case c == '.' && digits > 0 && dots < 3:
			dots++
			last, digits, value = i, 0, 0
		default:
			return -1
		}
	}
	if dots != 3 || digits == 0 {
		return -1
	}
	return last
}
