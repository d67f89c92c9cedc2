package mask

import "strings"

// survives tells whether a canary can be read in out as it is, decoded once or
// decoded twice, in either case of letters.
func survives(out, canary string) bool {
	canary = strings.ToLower(canary)
	for range 3 {
		if strings.Contains(strings.ToLower(out), canary) {
			return true
		}
		out = percentDecode(out)
	}
	return false
}

// percentDecode is a decoder of its own: it shares nothing with the masker.
func percentDecode(s string) string {
	const digits = "0123456789abcdef"
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '%' && i+2 < len(s) {
			hi := strings.IndexByte(digits, s[i+1]|boolByte(s[i+1] >= 'A')*0x20)
			lo := strings.IndexByte(digits, s[i+2]|boolByte(s[i+2] >= 'A')*0x20)
			if hi >= 0 && lo >= 0 {
				b.WriteByte(byte(hi<<4 | lo))
				i += 2
				continue
			}
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

func boolByte(b bool) byte {
	if b {
		return 1
	}
	return 0
}
