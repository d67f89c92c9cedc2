package security

import "bytes"

// appendLower appends b in lower case (ASCII).
func appendLower(dst, b []byte) []byte {
	for _, c := range b {
		if c-'A' < 26 {
			c += 'a' - 'A'
		}
		dst = append(dst, c)
	}
	return dst
}

// appendNormal appends b in lower case, '+' as a space, without comments of SQL, and
// tells the kinds of its bytes.
func appendNormal(dst, b []byte) ([]byte, byteSet) {
	from := len(dst)
	dst = append(dst, b...)
	text, set := normalise(dst[from:])
	return dst[:from+len(text)], set
}

// uncomment replaces "/**/" and all that is like it by a space, in place.
func uncomment(text []byte) []byte {
	if !bytes.Contains(text, []byte("/*")) {
		return text
	}
	out := text[:0]
	for i := 0; i < len(text); i++ {
		if text[i] == '/' && i+1 < len(text) && text[i+1] == '*' {
			if end := bytes.Index(text[i+2:], []byte("*/")); end >= 0 {
				i += end + 3
				out = append(out, ' ')
				continue
			}
		}
		out = append(out, text[i])
	}
	return out
}

// appendDecoded undoes percent-encoding once and makes the result normal. What is
// no encoding stays.
func appendDecoded(dst, b []byte) ([]byte, byteSet) {
	from := len(dst)
	for i := 0; i < len(b); i++ {
		if b[i] == '%' && i+2 < len(b) {
			high, low := digit(b[i+1]), digit(b[i+2])
			if high < 16 && low < 16 {
				c := high<<4 | low
				if c == 0 || c == '\n' || c == '\r' || c == '\t' {
					c = ' '
				}
				dst = append(dst, c)
				i += 2
				continue
			}
		}
		dst = append(dst, b[i])
	}
	text, set := normalise(dst[from:])
	return dst[:from+len(text)], set
}

// normalise works in place.
func normalise(text []byte) ([]byte, byteSet) {
	var set byteSet
	for i, c := range text {
		set |= kindsOf[c]
		text[i] = normal[c]
	}
	if !set.has(comment) {
		return text, set
	}
	if short := uncomment(text); len(short) < len(text) {
		return short, set | space
	}
	return text, set
}

// digit is the value of a digit in lower or upper case; 16 or more for others.
func digit(c byte) byte {
	switch {
	case c-'0' < 10:
		return c - '0'
	case c|0x20-'a' < 6:
		return c | 0x20 - 'a' + 10
	}
	return 16
}
