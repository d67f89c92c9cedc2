package mask

import (
	"bytes"
	"encoding/base64"
)

// jwts finds JSON web tokens: dotted segments of base64url of which one begins
// with "eyJ", base64 of `{"`. A header alone is no secret.
func (s *scanner) jwts(l *layer) {
	t := l.text
	for j := nextByte(t, 'J', 0); j >= 0; { // the rarest of the three
		p := j - 2
		if p < 0 || t[p] != 'e' || t[p+1] != 'y' {
			j = nextByte(t, 'J', j+1)
			continue
		}
		end := p
		for end < len(t) && (isBase64URL(t[end]) || t[end] == '.') {
			end++
		}
		s.jwtIn(l, p, end)
		j = nextByte(t, 'J', end)
	}
}

// jwtIn looks for a token in a run of base64url and dots that begins with eyJ.
func (s *scanner) jwtIn(l *layer, p, end int) {
	t := l.text
	for p >= 0 && p < end {
		dot := bytes.IndexByte(t[p:end], '.')
		if dot < 0 {
			return
		}
		rest := t[p+dot+1 : end]
		atWord := p == 0 || !isAlnum(t[p-1])
		if dot >= 8 && len(rest) >= 10 && (atWord || bytes.HasPrefix(rest, []byte("eyJ"))) {
			for t[end-1] == '.' {
				end--
			}
			s.add(l, JWT, p, end)
			return
		}
		next := bytes.Index(rest, []byte("eyJ"))
		if next < 0 {
			return
		}
		p += dot + 1 + next
	}
}

// awsKeys finds AWS access key ids, long-term and temporary, and secret keys
// within awsNear bytes of one.
func (s *scanner) awsKeys(l *layer) {
	t := l.text
	for i := nextByte(t, 'I', 0); i >= 0; i = nextByte(t, 'I', i+1) {
		p := i - 2
		if p < 0 || i+1 == len(t) || t[i+1] != 'A' || t[p] != 'A' || t[p+1] != 'K' && t[p+1] != 'S' || p > 0 && isUpperOrDigit(t[p-1]) {
			continue
		}
		end := p
		for end < len(t) && isUpperOrDigit(t[end]) {
			end++
		}
		if end-p == awsIDLen {
			s.add(l, AWSKeyID, p, end)
			s.awsSecrets(l, max(0, p-awsNear), min(len(t), end+awsNear))
		}
		i = end - 1
	}
}

const (
	awsIDLen     = 20
	awsSecretLen = 40
	awsNear      = 256
)

// awsSecrets finds runs of exactly 40 characters of base64 with letters of both
// cases and a digit.
func (s *scanner) awsSecrets(l *layer, lo, hi int) {
	t := l.text
	for lo > 0 && isBase64(t[lo-1]) {
		lo--
	}
	for i := lo; i < hi; {
		if !isBase64(t[i]) {
			i++
			continue
		}
		start, mix := i, 0
		for i < len(t) && isBase64(t[i]) {
			mix |= charClass(t[i])
			i++
		}
		if i-start == awsSecretLen && mix&7 == 7 {
			s.add(l, AWSSecret, start, i)
		}
	}
}

// credentials finds what follows "Bearer " and "Basic ", with a plus for the
// space too. Both begin with a B, which texts have fewer of than spaces.
func (s *scanner) credentials(l *layer) {
	t := l.text
	from := 0
	for low, high := nextByte(t, 'b', 0), nextByte(t, 'B', 0); low >= 0 || high >= 0; {
		b := low
		if low < 0 || high >= 0 && high < low {
			b = high
			high = nextByte(t, 'B', b+1)
		} else {
			low = nextByte(t, 'b', b+1)
		}
		if b+1 == len(t) {
			return
		}
		var typ Type
		var name string
		switch t[b+1] | 0x20 {
		case 'e':
			typ, name = Bearer, "bearer"
		case 'a':
			typ, name = Basic, "basic"
		default:
			continue
		}
		space := b + len(name)
		if space < from || space >= len(t) || t[space] != ' ' && t[space] != '+' || wordBefore(t, space, name) != b {
			continue
		}
		start := space + 1
		for start < len(t) && (t[start] == ' ' || t[start] == '+') {
			start++
		}
		end := start
		for end < len(t) && (isBase64(t[end]) || isBase64URL(t[end]) || t[end] == '.' || t[end] == '~' || t[end] == '=') {
			end++
		}
		if start == end || l.masked(start, end) {
			continue
		}
		if afterAuthorization(t, b) || typ == Bearer && randomLooking(t[start:end]) || typ == Basic && s.userAndPassword(t[start:end]) {
			s.add(l, typ, start, end)
			from = end
		}
	}
}

// wordBefore returns where the word that ends at t[:end] begins, in any case of
// letters; end when another or a longer word is there.
func wordBefore(t []byte, end int, word string) int {
	start := end - len(word)
	if start < 0 || start > 0 && isAlnum(t[start-1]) {
		return end
	}
	for i := range len(word) {
		if t[start+i]|0x20 != word[i] {
			return end
		}
	}
	return start
}

// afterAuthorization tells whether t[:i] ends in the header's name.
func afterAuthorization(t []byte, i int) bool {
	for i > 0 && (t[i-1] == ' ' || t[i-1] == '+' || t[i-1] == ':' || t[i-1] == '=') {
		i--
	}
	return wordBefore(t, i, "authorization") != i
}

// randomLooking tells credentials from the next word of a sentence.
func randomLooking(b []byte) bool {
	mix := 0
	for _, c := range b {
		mix |= charClass(c)
	}
	return len(b) >= 20 || len(b) >= 8 && (mix&4 != 0 || mix&3 == 3 && isLower(b[0]))
}

// userAndPassword tells whether b is base64 of text with a colon.
func (s *scanner) userAndPassword(b []byte) bool {
	b = bytes.TrimRight(b, "=")
	if len(b)%4 == 1 {
		b = b[:len(b)-1] // cut short
	}
	s.decoded = append(s.decoded[:0], make([]byte, base64.RawStdEncoding.DecodedLen(len(b)))...)
	n, err := base64.RawStdEncoding.Decode(s.decoded, b)
	return err == nil && bytes.IndexByte(s.decoded[:n], ':') >= 0
}

func isUpperOrDigit(c byte) bool { return isUpper(c) || isDigit(c) }
func isBase64(c byte) bool       { return isAlnum(c) || c == '+' || c == '/' }
func isBase64URL(c byte) bool    { return isAlnum(c) || c == '-' || c == '_' }

// charClass is 1 for lower case, 2 for upper case, 4 for digits, 0 otherwise.
func charClass(c byte) int {
	switch {
	case isLower(c):
		return 1
	case isUpper(c):
		return 2
	case isDigit(c):
		return 4
	}
	return 0
}
