package mask

import "math/bits"

// parameters finds the values of parameters with a secret's name. A value
// reaches to its end, whatever it holds.
func (s *scanner) parameters(l *layer) {
	t := l.text
	for eq := nextByte(t, '=', 0); eq >= 0; {
		next := eq + 1
		start := eq
		for start > 0 && inName[t[start-1]] {
			start--
		}
		if minLen := s.names.match(t[start:eq]); minLen > 0 {
			end := s.valueEnd(l, eq)
			if end-next >= minLen && !l.masked(next, end) {
				s.add(l, QuerySecret, next, end)
			}
			next = end
		}
		eq = nextByte(t, '=', next)
	}
}

// valueEnd returns where the value after the equals sign t[eq] ends. A
// delimiter that is escaped more deeply than the equals sign is part of it.
func (s *scanner) valueEnd(l *layer, eq int) int {
	t, width := l.text, l.width(eq)
	ends := valueEnds[s.where]
	if s.where == Referrer && nextByte(t[:eq], '?', 0) >= 0 {
		ends = valueEnds[Query]
	}
	i := eq + 1
	if s.where == FreeText || s.where == UserAgent {
		if i < len(t) && (t[i] == '"' || t[i] == '\'') {
			if q := nextByte(t, t[i], i+1); q > 0 {
				return q + 1
			}
		}
	}
	for ; i < len(t); i++ {
		switch {
		case t[i] == ';' && !parameterFollows(t, i+1):
		case t[i] < 128 && ends[t[i]] && l.width(i) <= width:
			return i
		}
	}
	return len(t)
}

// valueEnds are the characters that end a value, for each Where. A semicolon
// does so only before another parameter.
var valueEnds = func() (t [5][128]bool) {
	for where, ends := range [...]string{
		FreeText:  "&;# \t\n\r\"'<>()[]{}|",
		Path:      "&;#/?",
		Query:     "&;#",
		Referrer:  "&;#/?",
		UserAgent: "&;# \t\n\r\"'<>()[]{}|",
	} {
		for _, c := range ends {
			t[where][c] = true
		}
	}
	return t
}()

// parameterFollows tells whether a name and an equals sign begin at t[i],
// perhaps after spaces.
func parameterFollows(t []byte, i int) bool {
	for i < len(t) && t[i] == ' ' {
		i++
	}
	start := i
	for i < len(t) && inName[t[i]] {
		i++
	}
	return i > start && i < len(t) && t[i] == '='
}

// members finds the values of JSON members with a secret's name, their quotes
// plain or escaped by a backslash.
func (s *scanner) members(l *layer) {
	for q := nextByte(l.text, '"', 0); q >= 0; q = nextByte(l.text, '"', q) {
		q = s.memberAt(l, q)
	}
}

// membersByColon is members by the colons of the survey, which a line of a log has
// fewer of before quotes than quotes.
func (s *scanner) membersByColon(l *layer) {
	t, end := l.text, 0
	for b := range s.survey.blocks {
		for c := s.survey.blocks[b].colon; c != 0; c &= c - 1 {
			q := b*blockLen + bits.TrailingZeros64(c) - 1
			for q >= end && (t[q] == ' ' || t[q] == '+') {
				q--
			}
			if q >= end && t[q] == '"' {
				end = s.memberAt(l, q)
			}
		}
	}
}

// memberAt adds the value of the member whose name the quote text[q] ends, if it
// is a secret, and returns where to look for the next.
func (s *scanner) memberAt(l *layer, q int) (next int) {
	t := l.text
	i := skipSpaces(t, q+1)
	if i == len(t) || t[i] != ':' {
		return q + 1
	}
	nameEnd := q
	if q > 0 && t[q-1] == '\\' {
		nameEnd--
	}
	name := nameEnd
	for name > 0 && inName[t[name-1]] {
		name--
	}
	if name == nameEnd {
		return q + 1
	}
	minLen := s.names.match(t[name:nameEnd])
	if minLen == 0 {
		return q + 1
	}
	start, end := memberValue(t, skipSpaces(t, i+1))
	if end-start >= minLen && !l.masked(start, end) {
		s.add(l, QuerySecret, start, end)
	}
	return max(q+1, end)
}

// memberValue returns the value at t[i:] without its quotes. Objects, arrays
// and literals are left to their own members.
func memberValue(t []byte, i int) (start, end int) {
	escaped := i+1 < len(t) && t[i] == '\\' && t[i+1] == '"'
	if escaped {
		i++
	}
	switch {
	case i == len(t) || t[i] == '{' || t[i] == '[':
		return i, i
	case t[i] != '"':
		start = i
		for i < len(t) && t[i] != ',' && t[i] != '}' && t[i] != ']' && t[i] != '&' && t[i] != ' ' {
			i++
		}
		return start, i
	}
	i++
	for start = i; i < len(t); i++ {
		switch {
		case t[i] == '"':
			return start, i
		case t[i] == '\\' && escaped && i+1 < len(t) && t[i+1] == '"':
			return start, i
		case t[i] == '\\' && i+1 < len(t):
			i++
		}
	}
	return start, len(t)
}

func skipSpaces(t []byte, i int) int {
	for i < len(t) && (t[i] == ' ' || t[i] == '+') {
		i++
	}
	return i
}

// inName are the characters of a parameter's name.
var inName = func() (t [256]bool) {
	for c := range t {
		t[c] = isAlnum(byte(c))
	}
	for _, c := range "_-.[]" {
		t[c] = true
	}
	return t
}()
