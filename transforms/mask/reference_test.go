package mask

import (
	"bytes"
	"cmp"
	"slices"
)

// reference is the scanner as it was before it was made fast: one detector after
// the other goes over every byte of every layer, and none is left out because a
// text cannot hold what it looks for. The scanner must find what this finds.
// Checks of single values (Luhn, mod 97, national numbers) are shared: they have
// tests of their own.
type reference struct {
	names     nameSet
	where     Where
	layers    [maxLayers]plainLayer
	found     []match
	atsOfURLs []int
	digits    []byte
	groups    []group
	decoded   []byte
	words     []plainWord

	types     typeSet
	assume    typeSet
	truncates bool
	phones    phones
}

// newReference looks for what a Masker's scanner does.
func newReference(m *Masker) *reference {
	return &reference{names: m.scan.names, types: m.scan.types, assume: m.scan.assume, truncates: m.scan.truncates, phones: phones{m.region}}
}

type plainLayer struct {
	text []byte
	raw  []int32
	deep int

	tokens       []span
	tokensListed bool
}

type plainWord struct {
	span
	digits int
}

func inPlainNumber(c byte) bool { return isDigit(c) || c == ' ' || c == '+' || c == '-' }

func plainNear(t []byte, start int, words *wordSet) bool {
	return plainIn(words, t[max(0, start-contextWidth):start])
}

func plainIn(words *wordSet, t []byte) bool {
	for i, c := range t {
		if !isAlpha(c) || i > 0 && isAlpha(t[i-1]) && (!isLower(t[i-1]) || !isUpper(c)) {
			continue
		}
		for _, by := range words.by {
			for _, w := range by {
				if hasWord(t[i:], w) {
					return true
				}
			}
		}
	}
	return false
}

func (s *reference) scan(text []byte, where Where) []match {
	s.found, s.where = s.found[:0], where
	l := &s.layers[0]
	l.text, l.raw, l.deep, l.tokens, l.tokensListed = text, nil, 0, l.tokens[:0], false
	s.search(l)
	for d := 1; d < maxLayers && s.layers[d].decode(&s.layers[d-1]); d++ {
		s.search(&s.layers[d])
	}
	if len(s.found) > 1 {
		s.unite()
	}
	return s.found
}

// search runs every detector.
func (s *reference) search(l *plainLayer) {
	s.cards(l)
	s.colons(l)
	s.macs(l)
	s.listWords(l)
	s.ibans(l)
	s.ipv4s(l)
	s.cryptos(l)
	s.idents(l)
	s.phonesIn(l)
	s.atsOfURLs = s.atsOfURLs[:0]
	s.urlPasswords(l)
	s.emails(l)
	s.parameters(l)
	s.members(l)
	s.credentials(l)
	s.jwts(l)
	s.awsKeys(l)
}

func (s *reference) add(l *plainLayer, t Type, start, end int) {
	if !s.types.has(t) {
		return
	}
	s.found = append(s.found, match{
		Type: t, in: span{start, end}, deep: l.deep,
		raw: span{l.rawAt(start), l.rawAt(end)},
	})
}

func (s *reference) unite() {
	slices.SortFunc(s.found, func(a, b match) int {
		return cmp.Or(cmp.Compare(a.raw.start, b.raw.start), cmp.Compare(b.raw.end, a.raw.end), cmp.Compare(a.rank(), b.rank()), cmp.Compare(a.deep, b.deep))
	})
	out := s.found[:1]
	for _, m := range s.found[1:] {
		last := &out[len(out)-1]
		if m.raw.start >= last.raw.end {
			out = append(out, m)
			continue
		}
		whole := span{last.raw.start, max(last.raw.end, m.raw.end)}
		if m.prevails(*last) {
			*last = m
		}
		last.raw = whole
	}
	s.found = out
}

func (l *plainLayer) rawAt(i int) int {
	if l.raw == nil {
		return i
	}
	return int(l.raw[i])
}

