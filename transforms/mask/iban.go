package mask

import "math/bits"

// ibanLengths are the lengths of the countries in the IBAN registry (SWIFT), by
// the low five bits of their two letters; 0 for others.
var ibanLengths = func() (t [1 << 10]uint8) {
	const registry = "AD24AE23AL28AT20AZ28BA20BE16BG22BH22BI27BR29BY28CH21CR22CY28CZ24DE22DJ27DK18DO28EE20EG29ES24FI18FK18FO18FR27" +
		"GB22GE22GI23GL18GR27GT28HN28HR21HU28IE22IL23IQ23IS26IT27JO30KW30KZ20LB28LC32LI21LT20LU20LV21LY25MC27MD24ME22MK19MN20MR27" +
		"MT31MU30NI28NL18NO15OM23PK24PL28PS29PT25QA29RO24RS22RU33SA24SC31SD18SE24SI19SK24SM27SO23ST25SV28TL23TN24TR26UA29VA22VG24XK20YE30"
	for i := 0; i < len(registry); i += 4 {
		t[letterPair(registry[i], registry[i+1])] = (registry[i+2]-'0')*10 + registry[i+3] - '0'
	}
	return t
}()

// letterPair numbers pairs of letters in either case. Other bytes share numbers
// with letters.
func letterPair(a, b byte) int { return int(a&31)<<5 | int(b&31) }

// ibans finds account numbers that begin with a country and two check digits,
// written in one word or with a single space or dash between groups. Letters
// are all of one case.
func (s *scanner) ibans(l *layer) {
	end := 0
	for b := range len(s.survey.blocks) - 1 {
		for at := s.survey.letterPairs(b); at != 0; at &= at - 1 {
			if p := b*blockLen + bits.TrailingZeros64(at); p >= end {
				end = max(end, s.ibanAt(l, p))
			}
		}
	}
}

// ibanAt adds the account number whose two letters are at text[p] and returns
// where it ends; 0 for none.
func (s *scanner) ibanAt(l *layer, p int) (end int) {
	t := l.text
	n := int(ibanLengths[letterPair(t[p], t[p+1])])
	if n == 0 || p+15 > len(t) || p > 0 && isAlnum(t[p-1]) && !(p >= 3 && t[p-3] == '%') || !isAlpha(t[p]) || !isAlpha(t[p+1]) {
		return 0
	}
	if w := s.wordAt(t, p+2); w.start != p {
		return 0
	}
	e := s.ibanEnd(t, p, n)
	if e < 0 || !bounded(t, p, e) || l.tokenIn(p, e) {
		return 0
	}
	s.add(l, IBAN, p, e)
	return e
}

// ibanEnd returns where the account number of n characters at t[p:] ends, or -1.
func (s *scanner) ibanEnd(t []byte, p, n int) int {
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

// mod97 is the check of ISO 7064 mod 97-10 over an IBAN in upper case.
func mod97(id []byte) bool {
	r := 0
	for i := range id {
		c := id[(i+4)%len(id)]
		if isDigit(c) {
			r = (r*10 + int(c-'0')) % 97
		} else {
			r = (r*100 + int(c-'A') + 10) % 97
		}
	}
	return r == 1
}

// IsIBAN tells whether b, without separators and in upper case, is an IBAN.
func IsIBAN(b []byte) bool {
	if len(b) < 15 || int(ibanLengths[letterPair(b[0], b[1])]) != len(b) || !isUpper(b[0]) || !isUpper(b[1]) || !isDigit(b[2]) || !isDigit(b[3]) {
		return false
	}
	for _, c := range b {
		if !isDigit(c) && !isUpper(c) {
			return false
		}
	}
	return mod97(b)
}
