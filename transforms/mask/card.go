package mask

import "sort"

// group is a run of digits.
type group struct {
	span
	joined bool // a single separator lies between it and the group before
}

// cards finds card numbers in text[from:to]: 12 to 19 digits, with at most a
// single space, plus or dash between two of them.
//
// Any such number covers every twelfth byte, so looking at those is enough.
func (s *scanner) cards(l *layer, from, to int) {
	t := l.text
	end := from
	for i := from + minPAN - 1; i < to; i += minPAN {
		if i < end || !inCard[t[i]] {
			continue
		}
		lo, hi := i, i+1
		for lo > end && inCard[t[lo-1]] {
			lo--
		}
		for hi < to && inCard[t[hi]] {
			hi++
		}
		end = hi
		if hi-lo >= minPAN {
			s.cardsIn(l, lo, hi)
		}
	}
}

// inCard are the digits and separators of card numbers.
var inCard = func() (t [256]bool) {
	for _, c := range "0123456789 +-" {
		t[c] = true
	}
	return t
}()

// cardsIn searches a stretch of digits and separators.
func (s *scanner) cardsIn(l *layer, lo, hi int) {
	digits := 0
	for _, c := range l.text[lo:hi] {
		if isDigit(c) {
			digits++
		}
	}
	if digits < minPAN {
		return
	}
	tokens := l.tokenSpans()
	if i := sort.Search(len(tokens), func(i int) bool { return tokens[i].end > lo }); i < len(tokens) && tokens[i].start < hi {
		if tokens[i].start > lo {
			s.cardsIn(l, lo, tokens[i].start)
		}
		if tokens[i].end < hi {
			s.cardsIn(l, tokens[i].end, hi)
		}
		return
	}
	s.groups = splitGroups(s.groups[:0], l.text, lo, hi)
	for g := 0; g < len(s.groups); {
		if n := s.cardAt(l, g); n > 0 {
			s.add(l, Card, s.groups[g].start, s.groups[g+n-1].end)
			g += n
		} else {
			g++
		}
	}
}

// cardAt returns how many groups, from the g-th, make a card number; 0 for
// none. A number in a row of digits may begin and end at any group: "card 1
// 4111 1111 1111 1111 12/27". Where several ends pass, the number has sixteen
// digits, as most cards do, or else as many as possible: a shorter one would
// leave the rest of a card behind.
func (s *scanner) cardAt(l *layer, g int) (best int) {
	s.digits = s.digits[:0]
	for n := g; n < len(s.groups) && (n == g || s.groups[n].joined); n++ {
		p := s.groups[n]
		if len(s.digits)+p.end-p.start > maxPAN {
			return best
		}
		s.digits = append(s.digits, l.text[p.start:p.end]...)
		if len(s.digits) >= minPAN && IsPAN(s.digits) && !partOfHash(l.text, s.groups[g].start, p.end) {
			if best = n - g + 1; len(s.digits) == usualPAN {
				return best
			}
		}
	}
	return best
}

const usualPAN = 16

func splitGroups(dst []group, t []byte, lo, hi int) []group {
	for i := lo; i < hi; {
		if !isDigit(t[i]) {
			i++
			continue
		}
		start := i
		for i < hi && isDigit(t[i]) {
			i++
		}
		joined := len(dst) > 0 && dst[len(dst)-1].end == start-1
		dst = append(dst, group{span{start, i}, joined})
	}
	return dst
}

// partOfHash tells whether digits belong to a UUID or to a hexadecimal number
// of 128 bits or more that has letters.
func partOfHash(t []byte, start, end int) bool {
	lo, hi := start, end
	letters := false
	for lo > 0 && hexValue(t[lo-1]) < 16 {
		lo--
		letters = letters || isAlpha(t[lo])
	}
	for hi < len(t) && hexValue(t[hi]) < 16 {
		letters = letters || isAlpha(t[hi])
		hi++
	}
	if letters && hi-lo >= 32 {
		return true
	}
	for p := max(0, end-uuidLen); p <= start && p+uuidLen <= len(t); p++ {
		if isUUID(t[p : p+uuidLen]) {
			return true
		}
	}
	return false
}

const uuidLen = 36

func isUUID(b []byte) bool {
	for i, c := range b {
		if i == 8 || i == 13 || i == 18 || i == 23 {
			if c != '-' {
				return false
			}
		} else if hexValue(c) >= 16 {
			return false
		}
	}
	return true
}
