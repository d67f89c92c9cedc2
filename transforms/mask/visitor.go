package mask

import (
	"bytes"

	"millrace/schemas/pii"
)

// AppendVisitor appends the id of a visitor: the token of type "visitor" of the
// client's full address, 00, and the user agent. Spellings of one IP address
// count as one (IPv4 mapped into IPv6 as IPv4), host names in lower case.
func (m *Masker) AppendVisitor(dst []byte, addrOrHost, userAgent pii.Text) []byte {
	m.visitors.key = append(m.visitors.key[:0], pii.Reveal(addrOrHost)...)
	m.visitors.key = append(m.visitors.key, 0)
	m.visitors.key = append(m.visitors.key, pii.Reveal(userAgent)...)
	s, hit := m.visitors.find()
	if hit {
		return m.tokens.appendCode(dst, "visitor", &s.code)
	}
	m.scratch = append(appendCanonical(m.scratch[:0], pii.Reveal(addrOrHost)), 0)
	m.scratch = append(m.scratch, pii.Reveal(userAgent)...)
	c := m.tokens.code("visitor", m.scratch)
	if s != nil {
		s.code = c
	}
	return m.tokens.appendCode(dst, "visitor", &c)
}

// Visitor is AppendVisitor into a new string.
func (m *Masker) Visitor(addrOrHost, userAgent pii.Text) string {
	return string(m.AppendVisitor(nil, addrOrHost, userAgent))
}

// AppendSource appends the token of a client's full address, of type "ip" as that of
// an address found in a text, or of its host name, of type "host".
func (m *Masker) AppendSource(dst []byte, addrOrHost pii.Text) []byte {
	b := pii.Reveal(addrOrHost)
	m.scratch = appendCanonical(m.scratch[:0], b)
	if lastDotIPv4(b) < 0 && bytes.IndexByte(b, ':') < 0 {
		return m.appendToken(dst, "host", m.scratch)
	}
	return m.appendToken(dst, string(IP), m.scratch)
}

// AppendUser appends the token of type "user" of a user name, taken as it is:
// servers differ in whether case counts.
func (m *Masker) AppendUser(dst []byte, user pii.Text) []byte {
	return m.appendToken(dst, "user", pii.Reveal(user))
}

// AppendToken appends the token of a value of a type of its own, 1 to 16 of a-z, taken
// as it is: an id that others gave, of which nobody knows a normal form.
func (m *Masker) AppendToken(dst []byte, typ string, value pii.Text) []byte {
	return m.appendToken(dst, typ, pii.Reveal(value))
}

// User is AppendUser into a new string.
func (m *Masker) User(user pii.Text) string { return string(m.AppendUser(nil, user)) }

// appendToken appends a token, remembering it: texts repeat.
func (m *Masker) appendToken(dst []byte, typ string, normalised []byte) []byte {
	from := len(dst)
	m.values.key = append(append(append(m.values.key[:0], typ...), 0), normalised...)
	s, hit := m.values.find()
	if hit {
		dst = m.tokens.appendCode(dst, typ, &s.code)
	} else {
		c := m.tokens.code(typ, normalised)
		if s != nil {
			s.code = c
		}
		dst = m.tokens.appendCode(dst, typ, &c)
	}
	if m.tell != nil {
		m.tell(dst[from:], typ, normalised)
	}
	return dst
}
