package mask

import (
	"bytes"
	"encoding/base64"
	"net/netip"
	"sort"
	"unicode/utf8"

	"github.com/nyaruka/phonenumbers"
)

func (s *reference) cards(l *plainLayer) {
	t := l.text
	end := 0
	for i := minPAN - 1; i < len(t); i += minPAN {
		if i < end || !inPlainNumber(t[i]) {
			continue
		}
		lo, hi := i, i+1
		for lo > end && inPlainNumber(t[lo-1]) {
			lo--
		}
		for hi < len(t) && inPlainNumber(t[hi]) {
			hi++
		}
		end = hi
		if hi-lo >= minPAN {
			s.cardsIn(l, lo, hi)
		}
	}
}

func (s *reference) cardsIn(l *plainLayer, lo, hi int) {
	digits := 0
	for _, c := range l.text[lo:hi] {
		if isDigit(c) {
			digits++
		}
	}
	if digits < minPAN {
		return
	}
	tokens := l.tokenSpans()
	if i := sort.Search(len(tokens), func(i int) bool { return tokens[i].end > lo }); i < len(tokens) && tokens[i].start < hi {
		if tokens[i].start > lo {
			s.cardsIn(l, lo, tokens[i].start)
		}
		if tokens[i].end < hi {
			s.cardsIn(l, tokens[i].end, hi)
		}
		return
	}
	s.groups = splitGroups(s.groups[:0], l.text, lo, hi)
	for g := 0; g < len(s.groups); {
		if n := s.cardAt(l, g); n > 0 {
			s.add(l, Card, s.groups[g].start, s.groups[g+n-1].end)
			g += n
		} else {
			g++
		}
	}
}

func (s *reference) cardAt(l *plainLayer, g int) (best int) {
	s.digits = s.digits[:0]
	for n := g; n < len(s.groups) && (n == g || s.groups[n].joined); n++ {
		p := s.groups[n]
		if len(s.digits)+p.end-p.start > maxPAN {
			return best
		}
		s.digits = append(s.digits, l.text[p.start:p.end]...)
		if len(s.digits) >= minPAN && IsPAN(s.digits) && !partOfHash(l.text, s.groups[g].start, p.end) {
			if best = n - g + 1; len(s.digits) == usualPAN {
				return best
			}
		}
	}
	return best
}

func (s *reference) ibans(l *plainLayer) {
	t := l.text
	end := 0
	for _, w := range s.words {
		if w.start < end || w.end-w.start < 4 || w.start+15 > len(t) {
			continue
		}
		p := w.start
		if !isAlpha(t[p]) || !isAlpha(t[p+1]) || !isDigit(t[p+2]) || !isDigit(t[p+3]) {
			continue
		}
		n := int(ibanLengths[letterPair(t[p], t[p+1])])
		if n == 0 {
			continue
		}
		if e := s.ibanEnd(t, p, n); e > 0 && bounded(t, p, e) && !l.tokenIn(p, e) {
			s.add(l, IBAN, p, e)
			end = e
		}
	}
}

func (s *reference) ibanEnd(t []byte, p, n int) int {
	low := isLower(t[p])
	id := s.digits[:0]
	i := p
	for ; i < len(t) && len(id) < n; i++ {
		c := t[i]
		switch {
		case isDigit(c):
		case isAlpha(c):
			if isLower(c) != low {
				return -1
			}
			c &^= 0x20
		case len(id) >= 4 && c != '.' && s.sepAt(t, i):
			continue
		default:
			return -1
		}
		id = append(id, c)
	}
	s.digits = id
	if len(id) < n || i < len(t) && isAlnum(t[i]) || !mod97(id) {
		return -1
	}
	return i
}

func (s *reference) ipv4s(l *plainLayer) {
	t, words := l.text, s.words
	for i := 0; i+3 < len(words); i++ {
		w := words[i]
		if w.end-w.start > 3 || !(w.digits == w.end-w.start) {
			continue
		}
		n := 1
		for ; n < 4; n++ {
			before, next := words[i+n-1], words[i+n]
			if next.start != before.end+1 || t[before.end] != '.' || next.end-next.start > 3 || !(next.digits == next.end-next.start) {
				break
			}
		}
		if n < 4 {
			i += n - 1
			continue
		}
		start, end := w.start, words[i+3].end
		if start >= 3 && t[start-3] == '%' && isHex(t[start-2], t[start-1]) {
			i += 3 // decoded, it shows what stands before it
			continue
		}
		if bounded(t, start, end) && lastDotIPv4(t[start:end]) > 0 && !(s.truncates && t[end-1] == '0' && t[end-2] == '.') && !isVersion(t, start, end, s.where) {
			s.add(l, IP, start, end)
		}
		i += 3
	}
}

