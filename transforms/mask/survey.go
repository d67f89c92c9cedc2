package mask

import (
	"encoding/binary"
	"math/bits"
)

// survey says what kind each byte of a text is, a bit for each byte. Detectors
// ask it where something that they look for can be at all, 64 bytes in one
// comparison; only there they look at bytes. In a line of a log that is seldom.
type survey struct {
	blocks []block // the last one is empty: there is always a block behind
}

// block is 64 bytes of a text, the first one in the lowest bit.
type block struct {
	digit, alnum, upper, colon uint64
	loose                      uint64 // space to 9: digits and what may stand between them
}

const blockLen = 64

// make fills the survey of a text.
func (v *survey) make(t []byte) {
	v.blocks = v.blocks[:0]
	for len(t) >= blockLen {
		v.blocks = append(v.blocks, surveyBlock((*[blockLen]byte)(t)))
		t = t[blockLen:]
	}
	if len(t) > 0 {
		var rest [blockLen]byte // zero is of no kind
		copy(rest[:], t)
		v.blocks = append(v.blocks, surveyBlock(&rest))
	}
	v.blocks = append(v.blocks, block{})
}

// Eight bytes are looked at in one register, each in its own lane. A lane of at
// most 0x7f cannot carry into the next, so the top bit of lane+0x80-c tells
// whether the lane is c or more (Warren, Hacker's Delight, chapter 6).
const (
	lanes = 0x0101010101010101
	tops  = 0x80 * lanes
)

func surveyBlock(t *[blockLen]byte) block {
	var digits, alnums, uppers, colons, looses uint64
	for i := 0; i < blockLen; i += 8 {
		x := binary.LittleEndian.Uint64(t[i:])
		ascii := ^x & tops
		x &^= tops
		to9 := ascii &^ (x + (0x7f-'9')*lanes)
		digit := (x + (0x80-'0')*lanes) & to9
		loose := (x + (0x80-' ')*lanes) & to9
		low := x | 0x20*lanes
		alpha := (low + (0x80-'a')*lanes) &^ (low + (0x7f-'z')*lanes) & ascii
		upper := alpha &^ (x << 2) // small letters have 0x20
		colon := ascii &^ ((x ^ ':'*lanes) + 0x7f*lanes)
		digits |= gather(digit) << i
		alnums |= gather(digit|alpha) << i
		uppers |= gather(upper) << i
		colons |= gather(colon) << i
		looses |= gather(loose) << i
	}
	return block{digits, alnums, uppers, colons, looses}
}

// gather moves the top bits of eight lanes into one byte.
func gather(x uint64) uint64 { return x >> 7 * 0x0102040810204080 >> 56 }

// ahead returns the bits n places further on, of a block and the one behind it.
func ahead(here, next uint64, n int) uint64 { return here>>n | next<<(blockLen-n) }

// wordEnd returns the end of the word that holds t[i]: i when t[i] is neither
// letter nor digit.
func (v *survey) wordEnd(i int) int {
	for b := i / blockLen; ; b++ {
		if other := ^v.blocks[b].alnum >> (i % blockLen); other != 0 {
			return i + bits.TrailingZeros64(other)
		}
		i = (b + 1) * blockLen
	}
}

// wordStart returns the start of the word that t[i-1] ends or goes through: i
// when it is neither letter nor digit.
func (v *survey) wordStart(i int) int {
	for i > 0 {
		b := (i - 1) / blockLen
		other := ^v.blocks[b].alnum << (b*blockLen + blockLen - i)
		if other != 0 {
			return i - bits.LeadingZeros64(other)
		}
		i = b * blockLen
	}
	return 0
}

// digitsEnd returns the end of the digits that begin at t[i].
func (v *survey) digitsEnd(i int) int {
	for b := i / blockLen; ; b++ {
		if other := ^v.blocks[b].digit >> (i % blockLen); other != 0 {
			return i + bits.TrailingZeros64(other)
		}
		i = (b + 1) * blockLen
	}
}

// wordStarts returns, for block b, the letters that begin a word: those behind no
// letter, and capitals behind a small one.
func (v *survey) wordStarts(b int) uint64 {
	alpha, upper := v.blocks[b].alnum&^v.blocks[b].digit, v.blocks[b].upper
	before, small := alpha<<1, (alpha&^upper)<<1
	if b > 0 {
		last := &v.blocks[b-1]
		before |= (last.alnum &^ last.digit) >> (blockLen - 1)
		small |= (last.alnum &^ last.digit &^ last.upper) >> (blockLen - 1)
	}
	return alpha&^before | upper&small
}

// number is a stretch of digits and what may stand between them.
type number struct {
	span       // from its first digit; the last bytes may be others
	digits int // in it
}

