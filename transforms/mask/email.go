package mask

import (
	"bytes"
	"unicode"
	"unicode/utf8"
)

// emails finds addresses around each @: a local part of RFC 5322 atoms (less
// the characters that delimit URLs), and a domain of at least two labels whose
// last begins with two letters. Letters of any script count, and so does a byte
// that is no UTF-8: it is a letter of some other encoding.
func (s *scanner) emails(l *layer) {
	t, tokens, urls := l.text, l.tokenSpans(), s.atsOfURLs
	end := 0
	for at := nextByte(t, '@', 0); at >= 0; at = nextByte(t, '@', at+1) {
		for len(urls) > 0 && urls[0] < at {
			urls = urls[1:]
		}
		if len(urls) > 0 && urls[0] == at {
			continue
		}
		low, high := end, len(t)
		for len(tokens) > 0 && tokens[0].end <= at {
			low = max(low, tokens[0].end)
			tokens = tokens[1:]
		}
		if len(tokens) > 0 {
			high = tokens[0].start
		}
		start := s.localStart(l, at, low)
		if start == at {
			continue
		}
		if e := domainEnd(t[:high], at+1); e > 0 {
			s.add(l, Email, start, e)
			end = e
		}
	}
}

// localStart returns where the local part that ends before t[at] begins; at
// when there is none.
func (s *scanner) localStart(l *layer, at, low int) int {
	t, i, plus, pluses := l.text, at, 0, 0
	for i > low {
		c := t[i-1]
		if c < utf8.RuneSelf {
			if !inLocal[c] {
				break
			}
			if c == '+' && l.width(i-1) == 1 {
				if pluses++; pluses == 1 {
					plus = i
				}
			}
			i--
			continue
		}
		n := letterBefore(t[low:i])
		if n == 0 {
			break
		}
		i -= n
	}
	if i > low && t[i-1] == '%' && i+2 <= at && hexValue(t[i])|hexValue(t[i+1]) < 16 {
		i += 2 // the digits of an escape
	}
	// In a query a plus that is not escaped is a space, but people forget to
	// escape that of "name+tag@": one plus is taken for a tag, more for spaces.
	if pluses > 1 && s.where != Path && s.where != UserAgent {
		i = max(i, plus)
	}
	for i < at && t[i] < utf8.RuneSelf && !isAlnum(t[i]) && t[i] != '_' {
		i++
	}
	return i
}

// letterBefore returns the length of the letter that ends b, 0 for none.
func letterBefore(b []byte) int {
	r, n := utf8.DecodeLastRune(b)
	if r == utf8.RuneError && n == 1 || unicode.In(r, unicode.L, unicode.M, unicode.Nd) {
		return n
	}
	return 0
}

// letterAt returns the length of the letter that begins b, 0 for none.
func letterAt(b []byte) int {
	r, n := utf8.DecodeRune(b)
	if r == utf8.RuneError && n == 1 || unicode.In(r, unicode.L, unicode.M, unicode.Nd) {
		return n
	}
	return 0
}

// domainEnd returns where the longest plausible domain at t[from:] ends, or -1.
func domainEnd(t []byte, from int) int {
	e := from
	for e < len(t) {
		c := t[e]
		switch {
		case isAlnum(c), c == '-' && e > from, c == '.' && e > from && t[e-1] != '.':
			e++
			continue
		case c >= utf8.RuneSelf:
			if n := letterAt(t[e:]); n > 0 {
				e += n
				continue
			}
		}
		break
	}
	// Take labels away from the end until the last one can be a top-level
	// domain, at least in its beginning: "example.com-1" ends after "com".
	file := false
	for {
		for e > from && (t[e-1] == '.' || t[e-1] == '-') {
			e--
		}
		dot := bytes.LastIndexByte(t[from:e], '.')
		if dot < 0 {
			return -1
		}
		dot += from
		label := t[dot+1 : e]
		if isFileExtension(label) {
			file = true
		} else if n := tldLen(label); n > 0 {
			if file && looksLikeVersion(t[from:dot]) {
				return -1
			}
			return dot + 1 + n
		}
		e = dot
	}
}

// tldLen returns how many bytes of a label make a top-level domain: two letters
// or more, or all of a label in Punycode.
func tldLen(label []byte) int {
	if len(label) > 4 && bytes.EqualFold(label[:4], []byte("xn--")) {
		return len(label)
	}
	n, letters := 0, 0
	for n < len(label) {
		if label[n] < utf8.RuneSelf {
			if !isAlpha(label[n]) {
				break
			}
			n++
		} else {
			n += letterAt(label[n:])
		}
		letters++
	}
	if letters < 2 || isFileExtension(label[:n]) {
		return 0
	}
	return n
}

// looksLikeVersion tells a number as in "2x" (logo@2x.min.png) or "3.6.0"
// (jquery@3.6.0.slim.js) from a domain.
func looksLikeVersion(b []byte) bool {
	i := 0
	for i < len(b) && isDigit(b[i]) {
		i++
	}
	return i > 0 && (i == len(b) || b[i]|0x20 == 'x' || b[i] == '.' && i+1 < len(b) && isDigit(b[i+1]))
}

// isFileExtension tells the ends of file names that are no top-level domains.
func isFileExtension(label []byte) bool {
	if len(label) < 2 || len(label) > 5 {
		return false
	}
	var low [5]byte
	return fileExtensions[string(appendLower(low[:0], label))]
}

var fileExtensions = map[string]bool{
	"png": true, "jpg": true, "jpeg": true, "gif": true, "svg": true, "webp": true, "avif": true, "ico": true,
	"bmp": true, "tif": true, "tiff": true, "css": true, "js": true, "mjs": true, "cjs": true, "map": true,
	"json": true, "html": true, "htm": true, "xml": true, "php": true, "txt": true, "pdf": true, "woff": true,
	"woff2": true, "ttf": true, "otf": true, "eot": true, "mp3": true, "mp4": true, "webm": true, "mpg": true,
	"gz": true, "tgz": true, "min": true,
}

// inLocal are the ASCII characters of a local part.
var inLocal = func() (t [128]bool) {
	for c := range t {
		t[c] = isAlnum(byte(c))
	}
	for _, c := range ".-_+~!$*^'" {
		t[c] = true
	}
	return t
}()

// nextByte returns the index of the next c at or after from, or -1.
func nextByte(t []byte, c byte, from int) int {
	if n := bytes.IndexByte(t[from:], c); n >= 0 {
		return from + n
	}
	return -1
}