func (s *reference) colons(l *plainLayer) {
	t := l.text
	end := 0
	for c := nextByte(t, ':', 0); c >= 0; {
		lo, hi, colons := c, c+1, 1
		double := false
		for lo > end && (hexValue(t[lo-1]) < 16 || t[lo-1] == '.') {
			lo--
		}
		for hi < len(t) && (hexValue(t[hi]) < 16 || t[hi] == ':' || t[hi] == '.') {
			if t[hi] == ':' {
				colons++
				double = double || t[hi-1] == ':'
			}
			hi++
		}
		if (double || colons >= 5 && colons <= 7) && hi-lo <= maxIPv6+2 {
			s.colonsIn(l, lo, hi, colons, double)
		}
		end = hi
		if hi >= len(t) {
			return
		}
		c = nextByte(t, ':', hi)
	}
}

func (s *reference) colonsIn(l *plainLayer, lo, hi, colons int, double bool) {
	t := l.text
	if lo > 0 && joins(t[lo-1]) || hi < len(t) && joins(t[hi]) {
		return
	}
	for hi > lo && t[hi-1] == '.' {
		hi--
	}
	if hi-1 > lo && t[hi-1] == ':' && t[hi-2] != ':' {
		hi-- // "from 2001:db8::1: refused"
	}
	if l.tokenIn(lo, hi) {
		return
	}
	if colons == 5 && !double {
		if s.types&macType != 0 && isMAC(t[lo:hi], ':') {
			s.add(l, MAC, lo, hi)
		}
		return
	}
	if s.types&ipType == 0 {
		return
	}
	a, err := netip.ParseAddr(string(t[lo:hi]))
	if err != nil || s.truncates && TruncateAddr(a) == a {
		return
	}
	if hi-lo <= 2 && s.assume&ipType == 0 && !plainNear(t, lo, ipWords) {
		return
	}
	s.add(l, IP, lo, hi)
}

func (s *reference) macs(l *plainLayer) {
	t := l.text
	for _, form := range []struct {
		sep         byte
		group, size int
	}{{'-', 2, 17}, {'.', 4, 14}} {
		for i := nextByte(t, form.sep, 0); i >= 0; i = nextByte(t, form.sep, i+1) {
			start := i - form.group
			if start < 0 || start+form.size > len(t) || t[i+form.group+1] != form.sep {
				continue
			}
			end := start + form.size
			if isMAC(t[start:end], form.sep) && bounded(t, start, end) && !l.tokenIn(start, end) {
				s.add(l, MAC, start, end)
			}
		}
	}
}

func (s *reference) cryptos(l *plainLayer) {
	t := l.text
	for _, w := range s.words {
		b := t[w.start:w.end]
		if len(b) < 25 || len(b) > 90 {
			continue
		}
		if (isBase58Address(b) || isBech32(b)) && bounded(t, w.start, w.end) {
			s.add(l, Crypto, w.start, w.end)
		}
	}
}

func (s *reference) idents(l *plainLayer) {
	for _, w := range s.words {
		for _, list := range allShapes.lists {
			for i := range list {
				s.identAt(l, w.start, &list[i])
			}
		}
	}
}

func (s *reference) identAt(l *plainLayer, word int, sh *shape) {
	t, start := l.text, word-sh.lead
	if s.types&sh.bit == 0 {
		return
	}
	if start < 0 || start+len(sh.text) > len(t) {
		return
	}
	id, sep := s.digits[:0], byte(0)
	for i := range len(sh.text) {
		c := t[start+i]
		switch sh.text[i] {
		case 'd':
			if !isDigit(c) {
				return
			}
		case 'L':
			if !isAlpha(c) {
				return
			}
		case 'X':
			if !isAlnum(c) {
				return
			}
		default:
			if sep == 0 && s.sepAt(t, start+i) {
				sep = c
			}
			if sep == 0 || c != sep { // a byte of zero is none
				return
			}
			continue
		}
		if isLower(c) {
			c &^= 0x20
		}
		id = append(id, c)
	}
	s.digits = id
	end := start + len(sh.text)
	if !bounded(t, start, end) || sh.rule.check != nil && !sh.rule.check(id) {
		return
	}
	if sure := sh.sure || s.assume&sh.bit != 0; !sure && !plainNear(t, start, sh.words) || l.tokenIn(start, end) {
		return
	}
	s.add(l, sh.rule.Type, start, end)
}

