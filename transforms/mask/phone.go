package mask

import (
	"bytes"

	"github.com/nyaruka/phonenumbers"
)

// phones knows how numbers are written.
type phones struct {
	region string // of numbers without country code, "" for none
}

// phoneContext say that a number is one to call.
var phoneContext = []string{
	"phone", "telephone", "tel", "mobile", "cell", "fax", "desk", "office", "call", "dial", "sms", "message", "messages",
	"answering", "reach", "contact", "whatsapp", "hotline", "handy", "telefon", "portable", "rufnummer",
}

var phoneWords = newWordSet(phoneContext)

// phoneAfter stand right behind a number.
var phoneAfter = newWordSet([]string{"office", "fax", "mobile", "home", "cell", "desk", "phone"})

const minPhone, maxPhone = 7, 15 // digits, by E.164

// phonesIn finds telephone numbers: those with a country code that are valid in
// its plan, those of North America in their usual groups, and near a word that
// says so any number of seven to fifteen digits that is written like one.
func (s *scanner) phonesIn(l *layer) {
	t, words := l.text, s.words
	end := 0
	for i := range words {
		w := words[i]
		if w.start < end || w.lead == 0 {
			continue
		}
		// Alone it must be long enough, else another one must follow closely.
		if w.end-w.start < minPhone && (!w.numeric() || i+1 == len(words) || !s.phoneGap(t[w.end:words[i+1].start])) {
			continue
		}
		// A word that only ends in letters may be a number with an extension.
		start, stop, digits, groups := s.phoneRun(t, i, end)
		if digits < minPhone {
			continue
		}
		if t[start] == '(' && bytes.IndexByte(t[start:stop], ')') < 0 {
			start++ // "(201-380-2023)"
		}
		if e := s.phoneAt(l, start, stop, digits, groups); e > 0 {
			s.add(l, Phone, start, e)
			end = e
		} else if groups > 1 {
			end = 0
		}
	}
}

// phoneRun returns the longest stretch from word i on that is written like a
// telephone number, with a plus or parenthesis before it, its digits and groups.
func (s *scanner) phoneRun(t []byte, i, low int) (start, end, digits, groups int) {
	w := s.words[i]
	start, end = w.start, w.end
	if start > low && t[start-1] == '(' {
		start--
		if start > low+1 && t[start-1] == ' ' && isDigit(t[start-2]) {
			start++
		}
	}
	if start > low && t[start-1] == '+' {
		start--
	}
	if !w.numeric() && !isExtension(t[w.start+w.lead:w.end]) {
		return start, end, 0, 0
	}
	digits, groups = w.lead, 1
	if !w.numeric() {
		return start, end, digits, groups
	}
	for j := i + 1; j < len(s.words); j++ {
		next := s.words[j]
		if !s.phoneGap(t[end:next.start]) {
			break
		}
		if next.lead == 0 || !next.numeric() && !isExtension(t[next.start+next.lead:next.end]) || digits+next.lead > maxPhone {
			break
		}
		digits += next.lead
		groups++
		end = next.end
		if !next.numeric() {
			break
		}
	}
	return start, end, digits, groups
}

// isExtension tells whether b is "x036" or "ext36".
func isExtension(b []byte) bool {
	n := 0
	for n < len(b) && isAlpha(b[n]) {
		n++
	}
	if k := lower(b[0]); n == len(b) || n > 3 || k != 'x' && k != 'e' {
		return false
	}
	for _, c := range b[n:] {
		if !isDigit(c) {
			return false
		}
	}
	return len(b)-n <= 6
}

// phoneGap tells whether b separates two groups of one number.
func (s *scanner) phoneGap(b []byte) bool {
	switch string(b) {
	case " ", "-", ".", ") ", ")", " (", "(", ")-", "/", ") (", "-(", " - ":
		return true
	case "+", ")+", "+(":
		return s.where == Query || s.where == Referrer
	}
	return false
}