// nextNumber returns the first stretch at or behind from that can hold a number
// of six digits or an address of four numbers, and false when there is none.
func (v *survey) nextNumber(from int) (number, bool) {
	for b := from / blockLen; b < len(v.blocks)-1; b++ {
		here, next := v.blocks[b].loose, v.blocks[b+1].loose
		here, next = here&ahead(here, next, 1), next&(next>>1) // two in a row
		here, next = here&ahead(here, next, 2), next&(next>>2) // four
		at := v.blocks[b].digit & here & ahead(here, next, 2)  // six
		if skip := from - b*blockLen; skip > 0 {
			at &= ^uint64(0) << skip
		}
		for at != 0 {
			// Digits before it in the stretch would have been found first.
			n := v.stretch(b*blockLen + bits.TrailingZeros64(at))
			if n.digits >= 6 || n.digits >= 4 && n.end-n.start >= len("1.2.3.4") {
				return n, true
			}
			skip := n.end - b*blockLen
			if skip >= blockLen {
				from = n.end
				break
			}
			at &= ^uint64(0) << skip
		}
	}
	return number{}, false
}

// stretch measures the stretch that begins with the digit t[i].
func (v *survey) stretch(i int) number {
	n := number{span: span{i, i}}
	for b := i / blockLen; ; b++ {
		at := n.end % blockLen
		k := bits.TrailingZeros64(^v.blocks[b].loose >> at) // 64 for none
		if k = min(k, blockLen-at); k == blockLen {
			n.digits += bits.OnesCount64(v.blocks[b].digit)
		} else {
			n.digits += bits.OnesCount64(v.blocks[b].digit >> at << (blockLen - k))
		}
		n.end += k
		if at+k < blockLen {
			return n
		}
	}
}

// longWord is the length that a word with few digits must have to be found: the
// shortest is an Indian tax number.
const longWord = len("ABCPD1234E")

// longWords returns, for block b, where a word of at least that length begins.
func (v *survey) longWords(b int) uint64 {
	alnum := v.blocks[b].alnum
	here, next := alnum, v.blocks[b+1].alnum
	before := here << 1
	if b > 0 {
		before |= v.blocks[b-1].alnum >> (blockLen - 1)
	}
	here, next = here&ahead(here, next, 1), next&(next>>1) // two in a row
	here, next = here&ahead(here, next, 2), next&(next>>2) // four
	return here & ahead(here, next, 4) & ahead(here, next, longWord-4) &^ before
}

// letterPairs returns, for block b, where two letters stand before two digits.
func (v *survey) letterPairs(b int) uint64 {
	here, next := &v.blocks[b], &v.blocks[b+1]
	alpha, alphaNext := here.alnum&^here.digit, next.alnum&^next.digit
	return alpha & ahead(alpha, alphaNext, 1) & ahead(here.digit, next.digit, 2) & ahead(here.digit, next.digit, 3)
}

// beneficiaries returns, for block b, where the digits and separators stand as in
// a US Medicare number in groups, 1EG4-TE5-MK73.
func (v *survey) beneficiaries(b int) uint64 {
	d, dn, w, wn := v.blocks[b].digit, v.blocks[b+1].digit, v.blocks[b].alnum, v.blocks[b+1].alnum
	return d & ahead(d, dn, 3) & ahead(d, dn, 7) & ahead(d, dn, 11) & ahead(d, dn, 12) &^ (ahead(w, wn, 4) | ahead(w, wn, 8))
}

// evenWords returns, for block b, what is no letter or digit and stands before
// four words of two of them with one such byte after each, or before one word of
// four: where the first separator of a MAC address may be.
func (v *survey) evenWords(b int) (pairs, fours uint64) {
	w, wn := v.blocks[b].alnum, v.blocks[b+1].alnum
	two := ahead(w, wn, 1) & ahead(w, wn, 2)
	pairs = two & ahead(w, wn, 4) & ahead(w, wn, 5) &^ (w | ahead(w, wn, 3) | ahead(w, wn, 6) | ahead(w, wn, 9) | ahead(w, wn, 12))
	fours = two & ahead(w, wn, 3) & ahead(w, wn, 4) &^ (w | ahead(w, wn, 5))
	return pairs, fours
}

// manyColons tells whether two colons touch, or five lie so close together as
// in a MAC address, or in an IPv6 address with all its groups of four digits.
func (v *survey) manyColons() bool {
	const far = -blockLen
	p1, p2, p3, p4 := far, far, far, far // the four colons before
	for b := range v.blocks {
		for c := v.blocks[b].colon; c != 0; c &= c - 1 {
			at := b*blockLen + bits.TrailingZeros64(c)
			if at-p1 == 1 || at-p4 <= 4*len("ffff:") {
				return true
			}
			p1, p2, p3, p4 = at, p1, p2, p3
		}
	}
	return false
}
