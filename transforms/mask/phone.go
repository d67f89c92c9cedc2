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
	"phone", "telephone", "tel", "tel no", "tel nr", "mobile", "cell", "fax", "fax no", "fax nr", "desk", "office", "call", "dial", "sms", "message", "messages",
	"answering", "reach", "contact", "whatsapp", "hotline", "handy", "telefon", "portable", "rufnummer",
}

var phoneWords = newWordSet(phoneContext)

// phoneNames say in the name of a parameter that its value is a number to call, and those
// of phoneSegments as the segment of a path before it. In URLs most words of phoneContext
// are said of numbers of messages, desktops and callbacks.
var (
	phoneNaming   = []string{"phone", "telephone", "telefon", "tel", "tel no", "tel nr", "mobile", "cell phone", "fax", "fax no", "fax nr", "sms", "whatsapp", "hotline", "rufnummer", "msisdn"}
	phoneNames    = newWordSet(phoneNaming)
	phoneSegments = []string{"phone", "telephone", "telefon", "tel", "sms", "whatsapp", "msisdn", "rufnummer"}
)

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
		if w.end-w.start < minPhone && (!w.numeric() || i+1 == len(words) || !s.phoneGap(t[w.end:words[i+1].start], w.end < s.pathEnd)) {
			continue
		}
		// A word that only ends in letters may be a number with an extension.
		start, stop, digits, groups := s.phoneRun(t, i, end)
		if digits < minPhone {
			continue
		}
		if plusIsSpace(t, start, l.width(start), s.where) {
			start++ // "at+0301234567"
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

// plusIsSpace tells whether t[i], of so many raw bytes, is a plus that stands for a space:
// one of a query that is not escaped, behind a word.
func plusIsSpace(t []byte, i, width int, where Where) bool {
	return t[i] == '+' && width == 1 && (where == Query || where == Referrer) && i > 0 && joins(t[i-1]) && !afterEscape(t, i)
}

// afterEscape tells whether an escape ends before t[i].
func afterEscape(t []byte, i int) bool { return i >= 3 && t[i-3] == '%' && isHex(t[i-2], t[i-1]) }

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
		if !s.phoneGap(t[end:next.start], end < s.pathEnd) {
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
func (s *scanner) phoneGap(b []byte, inPath bool) bool {
	switch string(b) {
	case " ", "-", ".", ") ", ")", " (", "(", ")-", ") (", "-(", " - ":
		return true
	case "/":
		return !inPath // where it stands between segments
	case "+", ")+", "+(":
		return s.where == Query || s.where == Referrer
	}
	return false
}

// phoneAt returns where the number in t[start:end] ends, or -1 if it is none.
func (s *scanner) phoneAt(l *layer, start, end, digits, groups int) int {
	t := l.text
	if start > 0 && joins(t[start-1]) && !afterEscape(t, start) || end < len(t) && joins(t[end]) || l.tokenIn(start, end) {
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
	if s.where == UserAgent || dateLike(t[start:end]) {
		return -1
	}
	if groups > 1 && s.phones.regional(t[start:end]) {
		return end
	}
	said := func(words *wordSet, t []byte) bool { return words.in(t, 1) }
	if digits < minPhone || s.assume&phoneType == 0 && !phoneSaid(t, start, end, s.where, s.pathEnd, said) {
		return -1
	}
	return end
}

// regional tells whether b is a number of the region without a country code: valid, and
// with the prefix of calls inside of the country where it has one. Versions have neither
// that nor a first group of two digits.
func (p phones) regional(b []byte) bool {
	if p.region == "" || len(b) < minPhone || bytes.Count(b, []byte("/")) > 1 || isDigit(b[0]) && !isDigit(b[1]) {
		return false
	}
	n, err := phonenumbers.ParseAndKeepRawInput(dialled(b), p.region)
	return err == nil && phonenumbers.IsValidNumber(n) && phonenumbers.IsNationalPrefixPresentIfRequired(n)
}

// phoneSaid tells whether words near t[start:end] say that it is a number to call. In a
// URL, where names of other things stand close by, they must be of its own parameter, or
// the segment of the path before it; the path ends at t[pathEnd].
func phoneSaid(t []byte, start, end int, where Where, pathEnd int, in func(words *wordSet, t []byte) bool) bool {
	low := max(0, start-contextWidth)
	if where == FreeText {
		return in(phoneWords, t[low:start]) || in(phoneAfter, t[end:min(len(t), end+contextAfter)])
	}
	i, equals := start, -1
	for i > low && !delimitsURL(t[i-1], i <= pathEnd) {
		if i--; t[i] == '=' && equals < 0 {
			equals = i
		}
	}
	switch {
	case equals >= 0:
		return in(phoneNames, t[i:equals]) || in(phoneWords, t[equals+1:start])
	case i > pathEnd:
		return in(phoneWords, t[i:start])
	}
	segment := bytes.TrimRight(t[i:start], ":")
	if len(segment) == 0 && i > 1 && t[i-1] == '/' {
		segment = t[bytes.LastIndexByte(t[low:i-1], '/')+low+1 : i-1]
	}
	for _, s := range phoneSegments {
		if len(s) == len(segment) && hasFold(segment, s) {
			return true
		}
	}
	return false
}

// delimitsURL tells whether c stands between parameters of a URL or, in its path, between
// segments.
func delimitsURL(c byte, inPath bool) bool {
	return c == '&' || c == ';' || c == '?' || c == '#' || c == '/' && inPath
}

// pathEnd returns where the path ends in a text of a URL; -1 where there is none.
func pathEnd(t []byte, where Where) int {
	switch where {
	case Path:
		return len(t)
	case Referrer:
		if q := nextByte(t, '?', 0); q >= 0 {
			return q
		}
		return len(t)
	default:
		return -1
	}
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
