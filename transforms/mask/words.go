package mask

import (
	"math/bits"
	"slices"
)

// word is a run of ASCII letters and digits with at least one digit.
type word struct {
	span
	lead int // digits that it begins with
}

// listWords fills s.words with the words of a layer that have a digit in
// text[from:to], in order. Words of tokens are among them.
func (s *scanner) listWords(l *layer, from, to int) {
	s.words = s.words[:0]
	for b, end := from/blockLen, from; b*blockLen < to; b++ {
		digits := s.survey.blocks[b].digit
		if over := (b+1)*blockLen - to; over > 0 {
			digits &= ^uint64(0) >> over
		}
		for {
			if done := end - b*blockLen; done > 0 {
				digits &= ^uint64(0) << done // none is left from 64 on
			}
			if digits == 0 {
				break
			}
			w := s.wordAt(l.text, b*blockLen+bits.TrailingZeros64(digits))
			if end = w.end; w.start < w.end {
				s.words = append(s.words, w)
			}
		}
	}
}

// wordAt returns the word around the digit t[i], an empty one when the digit is of
// an escape and no other follows.
func (s *scanner) wordAt(t []byte, i int) (w word) {
	w.start, w.end = i, s.survey.digitsEnd(i)
	w.lead = w.end - i
	for w.end < len(t) && isAlnum(t[w.end]) {
		w.end++
	}
	if i == 0 || !isAlnum(t[i-1]) && t[i-1] != '%' {
		return w
	}
	for w.start > 0 && isAlnum(t[w.start-1]) {
		w.start--
	}
	if w.start > 0 && t[w.start-1] == '%' && w.end-w.start >= 2 && isHex(t[w.start], t[w.start+1]) {
		// The digits of an escape belong to no number.
		if w.start += 2; !slices.ContainsFunc(t[w.start:w.end], isDigit) {
			w.start = w.end
		}
	}
	w.lead = s.survey.digitsEnd(w.start) - w.start
	return w
}

// numeric tells whether the word is digits only.
func (w word) numeric() bool { return w.lead == w.end-w.start }

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
	return (start == 0 || !joins(t[start-1]) || afterEscape(t, start)) && (end == len(t) || !joins(t[end])) &&
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
	return words.in(t[max(0, start-contextWidth):start], 1)
}

// wordSet is a list of words in lower case, of two letters or more, by the first.
type wordSet struct {
	by [32][]string
	// third holds, by the low five bits of the first two letters, those that the
	// third byte may have, a bit for each.
	third [1 << 10]uint32
	short bool // a word has two letters
}

func newWordSet(words []string) *wordSet {
	var s wordSet
	for _, w := range words {
		third := ^uint32(0)
		if len(w) > 2 && w[2] != ' ' {
			third = 1 << (w[2] & 31)
		}
		s.short = s.short || len(w) == 2
		s.third[letterPair(w[0], w[1])] |= third
		s.by[w[0]&31] = append(s.by[w[0]&31], w)
	}
	return &s
}

// in tells whether t has one of the words, at the start of a word of its own; a
// capital after a small letter begins one, and so does each of the first cut
// bytes, behind which t may have been cut.
func (s *wordSet) in(t []byte, cut int) bool {
	if len(t) < 2 {
		return false
	}
	two := letterPair(t[0], t[1])
	for i, c := range t[2:] { // c is t[i+2]
		if s.third[two]>>(c&31)&1 == 1 && (i < cut || beginsWord(t, i)) && s.at(t[i:]) {
			return true
		}
		two = (two<<5 | int(c&31)) & (len(s.third) - 1)
	}
	i := len(t) - 2
	return s.short && (i < cut || beginsWord(t, i)) && s.at(t[i:])
}

func beginsWord(t []byte, i int) bool {
	return i == 0 || !isAlpha(t[i-1]) || isLower(t[i-1]) && isUpper(t[i])
}

// at tells whether t begins with one of the words.
func (s *wordSet) at(t []byte) bool {
	for _, w := range s.by[t[0]&31] {
		if hasWord(t, w) {
			return true
		}
	}
	return false
}

// shortWord is the length of words that must end where they do in the text: "tel" is not
// said by telemetry, nor "sin" by since. Of longer ones there are forms and compounds.
const shortWord = 3

// hasWord tells whether t begins with a word of a wordSet.
func hasWord(t []byte, w string) bool {
	n := len(w)
	return hasFold(t, w) && (n > shortWord || n >= len(t) || !isAlpha(t[n]) || isUpper(t[n]) && isLower(t[n-1]))
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
