package mask

import "strings"

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
	{ITIN, []string{"ddd-dd-dddd", "ddd-dddddd", "ddddd-dddd", "ddddddddd"}, validITIN, []string{"itin", "tax", "tax id", "taxpayer"}, 3},
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
	bit   typeSet
	text  string
	sure  bool
	words *wordSet
	lead  int // letters and separator before the first word with digits
	last  int // the last separator, counted from that word; 0 when it has none
	size  int // bytes from that word on
}

const longestWord = 17

// shapeTable tells which shapes can begin with a word that has digits: few words
// of a text get further.
type shapeTable struct {
	lists [][]shape
	// by holds the list by whether the word is all digits, by its length and by
	// that of the word after it, 0 when there is none.
	by [2][longestWord + 1][longestWord + 1]uint8
	// goOn tells whether there are any with a word after it.
	goOn [2][longestWord + 1]bool
}

func (t *shapeTable) add(numeric, n, next int, sh shape) {
	at := &t.by[numeric][n][next]
	if *at == 0 {
		*at = uint8(len(t.lists)) // there are some forty
		t.lists = append(t.lists, nil)
	}
	t.lists[*at] = append(t.lists[*at], sh)
	t.goOn[numeric][n] = t.goOn[numeric][n] || next > 0
}

// allShapes are those of all rules, sureShapes those that need no context.
var allShapes, sureShapes = shapeTable{lists: [][]shape{nil}}, shapeTable{lists: [][]shape{nil}}

func init() {
	list := func(numeric, n, next int, sh shape) {
		allShapes.add(numeric, n, next, sh)
		if sh.sure {
			sureShapes.add(numeric, n, next, sh)
		}
	}
	for r := range idRules {
		rule := &idRules[r]
		words := newWordSet(rule.words)
		for i, text := range rule.shapes {
			sh := shape{rule: rule, bit: setOf([]Type{rule.Type}), text: text, sure: i < rule.sure, words: words}
			parts := strings.Split(text, "-")
			if strings.Trim(parts[0], "L") == "" {
				sh.lead = len(parts[0]) + 1
				parts = parts[1:]
			}
			next := 0
			if len(parts) > 1 {
				next = len(parts[1])
				sh.last = strings.LastIndexByte(text, '-') - sh.lead
			}
			sh.size = len(text) - sh.lead
			if !strings.Contains(parts[0], "L") {
				list(1, len(parts[0]), next, sh)
			}
			if strings.Trim(parts[0], "d") != "" {
				list(0, len(parts[0]), next, sh)
			}
		}
	}
}

// idents finds the identifiers of idRules that have one of the shapes.
func (s *scanner) idents(l *layer, shapes *shapeTable) {
	t := l.text
	for i, w := range s.words {
		n := w.end - w.start
		if n > longestWord {
			continue
		}
		numeric := 0
		if w.numeric() {
			numeric = 1
		}
		by := &shapes.by[numeric][n]
		if by[0] != 0 {
			for i := range shapes.lists[by[0]] {
				s.identAt(l, w.start, &shapes.lists[by[0]][i])
			}
		}
		if !shapes.goOn[numeric][n] {
			continue
		}
		next := 0
		if i+1 < len(s.words) && s.words[i+1].start == w.end+1 {
			next = s.words[i+1].end - s.words[i+1].start
		} else {
			for p := w.end + 1; p < len(t) && next <= longestWord && isAlnum(t[p]); p++ {
				next++
			}
		}
		if next == 0 || next > longestWord || by[next] == 0 || !s.sepAt(t, w.end) {
			continue
		}
		for i := range shapes.lists[by[next]] {
			// Seldom are the last separator and the end in the right places.
			sh := &shapes.lists[by[next]][i]
			end := w.start + sh.size
			if end <= len(t) && t[w.start+sh.last] == t[w.end] && (end == len(t) || !isAlnum(t[end])) {
				s.identAt(l, w.start, sh)
			}
		}
	}
}

// identAt adds the identifier of one shape whose first word with digits begins at
// t[word], if it is one.
func (s *scanner) identAt(l *layer, word int, sh *shape) {
	t, start := l.text, word-sh.lead
	if s.types&sh.bit == 0 {
		return
	}
	end := start + len(sh.text)
	if start < 0 || end > len(t) || !bounded(t, start, end) {
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
	if sh.rule.check != nil && !sh.rule.check(id) {
		return
	}
	if sure := sh.sure || s.assume&sh.bit != 0; !sure && !near(t, start, sh.words) || l.tokenIn(start, end) {
		return
	}
	s.add(l, sh.rule.Type, start, end)
}
