package generate

const hexDigits = "0123456789ABCDEF"

// appendEncoded percent-encodes s, the given number of times. What has nothing to
// encode gets every fifth character encoded, which any URL decoder undoes.
func appendEncoded(dst []byte, s string, times int) []byte {
	if times == 0 {
		return append(dst, s...)
	}
	plain := true
	for i := range len(s) {
		plain = plain && isUnreserved(s[i])
	}
	for i := range len(s) {
		c := s[i]
		if isUnreserved(c) && (!plain || i%5 != 1) {
			dst = append(dst, c)
			continue
		}
		dst = append(dst, '%')
		for range times - 1 {
			dst = append(dst, "25"...)
		}
		dst = append(dst, hexDigits[c>>4], hexDigits[c&15])
	}
	return dst
}

// isUnreserved is stricter than RFC 3986: dots and dashes are encoded too, as some
// clients do.
func isUnreserved(c byte) bool {
	return c|0x20 >= 'a' && c|0x20 <= 'z' || c >= '0' && c <= '9'
}
