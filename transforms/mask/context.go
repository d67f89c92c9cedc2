package mask

import "slices"

// Most stretches of digits in a log have no word near that says what they are.
// Then only types that need none can be in them, which are few and quickly told.

// contextWords are the words of all types that need one.
var contextWords = func() *wordSet {
	words := slices.Concat(phoneContext, phoneNaming)
	for _, r := range idRules {
		words = append(words, r.words...)
	}
	return newWordSet(words)
}()

// silent tells that no word of any type stands near the numbers in the stretch n,
// of which s.words are the words. When there may be one it says false.
//
// Each number looks for words in the contextWidth bytes before its first digit, or
// before up to longestLead bytes of it that come first. A word that begins in a
// stretch would end behind it, and so is before none of its numbers.
func (s *scanner) silent(l *layer, n number) bool {
	if s.assume != 0 || len(s.words) == 0 {
		return len(s.words) == 0
	}
	t, first, last := l.text, s.words[0], s.words[len(s.words)-1]
	from := max(0, first.start-longestLead-contextWidth)
	cut := max(0, last.start-contextWidth) - from + 1
	if contextWords.in(t[from:max(from, min(n.start, last.start))], cut) { // in the stretch there are no letters
		return false
	}
	return s.types&phoneType == 0 || !phoneAfter.in(t[n.end:max(n.end, min(len(t), last.end+contextAfter))], 1)
}

// longestLead is how much of an identifier stands before its first word with
// digits, two letters and a separator, or of a telephone number, "(+".
const longestLead = 3

// surePhone tells whether the stretch n can hold a telephone number that needs no
// word: one with a country code, one of North America, one of the region.
func (s *scanner) surePhone(l *layer, n number) bool {
	if s.phones.region != "" && s.where != UserAgent || nextByte(l.text[:n.end], '+', max(0, n.start-longestLead)) >= 0 {
		return true
	}
	for i := range len(s.words) - 2 {
		if s.words[i].lead == 3 && s.words[i+1].lead == 3 && s.words[i+2].lead == 4 {
			return true
		}
	}
	return false
}

// sureIdents tells whether s.words can hold an identifier that needs no word: each
// has letters, or five digits in a row, or a group of two digits behind one of two
// or three. An IP address or a version has none of these, most often.
func (s *scanner) sureIdents() bool {
	for i, w := range s.words {
		n := w.end - w.start
		if n >= 5 || !w.numeric() {
			return true
		}
		if (n == 2 || n == 3) && i+1 < len(s.words) && s.words[i+1].lead == 2 {
			return true
		}
	}
	return false
}
