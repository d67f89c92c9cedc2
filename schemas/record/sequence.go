package record

import (
	"encoding/binary"
	"strings"
)

const (
	// sequenceDigits is how long the sequence numbers of Kinesis are; documented is
	// only that they grow.
	sequenceDigits = 56
	// maxSequence is more digits than any service gives a number; Kinesis documents
	// 129. It bounds what a few bytes of an encoded block can unfold to.
	maxSequence = 255
)

// Sequence writes a decimal sequence number so that the order of texts is that
// of the numbers.
func Sequence(decimal string) string {
	if n := sequenceDigits - len(decimal); n > 0 {
		return strings.Repeat("0", n) + decimal
	}
	return decimal
}

// IsSequence tells whether Sequence can have written a text.
func IsSequence(s string) bool {
	for i := range len(s) {
		if s[i]-'0' > 9 {
			return false
		}
	}
	return sequenceDigits <= len(s) && len(s) <= maxSequence
}

// appendSequences writes runs of equal texts: how many there are, how many bytes
// they share with the run before, and the others with their number. Records that
// a producer aggregated have the same number, others differ in the last digits.
func appendSequences(out []byte, list []string) []byte {
	last := ""
	for len(list) > 0 {
		text, run := list[0], 1
		for run < len(list) && list[run] == text {
			run++
		}
		list = list[run:]
		shared := 0
		for shared < min(len(last), len(text)) && last[shared] == text[shared] {
			shared++
		}
		out = binary.AppendUvarint(out, uint64(run))
		out = binary.AppendUvarint(out, uint64(shared))
		out = binary.AppendUvarint(out, uint64(len(text)-shared))
		out = append(out, text[shared:]...)
		last = text
	}
	return out
}

// sequences reads n texts that appendSequences wrote.
func sequences(in []byte, n int) (list []string, rest []byte, ok bool) {
	list = make([]string, 0, n)
	var text []byte // of the run before
	for len(list) < n {
		var lengths [3]int
		for i, most := range [...]int{n - len(list), len(text), maxSequence} {
			v, k := binary.Uvarint(in)
			if k <= 0 || v > uint64(most) {
				return nil, nil, false
			}
			lengths[i], in = int(v), in[k:]
		}
		run, shared, own := lengths[0], lengths[1], lengths[2]
		if run == 0 || shared+own > maxSequence || own > len(in) {
			return nil, nil, false
		}
		text = append(text[:shared], in[:own]...)
		in = in[own:]
		for s := string(text); run > 0; run-- {
			list = append(list, s)
		}
	}
	return list, in, true
}