// phoneAt returns where the number in t[start:end] ends, or -1 if it is none.
func (s *scanner) phoneAt(l *layer, start, end, digits, groups int) int {
	t := l.text
	if start > 0 && joins(t[start-1]) && !(start >= 3 && t[start-3] == '%' && isHex(t[start-2], t[start-1])) || end < len(t) && joins(t[end]) || l.tokenIn(start, end) {
		return -1
	}
	international := t[start] == '+' || len(t)-start > 1 && t[start] == '(' && t[start+1] == '+'
	if international {
		if s.validPhone(t[start:end], "ZZ") {
			return end
		}
		if e := s.lessGroups(t, start, end); e > 0 {
			return e
		}
	}
	if !bounded(t, start, end) {
		return -1
	}
	if digits == 10 && isNANP(t[start:end]) && s.validPhone(t[start:end], "US") {
		return end
	}
	if s.phones.region != "" && groups > 1 && s.validPhone(t[start:end], s.phones.region) {
		return end
	}
	if s.where == UserAgent || digits < minPhone {
		return -1
	}
	said := s.assume&phoneType != 0 || near(t, start, phoneWords) || phoneAfter.in(t[end:min(len(t), end+contextAfter)], 1)
	if !said || dateLike(t[start:end]) {
		return -1
	}
	return end
}

// lessGroups drops groups from the end of an international number until it is
// valid: what follows it may be another number.
func (s *scanner) lessGroups(t []byte, start, end int) int {
	for i := end - 1; i > start+minPhone; i-- {
		if !isDigit(t[i]) && isDigit(t[i-1]) && s.validPhone(t[start:i], "ZZ") {
			return i
		}
	}
	return -1
}

func (s *scanner) validPhone(b []byte, region string) bool {
	n, err := phonenumbers.Parse(dialled(b), region)
	return err == nil && phonenumbers.IsValidNumber(n)
}

// dialled is a number with spaces for the pluses that stand for them.
func dialled(b []byte) string {
	b = bytes.Clone(b)
	for i := 1; i < len(b); i++ {
		if b[i] == '+' && b[i-1] != '(' {
			b[i] = ' '
		}
	}
	return string(b)
}

// isNANP tells whether ten digits stand in groups of 3, 3 and 4.
func isNANP(b []byte) bool {
	sizes, n, seps := [3]int{}, 0, 0
	for i, c := range b {
		if isDigit(c) {
			if n == 3 {
				return false
			}
			sizes[n]++
			if i+1 < len(b) && !isDigit(b[i+1]) {
				n++
			}
		} else {
			seps++
		}
	}
	return seps > 0 && sizes == [3]int{3, 3, 4}
}

// dateLike tells dates and times from telephone numbers: a year and a month, in
// either order, or a day and a time.
func dateLike(b []byte) bool {
	year := func(g []byte) bool { return len(g) == 4 && (g[0] == '1' && g[1] == '9' || g[0] == '2' && g[1] == '0') }
	var groups [4][]byte
	n := 0
	for i := 0; i < len(b) && n < 4; {
		if !isDigit(b[i]) {
			i++
			continue
		}
		j := i
		for j < len(b) && isDigit(b[j]) {
			j++
		}
		groups[n] = b[i:j]
		n++
		i = j
	}
	switch {
	case n >= 3 && year(groups[0]) && len(groups[1]) <= 2 && len(groups[2]) <= 2:
		return groups[1][0] <= '1' || len(groups[1]) == 1
	case n >= 3 && len(groups[0]) <= 2 && len(groups[1]) <= 2 && year(groups[2]):
		return groups[0][0] <= '3' || len(groups[0]) == 1
	}
	return false
}

// AppendPhone appends a telephone number in E.164, or its digits when it has no
// country code and none can be told from region.
func AppendPhone(dst, number []byte, region string) []byte {
	if region == "" {
		region = "ZZ"
	}
	if n, err := phonenumbers.Parse(dialled(number), region); err == nil && (phonenumbers.IsValidNumber(n) || number[0] == '+') {
		return append(dst, phonenumbers.Format(n, phonenumbers.E164)...)
	}
	return AppendDigits(dst, number)
}
