package attribution

import (
	"bytes"
	"unicode/utf8"
)

// parsed are the parameters of a query that say something, as views of it.
type parsed struct {
	values [fields][]byte
	click  *click
}

// parameters looks through a query.
func (a *Attributor) parameters(query []byte, p *parsed) {
	if hash := bytes.IndexByte(query, '#'); hash >= 0 {
		query = query[:hash]
	}
	for len(query) > 0 {
		end := bytes.IndexByte(query, '&')
		pair := query
		if end >= 0 {
			pair, query = query[:end], query[end+1:]
		} else {
			query = nil
		}
		eq := bytes.IndexByte(pair, '=')
		if eq <= 0 || eq == len(pair)-1 { // without a name or a value
			continue
		}
		if name, ok := a.name(pair[:eq]); ok {
			a.take(name, pair[eq+1:], p)
		}
	}
}

// name is that of a parameter in lower case, if it can be one of the rules'.
func (a *Attributor) name(b []byte) ([]byte, bool) {
	names := &a.rules.names
	if len(b) > 4 && string(b[:4]) == "amp;" {
		b = b[4:]
	}
	if len(b) > 3*names.longest || b[0] != '%' && !names.first[fold(b[0])] {
		return nil, false
	}
	if len(b) > names.longest && bytes.IndexByte(b, '%') < 0 {
		return nil, false
	}
	a.nameBuf = a.nameBuf[:0]
	for i := 0; i < len(b); i++ {
		c := b[i]
		if c == '%' {
			if v, ok := escape(b, i); ok {
				c, i = v, i+2
			}
		}
		a.nameBuf = append(a.nameBuf, fold(c))
	}
	return a.nameBuf, true
}

func (a *Attributor) take(name, value []byte, p *parsed) {
	if f, ok := a.rules.parameters[string(name)]; ok {
		if p.values[f] == nil {
			if value = a.decoded(value); len(value) > 0 {
				p.values[f] = value
			}
		}
		return
	}
	if c := a.rules.clicks[string(name)]; c != nil && (p.click == nil || c.order < p.click.order) {
		p.click = c
	}
}

const (
	maxValue  = 256 // bytes of a text, see the package comment
	maxRounds = 3   // of percent-decoding
	maxRaw    = 27 * maxValue
)

// decoded appends a value's text to the texts and returns it.
func (a *Attributor) decoded(raw []byte) []byte {
	if len(raw) > maxRaw {
		raw = raw[:maxRaw]
	}
	from := len(a.texts)
	a.texts = append(a.texts, raw...)
	text := a.texts[from:]
	for i, c := range text {
		if c == '+' {
			text[i] = ' '
		}
	}
	for range maxRounds {
		n, again := unescape(text)
		text = text[:n]
		if !again {
			break
		}
	}
	return clean(text)
}

// unescape decodes in place and tells whether escapes are left.
func unescape(text []byte) (n int, again bool) {
	at := bytes.IndexByte(text, '%')
	if at < 0 {
		return len(text), false
	}
	n = at
	for i := at; i < len(text); i++ {
		c := text[i]
		if c == '%' {
			if v, ok := escape(text, i); ok {
				c, i = v, i+2
				again = again || c == '%'
			}
		}
		text[n] = c
		n++
	}
	return n, again
}

// escape is the byte that the percent sign b[i] escapes.
func escape(b []byte, i int) (byte, bool) {
	if i+2 >= len(b) {
		return 0, false
	}
	high, low := hexValue(b[i+1]), hexValue(b[i+2])
	return high<<4 | low, high|low < 16
}

// hexValue is 16 or more for what is no digit.
func hexValue(c byte) byte {
	switch {
	case c >= '0' && c <= '9':
		return c - '0'
	case c >= 'a' && c <= 'f':
		return c - 'a' + 10
	case c >= 'A' && c <= 'F':
		return c - 'A' + 10
	}
	return 0x80
}

// clean makes a text fit to be stored: valid UTF-8, without control characters
// and spaces around it, and no longer than maxValue.
func clean(text []byte) []byte {
	ascii := true
	for i, c := range text {
		switch {
		case c < ' ' || c == 0x7f:
			text[i] = ' '
		case c >= 0x80:
			ascii = false
		}
	}
	text = bytes.Trim(text, " ")
	if !ascii && !utf8.Valid(text) {
		text = bytes.ToValidUTF8(text, []byte("\uFFFD"))
	}
	if len(text) > maxValue {
		n := maxValue
		for n > 0 && !utf8.RuneStart(text[n]) {
			n--
		}
		text = bytes.TrimRight(text[:n], " ")
	}
	return text
}
