package enrich

import (
	"math"
	"regexp/syntax"
	"strings"
)

// maxLiterals bounds the texts of which one must be there for an expression to
// match. One takes two looks into the groups of the text, and some expressions a
// hundred times as long as all of theirs.
const maxLiterals = 512

// fewLiterals is what a set of texts should not exceed by much, see best.
const fewLiterals = 24

// required returns sets of texts in lower case: every match of an expression
// contains at least one text of each set.
func required(re *syntax.Regexp) (all [][]string) {
	switch re.Op { //nolint:exhaustive // of the others nothing is known
	case syntax.OpLiteral:
		return [][]string{{strings.ToLower(string(re.Rune))}}
	case syntax.OpCapture, syntax.OpPlus:
		return required(re.Sub[0])
	case syntax.OpRepeat:
		if re.Min > 0 {
			return required(re.Sub[0])
		}
	case syntax.OpConcat:
		for _, sub := range re.Sub {
			all = append(all, required(sub)...)
		}
		return all
	case syntax.OpAlternate:
		var either []string
		for _, sub := range re.Sub {
			texts := best(required(sub))
			if texts == nil {
				return nil
			}
			either = append(either, texts...)
		}
		if len(either) <= maxLiterals {
			return [][]string{either}
		}
	}
	return nil
}

// best is the set that is least likely to be met by chance: of the longest
// texts, and of few.
func best(sets [][]string) (out []string) {
	worth := math.MinInt
	for _, texts := range sets {
		least := len(texts[0])
		for _, t := range texts {
			least = min(least, len(t))
		}
		if n := least*2*fewLiterals - len(texts); n > worth {
			out, worth = texts, n
		}
	}
	return out
}

// grams is the set of three-byte groups of a text, by hash: what has not all
// groups of a text does not contain it.
type grams [1 << 10]uint64

func gram(s string, i int) (word uint16, bit uint64) {
	h := (uint32(s[i])<<16 | uint32(s[i+1])<<8 | uint32(s[i+2])) * 0x9e3779b1 >> 16
	return uint16(h >> 6), 1 << (h & 63)
}

// set makes g the groups of s.
func (g *grams) set(s string) {
	clear(g[:])
	for i := 0; i+2 < len(s); i++ {
		word, bit := gram(s, i)
		g[word] |= bit
	}
}

// literal is a text with its first and last group.
type literal struct {
	text        string
	first, last uint16
	bit1, bit2  uint64
}

func newLiteral(text string) (l literal) {
	l.text = text
	if len(text) >= 3 {
		l.first, l.bit1 = gram(text, 0)
		l.last, l.bit2 = gram(text, len(text)-3)
	}
	return l
}

// in tells whether s, whose groups are g, contains the text.
func (l *literal) in(s string, g *grams) bool {
	return (l.bit1 == 0 || g[l.first]&l.bit1 != 0 && g[l.last]&l.bit2 != 0) && strings.Contains(s, l.text)
}
