package clickevents

import (
	"encoding/binary"
	"math/bits"
	"unicode/utf8"
	"unsafe"
)

// object reads an object by members. known reads the value of a member that it knows
// and names its bit; of one that it does not know it gives none and reads nothing.
func (s *scanner) object(known func(name string) (bit uint64, ok bool), seen *uint64) bool {
	if s.next() != '{' || s.depth == scanDepth {
		return false
	}
	s.at++
	if s.next() == '}' {
		s.at++
		return true
	}
	s.depth++
	unknown := len(s.names)
	for {
		name, ok := s.quoted()
		if !ok || s.next() != ':' {
			return false
		}
		s.at++
		bit, ok := known(name)
		if !ok || *seen&bit != 0 {
			return false
		}
		if *seen |= bit; bit == 0 && (!s.note(name, unknown) || !s.skip()) {
			return false
		}
		switch s.next() {
		case ',':
			if s.at++; s.next() != '"' {
				return false
			}
		case '}':
			s.at++
			s.depth--
			s.names = s.names[:unknown]
			return true
		default:
			return false
		}
	}
}

// note keeps the name of an unknown member of an object whose names began at from.
func (s *scanner) note(name string, from int) bool {
	for _, n := range s.names[from:] {
		if n == name {
			return false
		}
	}
	s.names = append(s.names, name)
	return len(s.names)-from <= scanNames
}

// skip passes over a value of an unknown member.
func (s *scanner) skip() bool {
	switch s.next() {
	case '"':
		_, ok := s.quoted()
		return ok
	case '{':
		var seen uint64
		return s.object(func(string) (uint64, bool) { return 0, true }, &seen)
	case '[':
		return s.list()
	}
	return s.literal("true") || s.literal("false") || s.literal("null") || s.number()
}

// list passes over one.
func (s *scanner) list() bool {
	if s.depth == scanDepth {
		return false
	}
	s.at++
	if s.next() == ']' {
		s.at++
		return true
	}
	s.depth++
	for s.skip() {
		switch s.next() {
		case ',':
			s.at++
		case ']':
			s.at++
			s.depth--
			return true
		default:
			return false
		}
	}
	return false
}

func (s *scanner) null() bool { return s.literal("null") }

func (s *scanner) literal(word string) bool {
	s.space()
	if len(s.b)-s.at < len(word) || string(s.b[s.at:s.at+len(word)]) != word {
		return false
	}
	s.at += len(word)
	return true
}

// number passes over a number as RFC 8259 has it.
func (s *scanner) number() bool {
	s.space()
	if s.peek() == '-' {
		s.at++
	}
	if s.peek() == '0' {
		s.at++
	} else if !s.digits() {
		return false
	}
	if s.peek() == '.' {
		if s.at++; !s.digits() {
			return false
		}
	}
	if c := s.peek(); c == 'e' || c == 'E' {
		if s.at++; s.peek() == '+' || s.peek() == '-' {
			s.at++
		}
		return s.digits()
	}
	return true
}

func (s *scanner) digits() bool {
	from := s.at
	for s.at < len(s.b) && s.b[s.at]-'0' <= 9 {
		s.at++
	}
	return s.at > from
}

// peek is the byte that comes, 0 at the end.
func (s *scanner) peek() byte {
	if s.at < len(s.b) {
		return s.b[s.at]
	}
	return 0
}

func (s *scanner) space() {
	for s.at < len(s.b) && (s.b[s.at] == ' ' || s.b[s.at] == '\t' || s.b[s.at] == '\r' || s.b[s.at] == '\n') {
		s.at++
	}
}

// next passes over white space and gives the byte behind it, 0 at the end.
func (s *scanner) next() byte {
	if s.at < len(s.b) && s.b[s.at] > ' ' {
		return s.b[s.at]
	}
	s.space()
	return s.peek()
}

// quoted reads a text without escapes that is valid UTF-8.
func (s *scanner) quoted() (text string, ok bool) {
	if s.next() != '"' {
		return "", false
	}
	s.at++
	from, ascii := s.at, true
	for at := s.at; at < len(s.b); {
		if at+8 <= len(s.b) {
			// The lowest marked byte is the first that is no printable ASCII, or a
			// quote or backslash: below it nothing borrowed.
			const ones, high = 0x0101010101010101, 0x8080808080808080
			x := binary.LittleEndian.Uint64(s.b[at:])
			marks := (((x ^ ones*'"') - ones) | ((x ^ ones*'\\') - ones) | (x - ones*' ') | x) & high
			if marks == 0 {
				at += 8
				continue
			}
			at += bits.TrailingZeros64(marks) / 8
		}
		switch c := s.b[at]; {
		case c == '"':
			s.at = at + 1
			return view(s.b[from:at]), ascii || utf8.Valid(s.b[from:at])
		case c == '\\', c < ' ':
			return "", false
		case c >= utf8.RuneSelf:
			ascii = false
		}
		at++
	}
	return "", false
}

// view is bytes as a string, valid as long as they are.
func view(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }
