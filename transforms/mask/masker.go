package mask

import "millrace/schemas/pii"

// Options of a Masker; the zero value is the default.
type Options struct {
	// Secrets are the parameters whose values are secrets; DefaultSecrets when
	// nil.
	Secrets []SecretName
	// Types are what a scan looks for; AllTypes when nil.
	Types []Type
	// Assume are types that the text is known to hold: their shape and check
	// are enough, no word need say what a number is.
	Assume []Type
	// Methods say what becomes of findings, where not of DefaultMethod's.
	Methods map[Type]Method
	// Reversible, when set, is told of every token made, its type as tokens spell
	// it and the value in its normal form: for a Vault. The same token comes as
	// often as it is met. Arguments are valid until it returns.
	Reversible func(token []byte, typ string, value []byte)
	// Region is the country of telephone numbers without a country code, two
	// capital letters; none when empty.
	Region string
}

// Masker masks texts with one key. It reuses its memory and is not for
// concurrent use: every goroutine has its own. Equal keys and options give
// equal results.
type Masker struct {
	tokens   *Tokenizer
	scan     scanner
	visitors memo
	values   memo
	scratch  []byte
	again    []byte
	methods  []Method // by rank of the type
	region   string
	tell     func(token []byte, typ string, value []byte)

	cipher    *FF1 // of FPE, once needed
	newCipher func() *FF1
}

// Slots of the memos: 4 MiB and 0.5 MiB.
const visitorSlots, valueSlots = 1 << 14, 1 << 11

// New makes a Masker. keyID, 1 to 16 of a-z and 0-9, appears in every token.
func New(keyID string, key [32]byte, o Options) *Masker {
	if o.Secrets == nil {
		o.Secrets = DefaultSecrets()
	}
	if o.Types == nil {
		o.Types = AllTypes()
	}
	m := &Masker{
		tokens:   NewTokenizer(keyID, key),
		scan:     scanner{names: newNameSet(o.Secrets), types: setOf(o.Types), assume: setOf(o.Assume), phones: phones{o.Region}},
		visitors: newMemo(visitorSlots),
		values:   newMemo(valueSlots),
		region:   o.Region,
		tell:     o.Reversible,
	}
	m.newCipher = func() *FF1 { return newCipher(keyID, key) }
	for _, t := range allTypes {
		method := DefaultMethod(t)
		if chosen, ok := o.Methods[t]; ok {
			method = chosen
		}
		m.methods = append(m.methods, method)
		if method == Keep {
			m.scan.types &^= setOf([]Type{t})
		}
	}
	m.scan.truncates = m.methods[IP.rank()] == Truncate
	return m
}

// maxRounds bounds how often a text is searched again.
const maxRounds = 8

// AppendMasked appends text with its findings replaced. When something was
// replaced, the result is searched again, since a replacement may bring
// together what stood apart; this ends when nothing is found. A text that still
// yields findings after eight rounds is withdrawn as a whole.
func (m *Masker) AppendMasked(dst []byte, text pii.Text, where Where) []byte {
	b := pii.Reveal(text)
	found := m.scan.scan(b, where)
	if len(found) == 0 {
		return append(dst, b...)
	}
	begin := len(dst)
	dst = m.appendReplaced(dst, b, found)
	for range maxRounds {
		found = m.scan.scan(dst[begin:], where)
		if len(found) == 0 {
			return dst
		}
		m.again = append(m.again[:0], dst[begin:]...)
		dst = m.appendReplaced(dst[:begin], m.again, found)
	}
	return append(dst[:begin], redacted...)
}

// appendReplaced appends text with its findings replaced, once.
func (m *Masker) appendReplaced(dst, text []byte, found []match) []byte {
	at := 0
	for _, f := range found {
		dst = append(dst, text[at:f.raw.start]...)
		at = f.raw.end
		layer := &m.scan.layers[f.deep]
		dst = m.appendFinding(dst, f.Type, layer.text[f.in.start:f.in.end])
	}
	return append(dst, text[at:]...)
}

// Find returns the findings of a text in order. They do not overlap.
func (m *Masker) Find(text pii.Text, where Where) []Finding {
	var out []Finding
	for _, f := range m.scan.scan(pii.Reveal(text), where) {
		out = append(out, Finding{Type: f.Type, Start: f.raw.start, End: f.raw.end})
	}
	return out
}
