package mask

import "bytes"

// AppendEmail appends the normal form of an e-mail address: without the white
// space around it and with ASCII letters in lower case.
func AppendEmail(dst, address []byte) []byte {
	return appendLower(dst, bytes.TrimSpace(address))
}

// AppendDigits appends the digits of a card number, without its separators.
func AppendDigits(dst, number []byte) []byte {
	for _, c := range number {
		if isDigit(c) {
			dst = append(dst, c)
		}
	}
	return dst
}

func appendLower(dst, b []byte) []byte {
	for _, c := range b {
		dst = append(dst, lower(c))
	}
	return dst
}

func lower(c byte) byte {
	if c >= 'A' && c <= 'Z' {
		c |= 0x20
	}
	return c
}

func isDigit(c byte) bool { return c-'0' < 10 }
func isLower(c byte) bool { return c-'a' < 26 }
func isUpper(c byte) bool { return c-'A' < 26 }
func isAlpha(c byte) bool { return c|0x20-'a' < 26 }
func isAlnum(c byte) bool { return isDigit(c) || isAlpha(c) }

// hexValue returns the value of a hexadecimal digit, or 16 and more.
func hexValue(c byte) byte { return hexValues[c] }

var hexValues = func() (t [256]byte) {
	for i := range t {
		t[i] = 0xff
	}
	for i := range byte(10) {
		t['0'+i] = i
	}
	for i := range byte(6) {
		t['a'+i], t['A'+i] = 10+i, 10+i
	}
	return t
}()
