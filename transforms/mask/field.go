package mask

import (
	"bytes"

	"millrace/schemas/pii"
)

// AppendField appends what a method makes of the value of a field of a class.
// It returns false, and dst as it was, when nothing of the field may stay. What
// masking left already (a token, REDACTED, a general form) stays as it is; only
// a value that FPE made cannot be told from one it has not, and is enciphered
// again. A value that a method cannot read is redacted, never passed.
func (m *Masker) AppendField(dst []byte, c Class, method Method, value pii.Text) ([]byte, bool) {
	b := pii.Reveal(value)
	if isMasked(b) || len(b) == 0 {
		return append(dst, b...), method != Drop
	}
	switch method {
	case Keep:
		return append(dst, b...), true
	case Scan:
		return m.AppendMasked(dst, value, FreeText), true
	case Tokenise:
		return m.appendClassToken(dst, c, b), true
	case Drop:
		return dst, false
	default: // the methods that may not be able to read the value
	}
	out, ok := dst, false
	switch method {
	case FPE:
		out, ok = m.appendEnciphered(dst, c, b)
	case Truncate:
		out, ok = AppendTruncated(dst, value)
	case Generalise:
		out, ok = appendGeneral(dst, c, b)
	default: // Redact
	}
	if !ok {
		return append(dst, redacted...), true
	}
	return out, true
}

// isMasked tells whether a whole value is what masking leaves behind.
func isMasked(b []byte) bool { return string(b) == redacted || tokenEnd(b, 0) == len(b) && len(b) > 0 }

// appendClassToken appends the token of a value in the normal form of its class.
func (m *Masker) appendClassToken(dst []byte, c Class, b []byte) []byte {
	if t := Type(c); t.rank() < len(allTypes) {
		m.scratch = appendNormal(m.scratch[:0], t, b, m.region)
	} else {
		m.scratch = append(m.scratch[:0], bytes.TrimSpace(b)...)
	}
	return m.appendToken(dst, c.tokenName(), m.scratch)
}

// appendEnciphered enciphers the digits of a value, all of them or the middle of
// a card's, and leaves its other characters where they are.
func (m *Masker) appendEnciphered(dst []byte, c Class, b []byte) ([]byte, bool) {
	digits := AppendDigits(nil, b)
	var made []byte
	var err error
	if Type(c) == Card {
		made, err = m.fpe().AppendPAN(nil, digits)
	} else {
		made, err = m.fpe().Encrypt(nil, digits, []byte(c))
	}
	if err != nil {
		return dst, false
	}
	for _, x := range b {
		switch {
		case isDigit(x):
			x, made = made[0], made[1:]
		case isAlnum(x) || x >= 0x80:
			return dst, false // letters would stay in the clear
		}
		dst = append(dst, x)
	}
	return dst, true
}

// fpe makes the cipher when it is first needed.
func (m *Masker) fpe() *FF1 {
	if m.cipher == nil {
		m.cipher = m.newCipher()
	}
	return m.cipher
}
