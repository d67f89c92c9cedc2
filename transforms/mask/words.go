package mask

// word is a run of ASCII letters and digits with at least one digit.
type word struct {
	span
	digits int
}

// listWords fills s.words with the words of a layer that have digits, in order.
// Tokens are no words: nothing may be found inside them.
func (s *scanner) listWords(l *layer) {
	t := l.text
	s.words = s.words[:0]
	tokens := l.tokenSpans()
	for i := 0; i < len(t); {
		if !isDigit(t[i]) {
			i++
			continue
		}
		w := word{span: span{i, i}}
		for w.start > 0 && isAlnum(t[w.start-1]) {
			w.start--
		}
		for i < len(t) && isAlnum(t[i]) {
			if isDigit(t[i]) {
				w.digits++
			}
			i++
		}
		w.end = i
		if w.start > 0 && t[w.start-1] == '%' && w.end-w.start >= 2 && isHex(t[w.start], t[w.start+1]) {
			// The digits of an escape belong to no number.
			for _, c := range t[w.start : w.start+2] {
				if isDigit(c) {
					w.digits--
				}
			}
			if w.start += 2; w.digits == 0 {
				continue
			}
		}
		for len(tokens) > 0 && tokens[0].end <= w.start {
			tokens = tokens[1:]
		}
		if len(tokens) > 0 && w.end > tokens[0].start {
			if i < tokens[0].end {
				i = tokens[0].end
			}
			continue
		}
		s.words = append(s.words, w)
	}
}

// numeric tells whether the word is digits only.
func (w word) numeric() bool { return w.digits == w.end-w.start }

// sepAt tells whether t[i] is a single separator between groups of a number: a
// letter or digit follows it. A plus separates where it stands for a space.
func (s *scanner) sepAt(t []byte, i int) bool {
	if i+1 >= len(t) || !isAlnum(t[i+1]) {
		return false
	}
	switch t[i] {
	case ' ', '-', '.':
		return true
	case '+':
		return s.where == Query || s.where == Referrer
	}
	return false
}

// bounded tells whether t[start:end] is no part of a longer word or number. An
// escape before it is no part of it.
func bounded(t []byte, start, end int) bool {
	return (start == 0 || !joins(t[start-1]) || start >= 3 && t[start-3] == '%' && isHex(t[start-2], t[start-1])) && (end == len(t) || !joins(t[end])) &&
		(end+1 >= len(t) || t[end] != '-' && t[end] != '.' && t[end] != '/' || !isDigit(t[end+1])) &&
		(start < 2 || t[start-1] != '-' && t[start-1] != '.' || !isDigit(t[start-2]))
}

// joins tells whether c next to a number makes it part of something longer.
func joins(c byte) bool { return isAlnum(c) || c == '_' || c >= 0x80 && c < 0xc0 }

// contextWidth is how many bytes before a number are searched for a word that
// says what it is; contextAfter, how many after it, where that is usual.
const contextWidth, contextAfter = 48, 10

// near tells whether one of the words stands before t[start].
func near(t []byte, start int, words *wordSet) bool {
	return words.in(t[max(0, start-contextWidth):start])
}

// wordSet is a list of words in lower case, by first letter.
type wordSet struct {
	first [256]bool // bytes that begin one, in either case
	by    [32][]string
}

func newWordSet(words []string) (s wordSet) {
	for _, w := range words {
		s.first[w[0]], s.first[w[0]&^0x20] = true, true
		s.by[w[0]&31] = append(s.by[w[0]&31], w)
	}
	return s
}

// in tells whether t has one of the words, at the start of a word of its own; a
// capital after a small letter begins one.
func (s *wordSet) in(t []byte) bool {
	for i, c := range t {
		if !s.first[c] || i > 0 && isAlpha(t[i-1]) && !(isLower(t[i-1]) && isUpper(c)) {
			continue
		}
		for _, w := range s.by[c&31] {
			if hasFold(t[i:], w) {
				return true
			}
		}
	}
	return false
}

// hasFold tells whether t begins with a lower-case word in any case of letters;
// a space of the word also stands for _ - + and nothing.
func hasFold(t []byte, w string) bool {
	i := 0
	for j := range len(w) {
		if w[j] == ' ' {
			if i < len(t) && (t[i] == ' ' || t[i] == '_' || t[i] == '-' || t[i] == '+') {
				i++
			}
			continue
		}
		if i == len(t) || lower(t[i]) != w[j] {
			return false
		}
		i++
	}
	return true
}
