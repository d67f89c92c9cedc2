package mask

import "bytes"

// urlPasswords finds the password in scheme://user:password@host and notes the
// @ of each such URL.
func (s *scanner) urlPasswords(l *layer) {
	t := l.text
	for i := 0; ; {
		n := bytes.Index(t[i:], []byte("://"))
		if n < 0 {
			return
		}
		from := i + n + 3
		i = from
		end := authorityEnd(l, from, l.width(from-3))
		at := bytes.LastIndexByte(t[from:end], '@')
		if at < 0 {
			continue
		}
		at += from
		colon := bytes.IndexByte(t[from:at], ':')
		if colon < 0 {
			continue
		}
		colon += from
		s.atsOfURLs = append(s.atsOfURLs, at)
		if colon+1 < at && !l.masked(colon+1, at) {
			s.add(l, URLPassword, colon+1, at)
		}
		i = at
	}
}

// authorityEnd returns where the authority of a URL ends. A delimiter that is
// escaped more deeply than the URL itself is part of it.
func authorityEnd(l *layer, from, width int) int {
	t := l.text
	for i := from; i < len(t); i++ {
		switch t[i] {
		case '/', '?', '#', ' ', '\t', '"', '\'', '<', '>', '\\':
		case '&', ';':
			if !parameterFollows(t, i+1) {
				continue
			}
		default:
			continue
		}
		if l.width(i) <= width {
			return i
		}
	}
	return len(t)
}
