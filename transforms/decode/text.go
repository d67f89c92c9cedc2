package decode

import (
	"encoding/binary"
	"unicode/utf8"
)

const (
	ones     = 0x0101010101010101
	highBits = 0x80 * ones
)

// unusual has a high bit set somewhere when one of the eight bytes of x is not
// printable ASCII or is a backslash. A borrow or carry can mark a byte too many,
// but only next to one that is marked rightly.
func unusual(x uint64) uint64 {
	return (x | (x + ones) | (x - 0x20*ones) | ((x ^ '\\'*ones) - ones)) & highBits
}

// isPlain tells whether b is printable ASCII without a backslash, so that its
// text is the bytes as they stand. Eight bytes at a time: this runs over every
// line and spares each field its own check.
func isPlain(b []byte) bool {
	if len(b) < 8 {
		for _, c := range b {
			if c-0x20 >= 0x7f-0x20 || c == '\\' {
				return false
			}
		}
		return true
	}
	last := binary.LittleEndian.Uint64(b[len(b)-8:])
	odd := unusual(last)
	for len(b) >= 32 {
		odd |= unusual(binary.LittleEndian.Uint64(b)) |
			unusual(binary.LittleEndian.Uint64(b[8:])) |
			unusual(binary.LittleEndian.Uint64(b[16:])) |
			unusual(binary.LittleEndian.Uint64(b[24:]))
		b = b[32:]
	}
	for len(b) >= 8 {
		odd |= unusual(binary.LittleEndian.Uint64(b))
		b = b[8:]
	}
	return odd == 0
}

// maxScratch is how much scratch a parser keeps between lines, so that one
// monstrous line does not hold its memory for the rest of the run.
const maxScratch = 1 << 20

// scratch holds the texts of one line that are not views into it.
type scratch struct {
	raw []byte // one field with its escapes undone
	out []byte // the finished texts of the line, one behind the other
}

func (s *scratch) reset() {
	if cap(s.out) > maxScratch {
		*s = scratch{}
	}
	s.out = s.out[:0]
}

// text returns the text of a field: see the package comment. It is a view into
// b when nothing had to change.
func (s *scratch) text(b []byte) []byte {
	if isPlain(b) {
		return b
	}
	s.raw = appendUnescaped(s.raw[:0], b)
	start := len(s.out)
	s.out = appendPrintable(s.out, s.raw)
	return s.out[start:len(s.out):len(s.out)]
}

// appendUnescaped undoes the escapes of Apache and nginx. A backslash that
// begins none of them stands for itself.
func appendUnescaped(dst, b []byte) []byte {
	for i := 0; i < len(b); i++ {
		c := b[i]
		if c != '\\' || i+1 == len(b) {
			dst = append(dst, c)
			continue
		}
		switch e := b[i+1]; e {
		case '"', '\\':
			c = e
		case 'b':
			c = '\b'
		case 'f':
			c = '\f'
		case 'n':
			c = '\n'
		case 'r':
			c = '\r'
		case 't':
			c = '\t'
		case 'v':
			c = '\v'
		case 'x', 'X':
			if i+3 >= len(b) || unhex(b[i+2]) > 15 || unhex(b[i+3]) > 15 {
				dst = append(dst, c)
				continue
			}
			c = unhex(b[i+2])<<4 | unhex(b[i+3])
			i += 2
		default:
			dst = append(dst, c)
			continue
		}
		dst = append(dst, c)
		i++
	}
	return dst
}

// appendPrintable writes b as valid UTF-8 without control characters: what is
// neither is spelt \xnn, byte by byte.
func appendPrintable(dst, b []byte) []byte {
	for i := 0; i < len(b); {
		c := b[i]
		if c < utf8.RuneSelf {
			if c < 0x20 || c == 0x7f {
				dst = appendHex(dst, c)
			} else {
				dst = append(dst, c)
			}
			i++
			continue
		}
		r, n := utf8.DecodeRune(b[i:])
		if r == utf8.RuneError && n == 1 || r < 0xa0 { // r < 0xa0: a C1 control
			for _, c := range b[i : i+n] {
				dst = appendHex(dst, c)
			}
		} else {
			dst = append(dst, b[i:i+n]...)
		}
		i += n
	}
	return dst
}

func appendHex(dst []byte, c byte) []byte {
	const digits = "0123456789abcdef"
	return append(dst, '\\', 'x', digits[c>>4], digits[c&15])
}

// unhex is the value of a hexadecimal digit, or more than 15.
func unhex(c byte) byte {
	switch {
	case c-'0' <= 9:
		return c - '0'
	case c|0x20 >= 'a' && c|0x20 <= 'f':
		return c | 0x20 - 'a' + 10
	}
	return 0xff
}