func (s *reference) phonesIn(l *plainLayer) {
	t, words := l.text, s.words
	end := 0
	for i := range words {
		w := words[i]
		if w.start < end || !isDigit(t[w.start]) {
			continue
		}
		// Alone it must be long enough, else another one must follow closely.
		if w.end-w.start < minPhone && (i+1 == len(words) || words[i+1].start-w.end > 3) {
			continue
		}
		// A word that only ends in letters may be a number with an extension.
		start, stop, digits, groups := s.phoneRun(t, i, end)
		if digits < minPhone {
			continue
		}
		if plusIsSpace(t, start, l.width(start), s.where) {
			start++
		}
		if t[start] == '(' && bytes.IndexByte(t[start:stop], ')') < 0 {
			start++ // "(201-380-2023)"
		}
		if e := s.phoneAt(l, start, stop, digits, groups); e > 0 {
			s.add(l, Phone, start, e)
			end = e
		} else if groups > 1 {
			end = 0
		}
	}
}

func (s *reference) phoneRun(t []byte, i, low int) (start, end, digits, groups int) {
	w := s.words[i]
	start, end = w.start, w.end
	if start > low && t[start-1] == '(' {
		start--
		if start > low+1 && t[start-1] == ' ' && isDigit(t[start-2]) {
			start++
		}
	}
	if start > low && t[start-1] == '+' {
		start--
	}
	lead := w.start
	for lead < w.end && isDigit(t[lead]) {
		lead++
	}
	if lead < w.end && !isExtension(t[lead:w.end]) {
		return start, end, 0, 0
	}
	digits, groups = lead-w.start, 1
	if lead < w.end {
		return start, end, digits, groups
	}
	for j := i + 1; j < len(s.words); j++ {
		next := s.words[j]
		if !s.phoneGap(t[end:next.start], end < pathEnd(t, s.where)) {
			break
		}
		lead := next.start
		for lead < next.end && isDigit(t[lead]) {
			lead++
		}
		if lead == next.start || lead < next.end && !isExtension(t[lead:next.end]) || digits+lead-next.start > maxPhone {
			break
		}
		digits += lead - next.start
		groups++
		end = next.end
		if lead < next.end {
			break
		}
	}
	return start, end, digits, groups
}

func (s *reference) phoneGap(b []byte, inPath bool) bool {
	switch string(b) {
	case " ", "-", ".", ") ", ")", " (", "(", ")-", ") (", "-(", " - ":
		return true
	case "/":
		return !inPath
	case "+", ")+", "+(":
		return s.where == Query || s.where == Referrer
	}
	return false
}

func (s *reference) phoneAt(l *plainLayer, start, end, digits, groups int) int {
	t := l.text
	if start > 0 && joins(t[start-1]) && !(start >= 3 && t[start-3] == '%' && isHex(t[start-2], t[start-1])) || end < len(t) && joins(t[end]) || l.tokenIn(start, end) {
		return -1
	}
	international := t[start] == '+' || len(t)-start > 1 && t[start] == '(' && t[start+1] == '+'
	if international {
		if s.validPhone(t[start:end], "ZZ") {
			return end
		}
		if e := s.lessGroups(t, start, end); e > 0 {
			return e
		}
	}
	if !bounded(t, start, end) {
		return -1
	}
	if digits == 10 && isNANP(t[start:end]) && s.validPhone(t[start:end], "US") {
		return end
	}
	if s.where == UserAgent || dateLike(t[start:end]) {
		return -1
	}
	if groups > 1 && s.phones.regional(t[start:end]) {
		return end
	}
	if digits >= minPhone && (s.assume&phoneType != 0 || phoneSaid(t, start, end, s.where, pathEnd(t, s.where), plainIn)) {
		return end
	}
	return -1
}

func (s *reference) lessGroups(t []byte, start, end int) int {
	for i := end - 1; i > start+minPhone; i-- {
		if !isDigit(t[i]) && isDigit(t[i-1]) && s.validPhone(t[start:i], "ZZ") {
			return i
		}
	}
	return -1
}

func (s *reference) validPhone(b []byte, region string) bool {
	n, err := phonenumbers.Parse(dialled(b), region)
	return err == nil && phonenumbers.IsValidNumber(n)
}

