package mask

import (
	"bytes"
	"cmp"
	"math/bits"
	"slices"
)

// Kinds of bytes that something to find must contain. One pass over a short text
// collects which kinds it has; only their detectors look at it again.
const (
	hasAt      = 1 << iota // e-mail address, URL password
	hasPercent             // escapes
	hasEquals              // parameter
	hasQuote               // JSON member
	hasJ                   // "eyJ", which begins a JWT
	hasI                   // "AKIA", "ASIA"
	hasB                   // "Bearer ", "Basic "
	inNumber               // digit or separator of a card number
)

// kinds maps a byte to its kinds.
var kinds = func() (t [256]byte) {
	t['@'], t['%'], t['='], t['"'] = hasAt, hasPercent, hasEquals, hasQuote
	t['J'], t['I'], t['B'], t['b'] = hasJ, hasI, hasB, hasB
	for c, in := range inCard {
		if in {
			t[c] = inNumber
		}
	}
	return t
}()

// kindsIn returns the kinds of bytes in a text.
func kindsIn(b []byte) (has byte) {
	for len(b) >= 8 {
		has |= kinds[b[0]] | kinds[b[1]] | kinds[b[2]] | kinds[b[3]] |
			kinds[b[4]] | kinds[b[5]] | kinds[b[6]] | kinds[b[7]]
		b = b[8:]
	}
	for _, c := range b {
		has |= kinds[c]
	}
	return has
}

// wordTypes are found at words with digits; colonTypes also without any.
var (
	everyType  = setOf(allTypes)
	wordTypes  = setOf(allTypes[IBAN.rank():])
	cardType   = setOf([]Type{Card})
	cryptoType = setOf([]Type{Crypto})
	ibanType   = setOf([]Type{IBAN})
	ipType     = setOf([]Type{IP})
	macType    = setOf([]Type{MAC})
	phoneType  = setOf([]Type{Phone})
	colonTypes = ipType | macType
)

// match is a finding in a layer.
type match struct {
	Type
	raw  span // in the raw text
	in   span // in the layer
	deep int  // the layer
}

// scanner finds. Its memory is reused from text to text.
type scanner struct {
	names  nameSet
	where  Where
	layers [maxLayers]layer
	found  []match
	// atsOfURLs are the @ of the current layer that end a URL's user and
	// password; they belong to no e-mail address.
	atsOfURLs []int
	digits    []byte
	groups    []group
	decoded   []byte
	survey    survey // of the current layer
	pathEnd   int    // of the current layer
	words     []word

	types     typeSet // to look for
	assume    typeSet // to find without context
	truncates bool    // whether addresses become their network, so that a network is no finding
	phones    phones
}

// scan returns the findings of a text in order; overlapping ones are united.
// The result is valid until the next call.
func (s *scanner) scan(text []byte, where Where) []match {
	s.found, s.where = s.found[:0], where
	l := &s.layers[0]
	l.text, l.raw, l.deep, l.tokens, l.tokensListed = text, nil, 0, l.tokens[:0], false
	has := s.search(l)
	for d := 1; has&hasPercent != 0 && d < maxLayers && s.layers[d].decode(&s.layers[d-1]); d++ {
		s.search(&s.layers[d])
	}
	if len(s.found) > 1 {
		s.unite()
	}
	return s.found
}

// search runs the detectors over a layer and returns which kinds of bytes it may
// have. Each detector begins with what is rarest in what it looks for, so where
// words with digits are looked for in any case, kinds are not collected first.
func (s *scanner) search(l *layer) (has byte) {
	surveyed := s.types&wordTypes != 0
	if surveyed {
		has = ^byte(0)
		s.numbers(l)
	} else if has = kindsIn(l.text); has&inNumber != 0 && s.types&cardType != 0 {
		s.cards(l, 0, len(l.text))
	}
	if has&^(inNumber|hasPercent) == 0 {
		return has
	}
	if has&hasAt != 0 && nextByte(l.text, '@', 0) >= 0 {
		s.atsOfURLs = s.atsOfURLs[:0]
		s.urlPasswords(l)
		s.emails(l)
	}
	if has&hasEquals != 0 {
		s.parameters(l)
	}
	if surveyed {
		s.membersByColon(l)
	} else if has&hasQuote != 0 {
		s.members(l)
	}
	if has&hasB != 0 {
		s.credentials(l)
	}
	if has&hasJ != 0 {
		s.jwts(l)
	}
	if has&hasI != 0 {
		s.awsKeys(l)
	}
	return has
}

