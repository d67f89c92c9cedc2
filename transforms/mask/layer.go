package mask

import (
	"bytes"
	"slices"
	"sort"
)

// layer is a text after some rounds of percent-decoding, with the way back to
// the text as it came. Every layer is searched: what is a finding in any of
// them is one, since whoever reads the lake may decode or not.
type layer struct {
	text []byte
	raw  []int32 // offset in the raw text of each byte and of the end; nil in layer 0
	deep int     // rounds of decoding

	tokens       []span // tokens in text, once located
	tokensListed bool
}

type span struct{ start, end int }

// maxLayers bounds the rounds of decoding. The last rounds undo any number of
// escaped percent signs at once ("%252540"), so only escapes nested in other
// ways more than maxLayers deep stay closed.
const (
	maxLayers     = 5
	firstCollapse = 3
)

// rawAt returns the offset in the raw text of text[i].
func (l *layer) rawAt(i int) int {
	if l.raw == nil {
		return i
	}
	return int(l.raw[i])
}

// width returns how many raw bytes text[i] takes: 1 when it came as it is, 3
// when escaped once.
func (l *layer) width(i int) int {
	if l.raw == nil {
		return 1
	}
	return int(l.raw[i+1] - l.raw[i])
}

// decode fills l with src after one more round of percent-decoding. It returns
// false, and leaves l unusable, when src has no escape.
func (l *layer) decode(src *layer) bool {
	if nextEscape(src.text, 0) < 0 {
		return false
	}
	l.deep = src.deep + 1
	l.tokens, l.tokensListed = l.tokens[:0], false
	t := src.text
	text := slices.Grow(l.text[:0], len(t))[:len(t)]
	raw := slices.Grow(l.raw[:0], len(t)+1)[:len(t)+1]
	n := 0 // bytes of text so far
	for i := 0; i < len(t); {
		run := nextEscape(t, i)
		if run < 0 {
			run = len(t)
		}
		n += copy(text[n:], t[i:run])
		if src.raw == nil {
			for at, to := i, raw[n-(run-i):n]; at < run; at++ {
				to[at-i] = int32(at)
			}
		} else {
			copy(raw[n-(run-i):n], src.raw[i:run])
		}
		if i = run; i == len(t) {
			break
		}
		c, size := unescape(t, i), 3
		for l.deep >= firstCollapse && c == '%' && i+size+1 < len(t) && isHex(t[i+size], t[i+size+1]) {
			c = unescape(t, i+size-1)
			size += 2
		}
		text[n], raw[n] = c, int32(src.rawAt(i))
		n++
		i += size
	}
	raw[n] = int32(src.rawAt(len(t)))
	l.text, l.raw = text[:n], raw[:n+1]
	return true
}

// unescape returns the byte whose two hexadecimal digits follow t[i].
func unescape(t []byte, i int) byte { return hexValue(t[i+1])<<4 | hexValue(t[i+2]) }

func isHex(a, b byte) bool { return hexValue(a)|hexValue(b) < 16 }

// nextEscape returns the index of the next percent sign before two
// hexadecimal digits, or -1.
func nextEscape(t []byte, from int) int {
	for i := from; i < len(t); i++ {
		n := bytes.IndexByte(t[i:], '%')
		if n < 0 {
			return -1
		}
		if i += n; i+2 < len(t) && isHex(t[i+1], t[i+2]) {
			return i
		}
	}
	return -1
}

// tokenSpans locates the tokens in the text; nothing may be found inside them.
func (l *layer) tokenSpans() []span {
	if l.tokensListed {
		return l.tokens
	}
	l.tokensListed = true
	l.tokens = l.tokens[:0]
	for i := 0; ; {
		// The underscore is rarer than the letters before it.
		n := bytes.IndexByte(l.text[i:], tokenHead[len(tokenHead)-1])
		if n < 0 {
			return l.tokens
		}
		start := i + n + 1 - len(tokenHead)
		if i += n + 1; start < 0 {
			continue
		}
		if end := tokenEnd(l.text, start); end > 0 {
			l.tokens = append(l.tokens, span{start, end})
			i = end
		}
	}
}

// masked tells whether text[start:end] is what masking leaves behind.
func (l *layer) masked(start, end int) bool {
	v := l.text[start:end]
	return string(v) == redacted || tokenEnd(v, 0) == len(v)
}

// tokenIn tells whether a token covers a byte of text[start:end].
func (l *layer) tokenIn(start, end int) bool {
	return (!l.tokensListed || len(l.tokens) > 0) && l.tokenAmong(start, end)
}

func (l *layer) tokenAmong(start, end int) bool {
	tokens := l.tokenSpans()
	i := sort.Search(len(tokens), func(i int) bool { return tokens[i].end > start })
	return i < len(tokens) && tokens[i].start < end
}
