package mask

import (
	"encoding/binary"
	"math/bits"
	"slices"
)

// survey says what kind each byte of a text is, a bit for each byte. Detectors
// ask it where something that they look for can be at all, 64 bytes in one
// comparison; only there they look at bytes. In a line of a log that is seldom.
type survey struct {
	blocks []block // the last one is empty: there is always a block behind
}

// block is 64 bytes of a text, the first one in the lowest bit.
type block struct {
	digit, colon uint64
	loose        uint64 // digits and what may stand between them: a space or ( to 9
}

// gaps are colons and the loose bytes that are no digits.
func (b *block) gaps() uint64 { return b.loose&^b.digit | b.colon }

const blockLen = 64

// fill makes the survey of a text.
func (v *survey) fill(t []byte) {
	v.blocks = slices.Grow(v.blocks[:0], len(t)/blockLen+2)
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

func surveyBlock(t *[blockLen]byte) (b block) {
	for i := 0; i < blockLen; i += 8 {
		x := binary.LittleEndian.Uint64(t[i:])
		ascii := ^x & tops
		x &^= tops
		past9, pastColon := x+(0x7f-'9')*lanes, x+(0x7f-':')*lanes
		b.digit |= gather((x+(0x80-'0')*lanes)&^past9&ascii) << i
		b.loose |= gather(((x+(0x80-'(')*lanes)&^past9|^((x^' '*lanes)+0x7f*lanes))&ascii) << i
		b.colon |= gather(past9&^pastColon&ascii) << i
	}
	return b
}

// gather moves the top bits of eight lanes into one byte: bit 8k+7 comes to bit
// 56+k by the factor's bit 49-7k, and no two of the other products meet.
func gather(x uint64) uint64 { return x * 0x0002040810204081 >> 56 }

// ahead returns the bits n places further on, of a block and the one behind it.
func ahead(here, next uint64, n int) uint64 { return here>>n | next<<(blockLen-n) }

// digitsEnd returns the end of the digits that begin at t[i].
func (v *survey) digitsEnd(i int) int {
	for b := i / blockLen; ; b++ {
		if other := ^v.blocks[b].digit >> (i % blockLen); other != 0 {
			return i + bits.TrailingZeros64(other)
		}
		i = (b + 1) * blockLen
	}
}

// number is a stretch of digits and what may stand between them.
type number struct {
	span       // from its first digit; the last bytes may be others
	digits int // in it
}

// longStretches returns, for block b, the digits behind which a stretch goes on for
// six bytes or more in all.
func (v *survey) longStretches(b int) uint64 {
	here, next := v.blocks[b].loose, v.blocks[b+1].loose
	here, next = here&ahead(here, next, 1), next&(next>>1) // two in a row
	here, next = here&ahead(here, next, 2), next&(next>>2) // four
	return v.blocks[b].digit & here & ahead(here, next, 2) // six
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

// longRun is the length of the shortest word with letters in which no six digits
// follow each other, but that is an identifier: an Indian tax number.
const longRun = len("ABCPD1234E")

// longRuns returns, for block b, where so many bytes or more begin that no gap
// divides.
func (v *survey) longRuns(b int) uint64 {
	here, next := ^v.blocks[b].gaps(), ^v.blocks[b+1].gaps()
	before := here << 1
	if b > 0 {
		before |= ^v.blocks[b-1].gaps() >> (blockLen - 1)
	}
	here, next = here&ahead(here, next, 1), next&(next>>1) // two in a row
	here, next = here&ahead(here, next, 2), next&(next>>2) // four
	return here & ahead(here, next, 4) & ahead(here, next, longRun-4) &^ before
}

// runEnd returns where the bytes at t[i] that no gap divides end.
func (v *survey) runEnd(i int) int {
	for b := i / blockLen; b < len(v.blocks)-1; b++ {
		if gaps := v.blocks[b].gaps() >> (i % blockLen); gaps != 0 {
			return i + bits.TrailingZeros64(gaps)
		}
		i = (b + 1) * blockLen
	}
	return i
}

// digitIn tells whether there is a digit in t[from:to].
func (v *survey) digitIn(from, to int) bool {
	for b := from / blockLen; b*blockLen < to && b < len(v.blocks); b++ {
		digits := v.blocks[b].digit
		if skip := from - b*blockLen; skip > 0 {
			digits &= ^uint64(0) << skip
		}
		if digits != 0 {
			return b*blockLen+bits.TrailingZeros64(digits) < to
		}
	}
	return false
}

// letterPairs returns, for block b, where two bytes that are not loose, such as
// letters, stand before two digits.
func (v *survey) letterPairs(b int) uint64 {
	here, next := &v.blocks[b], &v.blocks[b+1]
	return ahead(here.digit, next.digit, 2) & ahead(here.digit, next.digit, 3) &^ (here.loose | ahead(here.loose, next.loose, 1))
}

// beneficiaries returns, for block b, where the digits and separators stand as in
// a US Medicare number in groups, 1EG4-TE5-MK73.
func (v *survey) beneficiaries(b int) uint64 {
	d, dn, gaps, gapsNext := v.blocks[b].digit, v.blocks[b+1].digit, v.blocks[b].gaps(), v.blocks[b+1].gaps()
	return d & ahead(d, dn, 3) & ahead(d, dn, 7) & ahead(d, dn, 11) & ahead(d, dn, 12) & ahead(gaps, gapsNext, 4) & ahead(gaps, gapsNext, 8)
}

// evenGaps returns, for block b, where five gaps stand three bytes apart, and where
// two stand five bytes apart: where the first separator of a MAC address may be.
func (v *survey) evenGaps(b int) (pairs, fours uint64) {
	here, next := v.blocks[b].gaps(), v.blocks[b+1].gaps()
	alone := here &^ (ahead(here, next, 1) | ahead(here, next, 2))
	if pairs = alone & ahead(here, next, 3); pairs != 0 {
		pairs &= ahead(here, next, 6) & ahead(here, next, 9) & ahead(here, next, 12)
	}
	if fours = alone & ahead(here, next, 5); fours != 0 {
		fours &^= ahead(here, next, 3) | ahead(here, next, 4)
	}
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
