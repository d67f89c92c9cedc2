package clickevents

import (
	"strconv"
	"strings"
)

// scanItems reads a value of the column items as appendItems writes it: no escapes, and
// members in that order. ok is false for all others, which json reads.
func scanItems(column []byte, into []ItemOf) (items []ItemOf, ok bool) {
	s := scanner{b: column}
	if !s.literal("[") {
		return into, false
	}
	for {
		it := ItemOf{}
		if !s.literal(`{"id":`) {
			return into, false
		}
		id, ok := s.quoted()
		if !ok {
			return into, false
		}
		it.ID = strings.Clone(id)
		for _, name := range []string{`,"name":`, `,"category":`, `,"brand":`, `,"variant":`} {
			if !s.literal(name) {
				continue
			}
			if _, ok := s.quoted(); !ok {
				return into, false
			}
		}
		if s.literal(`,"price":`) {
			price, ok := s.whole()
			if !ok {
				return into, false
			}
			it.Price = &price
		}
		if !s.literal(`,"quantity":`) {
			return into, false
		}
		if it.Quantity, ok = s.whole(); !ok || !s.literal("}") {
			return into, false
		}
		into = append(into, it)
		if s.literal(",") {
			continue
		}
		return into, s.literal("]") && s.at == len(column)
	}
}

// whole reads a whole number of at most 18 digits.
func (s *scanner) whole() (int64, bool) {
	s.space()
	from := s.at
	if !s.number() || s.at-from > 18 {
		return 0, false
	}
	n, err := strconv.ParseInt(view(s.b[from:s.at]), 10, 64)
	return n, err == nil
}
