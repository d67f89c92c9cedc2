package decode

import (
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"millrace/schemas/badrow"
)

// JSONLines reads logs of one JSON object a line by a mapping. Objects may have
// any other members; they are passed over without being kept.
type JSONLines struct {
	assembly
	root  node
	line  []byte
	at    int
	texts []byte // strings that had escapes
}

// node is a step on the way to a member.
type node struct {
	field
	below map[string]*node
}

// reach is the node behind the names, made if need be.
func (n *node) reach(names []string) *node {
	for _, name := range names {
		if n.below == nil {
			n.below = map[string]*node{}
		}
		if n.below[name] == nil {
			n.below[name] = &node{}
		}
		n = n.below[name]
	}
	return n
}

const maxJSONDepth = 32

// NewJSONLines makes a decoder; the mapping must be valid.
func NewJSONLines(m Mapping) *JSONLines {
	d := &JSONLines{}
	for key, place := range m {
		n := d.root.reach(strings.Split(place, "."))
		n.field = ecsFields[key]
		d.has[n.field] = true
	}
	return d
}

// Decode reads a line. One that breaks off inside the object is Truncated.
func (d *JSONLines) Decode(line []byte, into *AccessLog) (bool, badrow.Reason) {
	skip, reason := d.fields(line)
	if skip || reason != badrow.None {
		return skip, reason
	}
	return false, d.finish(into)
}

// EventTime implements Decoder.
func (d *JSONLines) EventTime(line []byte) (int64, bool) { return d.clock(d.fields(line)) }

// fields finds the members of an object that the mapping names.
func (d *JSONLines) fields(line []byte) (bool, badrow.Reason) {
	line = TrimMark(line)
	d.line, d.at, d.texts = line, 0, d.texts[:0]
	d.space()
	if d.at == len(line) {
		return true, badrow.None
	}
	if line[d.at] != '{' {
		return false, badrow.Format
	}
	clear(d.raw[:])
	reason := d.value(&d.root, 0)
	if reason == badrow.None {
		d.space()
		if d.at < len(line) {
			reason = badrow.Format
		}
	}
	return false, reason
}

// Detail implements Decoder.
func (d *JSONLines) Detail() *Detail { return &d.detail }

func (d *JSONLines) space() {
	for d.at < len(d.line) && (d.line[d.at] == ' ' || d.line[d.at] == '\t' || d.line[d.at] == '\r' || d.line[d.at] == '\n') {
		d.at++
	}
}

// next skips white space and returns the byte there, 0 at the end.
func (d *JSONLines) next() byte {
	d.space()
	if d.at < len(d.line) {
		return d.line[d.at]
	}
	return 0
}

// fail is the reason for stopping here.
func (d *JSONLines) fail() badrow.Reason {
	if d.at >= len(d.line) {
		return badrow.Truncated
	}
	return badrow.Format
}

// value reads a value; n is nil where the mapping has nothing.
func (d *JSONLines) value(n *node, depth int) badrow.Reason {
	if depth > maxJSONDepth {
		return badrow.Format
	}
	switch c := d.next(); c {
	case '{', '[':
		return d.members(n, depth, c)
	case '"':
		text, reason := d.text()
		if reason == badrow.None && n != nil && n.field != fieldNone {
			d.set(n.field, text)
		}
		return reason
	case 0:
		return badrow.Truncated
	}
	from := d.at
	for d.at < len(d.line) && literalByte[d.line[d.at]] {
		d.at++
	}
	literal := d.line[from:d.at]
	switch {
	case len(literal) == 0:
		return badrow.Format
	case string(literal) == "null", n == nil, n.field == fieldNone:
		return badrow.None
	}
	d.set(n.field, literal)
	return badrow.None
}

var literalByte = byteSet("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.+-")

// members reads an object or a list. What lies in a list is named by its number.
func (d *JSONLines) members(n *node, depth int, open byte) badrow.Reason {
	end := open + 2 // '}' behind '{', ']' behind '['
	d.at++
	if d.next() == end {
		d.at++
		return badrow.None
	}
	for i := 0; ; i++ {
		var below *node
		if open == '[' && n != nil && n.below != nil {
			below = n.below[strconv.Itoa(i)]
		}
		if open == '{' {
			if d.next() != '"' {
				return d.fail()
			}
			name, reason := d.text()
			if reason != badrow.None {
				return reason
			}
			if n != nil && n.below != nil {
				below = n.below[string(name)]
			}
			if d.next() != ':' {
				return d.fail()
			}
			d.at++
		}
		if reason := d.value(below, depth+1); reason != badrow.None {
			return reason
		}
		switch d.next() {
		case ',':
			d.at++
		case end:
			d.at++
			return badrow.None
		default:
			return d.fail()
		}
	}
}

// text reads a string: a view into the line, or a copy when it has escapes.
func (d *JSONLines) text() ([]byte, badrow.Reason) {
	d.at++
	from := d.at
	for d.at < len(d.line) {
		switch c := d.line[d.at]; {
		case c == '"':
			d.at++
			return d.line[from : d.at-1], badrow.None
		case c == '\\':
			return d.escaped(from)
		case c < 0x20:
			return nil, badrow.Format
		}
		d.at++
	}
	return nil, badrow.Truncated
}

// escaped goes on from the first escape.
func (d *JSONLines) escaped(from int) ([]byte, badrow.Reason) {
	start := len(d.texts)
	d.texts = append(d.texts, d.line[from:d.at]...)
	for d.at < len(d.line) {
		c := d.line[d.at]
		d.at++
		switch {
		case c == '"':
			return d.texts[start:len(d.texts):len(d.texts)], badrow.None
		case c < 0x20:
			return nil, badrow.Format
		case c != '\\':
			d.texts = append(d.texts, c)
			continue
		case d.at >= len(d.line):
			return nil, badrow.Truncated
		}
		e := d.line[d.at]
		d.at++
		const plain, means = `"\/bfnrt`, "\"\\/\b\f\n\r\t"
		if i := strings.IndexByte(plain, e); i >= 0 {
			d.texts = append(d.texts, means[i])
			continue
		}
		if e != 'u' {
			return nil, badrow.Format
		}
		r, ok := d.hex4()
		if !ok {
			return nil, d.fail()
		}
		if utf16.IsSurrogate(r) && d.at+1 < len(d.line) && d.line[d.at] == '\\' && d.line[d.at+1] == 'u' {
			d.at += 2
			low, ok := d.hex4()
			if !ok {
				return nil, d.fail()
			}
			r = utf16.DecodeRune(r, low)
		}
		d.texts = utf8.AppendRune(d.texts, r)
	}
	return nil, badrow.Truncated
}

func (d *JSONLines) hex4() (r rune, ok bool) {
	for range 4 {
		if d.at >= len(d.line) || unhex(d.line[d.at]) > 15 {
			return 0, false
		}
		r = r<<4 | rune(unhex(d.line[d.at]))
		d.at++
	}
	return r, true
}