func (l *plainLayer) width(i int) int {
	if l.raw == nil {
		return 1
	}
	return int(l.raw[i+1] - l.raw[i])
}

func (l *plainLayer) decode(src *plainLayer) bool {
	if nextEscape(src.text, 0) < 0 {
		return false
	}
	l.deep = src.deep + 1
	l.tokens, l.tokensListed = l.tokens[:0], false
	t := src.text
	text := slices.Grow(l.text[:0], len(t))[:len(t)]
	raw := slices.Grow(l.raw[:0], len(t)+1)[:len(t)+1]
	n := 0 // bytes of text so far
	for i := 0; i < len(t); {
		run := nextEscape(t, i)
		if run < 0 {
			run = len(t)
		}
		n += copy(text[n:], t[i:run])
		if src.raw == nil {
			for at, to := i, raw[n-(run-i):n]; at < run; at++ {
				to[at-i] = int32(at)
			}
		} else {
			copy(raw[n-(run-i):n], src.raw[i:run])
		}
		if i = run; i == len(t) {
			break
		}
		c, size := unescape(t, i), 3
		for l.deep >= firstCollapse && c == '%' && i+size+1 < len(t) && isHex(t[i+size], t[i+size+1]) {
			c = unescape(t, i+size-1)
			size += 2
		}
		text[n], raw[n] = c, int32(src.rawAt(i))
		n++
		i += size
	}
	raw[n] = int32(src.rawAt(len(t)))
	l.text, l.raw = text[:n], raw[:n+1]
	return true
}

func (l *plainLayer) tokenSpans() []span {
	if l.tokensListed {
		return l.tokens
	}
	l.tokensListed = true
	l.tokens = l.tokens[:0]
	for i := 0; ; {
		n := bytes.Index(l.text[i:], []byte(tokenHead))
		if n < 0 {
			return l.tokens
		}
		i += n
		if end := tokenEnd(l.text, i); end > 0 {
			l.tokens = append(l.tokens, span{i, end})
			i = end
		} else {
			i++
		}
	}
}

func (l *plainLayer) masked(start, end int) bool {
	v := l.text[start:end]
	return string(v) == redacted || tokenEnd(v, 0) == len(v)
}

func (l *plainLayer) tokenIn(start, end int) bool {
	for _, t := range l.tokenSpans() {
		if t.start < end && t.end > start {
			return true
		}
	}
	return false
}

func (s *reference) listWords(l *plainLayer) {
	t := l.text
	s.words = s.words[:0]
	tokens := l.tokenSpans()
	for i := 0; i < len(t); {
		if !isDigit(t[i]) {
			i++
			continue
		}
		w := plainWord{span: span{i, i}}
		for w.start > 0 && isAlnum(t[w.start-1]) {
			w.start--
		}
		for i < len(t) && isAlnum(t[i]) {
			if isDigit(t[i]) {
				w.digits++
			}
			i++
		}
		w.end = i
		if w.start > 0 && t[w.start-1] == '%' && w.end-w.start >= 2 && isHex(t[w.start], t[w.start+1]) {
			// The digits of an escape belong to no number.
			for _, c := range t[w.start : w.start+2] {
				if isDigit(c) {
					w.digits--
				}
			}
			if w.start += 2; w.digits == 0 {
				continue
			}
		}
		for len(tokens) > 0 && tokens[0].end <= w.start {
			tokens = tokens[1:]
		}
		if len(tokens) > 0 && w.end > tokens[0].start {
			if i < tokens[0].end {
				i = tokens[0].end
			}
			continue
		}
		s.words = append(s.words, w)
	}
}

func (s *reference) sepAt(t []byte, i int) bool {
	if i+1 >= len(t) || !isAlnum(t[i+1]) {
		return false
	}
	switch t[i] {
	case ' ', '-', '.':
		return true
	case '+':
		return s.where == Query || s.where == Referrer
	}
	return false
}
