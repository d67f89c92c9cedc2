package attribution

import (
	"bytes"

	"golang.org/x/net/idna"
)

// maxHost is the longest host there can be (RFC 1035).
const maxHost = 253

// referrerOf takes the host, or the package of an Android app, out of a referrer.
// The result is in lower case and lies in scratch.
func referrerOf(url, scratch []byte) (host []byte, app, ok bool) {
	colon := bytes.IndexByte(url[:min(len(url), 16)], ':')
	if colon < 0 || len(url) < colon+3 || url[colon+1] != '/' || url[colon+2] != '/' {
		return nil, false, false
	}
	switch scheme := url[:colon]; {
	case equalFold(scheme, "https"), equalFold(scheme, "http"):
	case equalFold(scheme, "android-app"):
		app = true
	default:
		return nil, false, false
	}
	host = authority(url[colon+3:])
	if app { // package names are not hosts: they may have an underscore, and no port
		if len(host) == 0 || len(host) > maxHost {
			return nil, false, false
		}
		for _, c := range host {
			if lower := fold(c); !isHostByte(lower) {
				return nil, false, false
			}
		}
		return appendLower(scratch[:0], host), true, true
	}
	host, ok = hostOf(host, scratch)
	return host, false, ok
}

// authority is what stands before the path; a backslash counts as a slash, as it
// does to browsers, so that what follows one cannot pose as the host.
func authority(b []byte) []byte {
	for i, c := range b {
		if c == '/' || c == '?' || c == '#' || c == '\\' {
			return b[:i]
		}
	}
	return b
}

// hostOf takes the host out of an authority: without user, password, port and the
// dot at its end.
func hostOf(b, scratch []byte) (host []byte, ok bool) {
	if at := bytes.LastIndexByte(b, '@'); at >= 0 {
		b = b[at+1:]
	}
	if len(b) > 0 && b[0] == '[' {
		end := bytes.IndexByte(b, ']')
		if end < 0 || end > 64 {
			return nil, false
		}
		for _, c := range b[1:end] {
			if c := fold(c); c != ':' && c != '.' && (c < '0' || c > '9') && (c < 'a' || c > 'f') {
				return nil, false
			}
		}
		return appendLower(scratch[:0], b[:end+1]), true
	}
	if colon := bytes.IndexByte(b, ':'); colon >= 0 {
		b = b[:colon]
	}
	return asciiHost(bytes.TrimSuffix(b, []byte{'.'}), scratch)
}

// asciiHost puts a host in lower case and ASCII, in scratch unless it is an
// international one, and tells whether it can be one.
func asciiHost(b, scratch []byte) ([]byte, bool) {
	if len(b) == 0 || len(b) > 4*maxHost {
		return nil, false
	}
	host := scratch[:0]
	for _, c := range b {
		if c >= 0x80 {
			return internationalHost(b)
		}
		c = fold(c)
		if !isHostByte(c) {
			return nil, false
		}
		host = append(host, c)
	}
	return host, len(host) <= maxHost && host[0] != '.' && host[len(host)-1] != '.' && !bytes.Contains(host, []byte(".."))
}

// internationalHost writes a host as browsers do (UTS 46).
func internationalHost(b []byte) ([]byte, bool) {
	ascii, err := idna.Lookup.ToASCII(string(b))
	if err != nil || ascii == "" || len(ascii) > maxHost {
		return nil, false
	}
	return asciiHost([]byte(ascii), nil)
}

func isHostByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '-' || c == '.' || c == '_'
}

func fold(c byte) byte {
	if c >= 'A' && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}

func appendLower(dst, b []byte) []byte {
	for _, c := range b {
		dst = append(dst, fold(c))
	}
	return dst
}

// equalFold compares with a text in lower case.
func equalFold(b []byte, lower string) bool {
	if len(b) != len(lower) {
		return false
	}
	for i := range b {
		if fold(b[i]) != lower[i] {
			return false
		}
	}
	return true
}

// within tells whether a host is a domain or lies in it.
func within(host, domain []byte) bool {
	return bytes.HasSuffix(host, domain) && (len(host) == len(domain) || host[len(host)-len(domain)-1] == '.')
}

func withoutWWW(host []byte) []byte {
	if rest := bytes.TrimPrefix(host, []byte("www.")); bytes.IndexByte(rest, '.') >= 0 {
		return rest
	}
	return host
}
