package mask

import "millrace/schemas/pii"

// Options of a Masker; the zero value is the default.
type Options struct {
	// Secrets are the parameters whose values are secrets; DefaultSecrets when
	// nil.
	Secrets []SecretName
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
}

// Slots of the memos: 4 MiB and 0.5 MiB.
const visitorSlots, valueSlots = 1 << 14, 1 << 11

// New makes a Masker. keyID, 1 to 16 of a-z and 0-9, appears in every token.
func New(keyID string, key [32]byte, o Options) *Masker {
	if o.Secrets == nil {
		o.Secrets = DefaultSecrets()
	}
	return &Masker{
		tokens:   NewTokenizer(keyID, key),
		scan:     scanner{names: newNameSet(o.Secrets)},
		visitors: newMemo(visitorSlots),
		values:   newMemo(valueSlots),
	}
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
		value := m.scan.layers[f.deep].text
		switch {
		case f.Type == Email:
			m.scratch = AppendEmail(m.scratch[:0], value[f.in.start:f.in.end])
			dst = m.appendToken(dst, string(Email), m.scratch)
		case f.Type == Card:
			m.scratch = AppendDigits(m.scratch[:0], value[f.in.start:f.in.end])
			dst = m.appendToken(dst, string(Card), m.scratch)
		default:
			dst = append(dst, redacted...)
		}
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
