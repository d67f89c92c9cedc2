package mask

import (
	"cmp"
	"slices"
)

// Kinds of bytes that something to find must contain. One pass over a text
// collects which kinds it has; only their detectors look at it again.
const (
	hasAt      = 1 << iota // e-mail address, URL password
	hasPercent             // escapes
	hasEquals              // parameter
	hasQuote               // JSON member
	hasJ                   // "eyJ", which begins a JWT
	hasI                   // "AKIA", "ASIA"
	hasSpace               // "Bearer ", "Basic "; also "+"
	inNumber               // digit or separator of a card number
)

// wordTypes are found at words with digits; colonTypes also without any.
var (
	wordTypes  = setOf(allTypes[IBAN.rank():])
	cardType   = setOf([]Type{Card})
	ibanType   = setOf([]Type{IBAN})
	ipType     = setOf([]Type{IP})
	macType    = setOf([]Type{MAC})
	cryptoType = setOf([]Type{Crypto})
	phoneType  = setOf([]Type{Phone})
	colonTypes = ipType | macType
)

// kinds maps a byte to its kinds.
var kinds = func() (t [256]byte) {
	t['@'], t['%'], t['='], t['"'] = hasAt, hasPercent, hasEquals, hasQuote
	t['J'], t['I'] = hasJ, hasI
	t[' '], t['+'], t['-'] = hasSpace|inNumber, hasSpace|inNumber, inNumber
	for c := '0'; c <= '9'; c++ {
		t[c] = inNumber
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
	if has&hasPercent != 0 {
		for d := 1; d < maxLayers && s.layers[d].decode(&s.layers[d-1]); d++ {
			s.search(&s.layers[d])
		}
	}
	if len(s.found) > 1 {
		s.unite()
	}
	return s.found
}

// search runs the detectors that a layer's bytes call for.
func (s *scanner) search(l *layer) (has byte) {
	has = kindsIn(l.text)
	if has&inNumber != 0 && s.types&cardType != 0 {
		s.cards(l)
	}
	if s.types&wordTypes != 0 {
		s.numbers(l, has)
	}
	if has&(hasAt|hasEquals|hasQuote|hasJ|hasI|hasSpace) == 0 {
		return has
	}
	if has&hasAt != 0 {
		s.atsOfURLs = s.atsOfURLs[:0]
		s.urlPasswords(l)
		s.emails(l)
	}
	if has&hasEquals != 0 {
		s.parameters(l)
	}
	if has&hasQuote != 0 {
		s.members(l)
	}
	if has&hasSpace != 0 {
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

// numbers runs the detectors of wordTypes.
func (s *scanner) numbers(l *layer, has byte) {
	if s.types&colonTypes != 0 {
		s.colons(l)
		if s.types&macType != 0 {
			s.macs(l)
		}
	}
	if has&inNumber == 0 {
		return
	}
	s.listWords(l)
	if len(s.words) == 0 {
		return
	}
	if s.types&ibanType != 0 {
		s.ibans(l)
	}
	if s.types&ipType != 0 {
		s.ipv4s(l)
	}
	if s.types&cryptoType != 0 {
		s.cryptos(l)
	}
	s.idents(l)
	if s.types&phoneType != 0 {
		s.phonesIn(l)
	}
}

// add records a finding in a layer.
func (s *scanner) add(l *layer, t Type, start, end int) {
	if !s.types.has(t) {
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