// numbers runs the detectors of cards and of wordTypes, where the survey of the
// layer has something for them.
func (s *scanner) numbers(l *layer) {
	v := &s.survey
	v.fill(l.text)
	s.pathEnd = pathEnd(l.text, s.where)
	if s.types&colonTypes != 0 && v.manyColons() {
		s.colons(l)
	}
	if s.types&macType != 0 {
		s.macs(l)
	}
	if s.types&ibanType != 0 {
		s.ibans(l)
	}
	end := 0
	for b := range len(v.blocks) - 1 {
		for at := v.longStretches(b); at != 0; at &= at - 1 {
			if start := b*blockLen + bits.TrailingZeros64(at); start >= end {
				n := v.stretch(start)
				s.numbersIn(l, n)
				end = n.end
			}
		}
	}
	end = 0
	for b := range len(v.blocks) - 1 {
		for at := v.longRuns(b) | v.beneficiaries(b); at != 0; at &= at - 1 {
			start := b*blockLen + bits.TrailingZeros64(at)
			if start < end {
				continue
			}
			if end = v.runEnd(start); v.digitIn(start, end) {
				s.listWords(l, start, end)
				s.idents(l, &allShapes)
				if s.types&cryptoType != 0 {
					s.cryptos(l)
				}
			}
		}
	}
}

// numbersIn searches a stretch of digits and what may stand between them.
func (s *scanner) numbersIn(l *layer, n number) {
	if n.digits < minPhone && !fewDigits(l.text, n) {
		return
	}
	if n.digits >= minPAN && s.types&cardType != 0 {
		s.cards(l, n.start, n.end)
	}
	s.listWords(l, n.start, n.end)
	if s.types&ipType != 0 && s.ipv4s(l) && len(s.words) == 4 && !beforeNumber(l.text, s.words[0].start) {
		return // all of the stretch is an address: nothing in it is wider
	}
	shapes, idents, phones := &allShapes, true, s.types&phoneType != 0
	if s.silent(l, n) {
		shapes, idents, phones = &sureShapes, s.sureIdents(), phones && s.surePhone(l, n)
	}
	if idents {
		s.idents(l, shapes)
	}
	if phones {
		s.phonesIn(l)
	}
}

// beforeNumber tells whether a plus or parenthesis stands before t[i], which would make
// a telephone number wider than its digits, or a letter and a separator, which would an
// identifier.
func beforeNumber(t []byte, i int) bool {
	return i > 0 && (t[i-1] == '+' || t[i-1] == '(' || i > 1 && isAlpha(t[i-2]))
}

// fewDigits tells whether a stretch of less than seven digits can be something:
// an IP address, or the digits of a UK national insurance number, which stand
// behind two letters. All other numbers have more.
func fewDigits(t []byte, n number) bool {
	if n.digits >= 4 && n.end-n.start >= len("1.2.3.4") && bytes.Count(t[n.start:n.end], []byte(".")) >= 3 {
		return true
	}
	return n.digits == 6 && n.start >= 2 && (isAlpha(t[n.start-1]) || isAlpha(t[n.start-2]))
}

// add records a finding in a layer.
func (s *scanner) add(l *layer, t Type, start, end int) {
	if s.types != everyType && !s.types.has(t) {
		return
	}
	s.found = append(s.found, match{
		Type: t, in: span{start, end}, deep: l.deep,
		raw: span{l.rawAt(start), l.rawAt(end)},
	})
}

// unite merges overlapping findings. Of a secret and anything else the secret
// wins; otherwise the wider one.
func (s *scanner) unite() {
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

func (m match) prevails(o match) bool {
	if m.secret() != o.secret() {
		return m.secret()
	}
	if a, b := m.raw.end-m.raw.start, o.raw.end-o.raw.start; a != b {
		return a > b
	}
	return m.rank() < o.rank()
}
