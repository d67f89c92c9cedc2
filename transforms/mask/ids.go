package mask

// idRule is a type of identifier: shapes, a check, and the words that must be
// near where the shape alone is not enough.
//
// In a shape d is a digit, L a letter and X either; - is a separator, the same
// one in the whole number. Words of a shape are those of the text, so shapes
// with and without separators are different ones.
type idRule struct {
	Type
	shapes []string
	check  func(id []byte) bool // of the identifier in upper case, without separators; nil when the shape is all
	words  []string             // context
	sure   int                  // the first so many shapes need no context
}

var idRules = []idRule{
	{SSN, []string{"ddd-dd-dddd", "ddddddddd"}, validSSN, []string{"ssn", "social security", "soc sec"}, 1},
	{ITIN, []string{"ddd-dd-dddd", "ddd-dddddd", "ddddd-dddd", "ddddddddd"}, validITIN, []string{"itin", "tax", "taxpayer"}, 3},
	{MBI, []string{"XXXX-XXX-XXXX", "XXXXXXXXXXX"}, validMBI, []string{"mbi", "medicare", "beneficiary"}, 1},
	{NPI, []string{"dddddddddd", "dddd-ddd-ddd"}, validNPI, []string{"npi", "provider"}, 0},
	{Routing, []string{"ddddddddd", "dddd-dddd-d"}, validRouting, []string{"routing", "aba", "rtn", "transit"}, 0},
	{USBank, []string{
		"dddddddd", "ddddddddd", "dddddddddd", "ddddddddddd", "dddddddddddd", "ddddddddddddd", "dddddddddddddd",
		"ddddddddddddddd", "dddddddddddddddd", "ddddddddddddddddd",
	}, nil, []string{"bank account", "account number", "account no", "acct", "checking", "savings"}, 0},
	{USPassport, []string{"Ldddddddd", "ddddddddd"}, nil, []string{"passport"}, 0},
	{USLicense, []string{"Lddddddd", "Ldddddddd", "Lddddddddddddd", "ddddddd", "dddddddd", "dddd-dd-dddd"}, nil, []string{
		"driver license", "drivers license", "driver's license", "driving license", "driving licence", "driver permit", "dl number",
	}, 0},
	{Aadhaar, []string{"dddd-dddd-dddd", "dddddddddddd"}, validAadhaar, []string{"aadhaar", "aadhar", "uidai"}, 0},
	{INPAN, []string{"LLLLLddddL"}, validINPAN, nil, 1},
	{NHS, []string{"ddd-ddd-dddd", "dddddddddd"}, validNHS, []string{"nhs", "national health"}, 0},
	{NINO, []string{"LLddddddL", "LL-dd-dd-dd-L", "LL-ddddddL", "LL-dddddd-L"}, validNINO, nil, 4},
	{TFN, []string{"ddd-ddd-ddd", "ddddddddd"}, validTFN, []string{"tfn", "tax file"}, 0},
	{Medicare, []string{"dddd-ddddd-d", "dddddddddd"}, validMedicare, []string{"medicare"}, 0},
	{SIN, []string{"ddd-ddd-ddd", "ddddddddd"}, validSIN, []string{"sin", "social insurance"}, 0},
	{SteuerID, []string{"ddddddddddd", "dd-ddd-ddd-ddd"}, validSteuerID, []string{"steuer", "steueridentifikationsnummer", "idnr", "tax id", "tin"}, 0},
	{NIF, []string{"ddddddddL", "dddddddd-L", "LdddddddL", "L-ddddddd-L", "dddddddL", "ddddddd-L"}, validNIFShape, []string{"nif", "dni", "nie", "documento"}, 2},
	{CodFiscale, []string{"LLLLLLddLddLdddL"}, validFiscal, nil, 1},
	{PESEL, []string{"ddddddddddd"}, validPESEL, []string{"pesel"}, 0},
}

// validNIFShape refuses letters of a NIE other than X, Y, Z.
func validNIFShape(b []byte) bool {
	return (isDigit(b[0]) || b[0] >= 'X' && b[0] <= 'Z') && validNIF(b)
}

// shape is one shape of a rule.
type shape struct {
	rule  *idRule
	text  string
	sure  bool
	lead  int // letters and separator before the first word with digits
	parts int // separators
}

// shapesByLen holds the shapes whose first word with digits has that length;
// the second index tells whether a separator follows it.
var shapesByLen = func() (t [20][2][]shape) {
	for r := range idRules {
		rule := &idRules[r]
		for i, text := range rule.shapes {
			sh := shape{rule: rule, text: text, sure: i < rule.sure}
			rest := text
			if (text[0] == 'L' || text[0] == 'X') && len(text) > 2 && text[0] == 'L' {
				for n := range len(text) { // the first word has no digit: "LL-"
					if text[n] == '-' {
						sh.lead, rest = n+1, text[n+1:]
						break
					}
					if text[n] != 'L' {
						break
					}
				}
			}
			n := 0
			for n < len(rest) && rest[n] != '-' {
				n++
			}
			followed := 0
			if n < len(rest) {
				followed = 1
			}
			t[n][followed] = append(t[n][followed], sh)
		}
	}
	return t
}()

// idents finds the identifiers of idRules.
func (s *scanner) idents(l *layer) {
	t := l.text
	for _, w := range s.words {
		n := w.end - w.start
		if n >= len(shapesByLen) {
			continue
		}
		followed := 0
		if w.end < len(t) && s.sepAt(t, w.end) {
			followed = 1
		}
		for f := followed; f >= 0; f-- {
			for i := range shapesByLen[n][f] {
				sh := &shapesByLen[n][f][i]
				if s.types.has(sh.rule.Type) {
					s.identAt(l, w.start-sh.lead, sh)
				}
			}
		}
	}
}

// identAt adds the identifier of one shape at t[start:], if it is one.
func (s *scanner) identAt(l *layer, start int, sh *shape) {
	t := l.text
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
			if c != sep {
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
	if sure := sh.sure || s.assume.has(sh.rule.Type); !sure && !near(t, start, end, sh.rule.words, false) || l.tokenIn(start, end) {
		return
	}
	s.add(l, sh.rule.Type, start, end)
}