func (s *reference) emails(l *plainLayer) {
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

func (s *reference) localStart(l *plainLayer, at, low int) int {
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

func (s *reference) urlPasswords(l *plainLayer) {
	t := l.text
	for i := 0; ; {
		n := bytes.Index(t[i:], []byte("://"))
		if n < 0 {
			return
		}
		from := i + n + 3
		i = from
		end := plainAuthorityEnd(l, from, l.width(from-3))
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

func (s *reference) parameters(l *plainLayer) {
	t := l.text
	for eq := nextByte(t, '=', 0); eq >= 0; {
		next := eq + 1
		start := eq
		for start > 0 && inName[t[start-1]] {
			start--
		}
		if minLen := s.names.match(t[start:eq]); minLen > 0 {
			end := s.valueEnd(l, eq)
			if end-next >= minLen && !l.masked(next, end) {
				s.add(l, QuerySecret, next, end)
			}
			next = end
		}
		eq = nextByte(t, '=', next)
	}
}

func (s *reference) valueEnd(l *plainLayer, eq int) int {
	t, width := l.text, l.width(eq)
	ends := valueEnds[s.where]
	if s.where == Referrer && nextByte(t[:eq], '?', 0) >= 0 {
		ends = valueEnds[Query]
	}
	i := eq + 1
	if s.where == FreeText || s.where == UserAgent {
		if i < len(t) && (t[i] == '"' || t[i] == '\'') {
			if q := nextByte(t, t[i], i+1); q > 0 {
				return q + 1
			}
		}
	}
	for ; i < len(t); i++ {
		switch {
		case t[i] == ';' && !parameterFollows(t, i+1):
		case t[i] < 128 && ends[t[i]] && l.width(i) <= width:
			return i
		}
	}
	return len(t)
}

func (s *reference) members(l *plainLayer) {
	t := l.text
	for q := nextByte(t, '"', 0); q >= 0; q = nextByte(t, '"', q+1) {
		nameEnd := q
		if q > 0 && t[q-1] == '\\' {
			nameEnd--
		}
		name := nameEnd
		for name > 0 && inName[t[name-1]] {
			name--
		}
		i := skipSpaces(t, q+1)
		if name == nameEnd || i == len(t) || t[i] != ':' {
			continue
		}
		minLen := s.names.match(t[name:nameEnd])
		if minLen == 0 {
			continue
		}
		start, end := memberValue(t, skipSpaces(t, i+1))
		if end-start >= minLen && !l.masked(start, end) {
			s.add(l, QuerySecret, start, end)
		}
		q = max(q, end-1)
	}
}

func (s *reference) jwts(l *plainLayer) {
	t := l.text
	for i := 0; i < len(t); {
		n := bytes.Index(t[i:], []byte("eyJ"))
		if n < 0 {
			return
		}
		p := i + n
		end := p
		for end < len(t) && (isBase64URL(t[end]) || t[end] == '.') {
			end++
		}
		s.jwtIn(l, p, end)
		i = end
	}
}

func (s *reference) jwtIn(l *plainLayer, p, end int) {
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

func (s *reference) awsKeys(l *plainLayer) {
	t := l.text
	for i := 0; i+awsIDLen <= len(t); i++ {
		n := bytes.Index(t[i:], []byte("IA"))
		if n < 0 {
			return
		}
		i += n
		p := i - 2
		if p < 0 || t[p] != 'A' || t[p+1] != 'K' && t[p+1] != 'S' || p > 0 && isUpperOrDigit(t[p-1]) {
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

func (s *reference) awsSecrets(l *plainLayer, lo, hi int) {
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

func (s *reference) credentials(l *plainLayer) {
	t := l.text
	for i := 5; i < len(t); i++ {
		if t[i] != ' ' && t[i] != '+' {
			continue
		}
		var typ Type
		word := i
		switch t[i-1] | 0x20 {
		case 'r':
			typ, word = Bearer, wordBefore(t, i, "bearer")
		case 'c':
			typ, word = Basic, wordBefore(t, i, "basic")
		}
		if word == i {
			continue
		}
		start := i + 1
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
		if afterAuthorization(t, word) || typ == Bearer && randomLooking(t[start:end]) || typ == Basic && s.userAndPassword(t[start:end]) {
			s.add(l, typ, start, end)
			i = end - 1
		}
	}
}

func (s *reference) userAndPassword(b []byte) bool {
	b = bytes.TrimRight(b, "=")
	if len(b)%4 == 1 {
		b = b[:len(b)-1] // cut short
	}
	s.decoded = append(s.decoded[:0], make([]byte, base64.RawStdEncoding.DecodedLen(len(b)))...)
	n, err := base64.RawStdEncoding.Decode(s.decoded, b)
	return err == nil && bytes.IndexByte(s.decoded[:n], ':') >= 0
}

func plainAuthorityEnd(l *plainLayer, from, width int) int {
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
