package badrow

import "strconv"

// maxSkeleton bounds a skeleton, in characters (all ASCII).
const maxSkeleton = 120

// maxDigits is the longest run of digits that is drawn in full; a longer one
// could be anything, and looks like this many.
const maxDigits = 20

// Skeleton draws the shape of a line without its text, so that a person can see
// what kind of line was refused. Runs of letters become a and their number, runs
// of digits become as many 9, runs of both or of any other byte become x and
// their number; a number of one is left out. Spaces and the punctuation that
// structures log lines stay:
//
//	999.9.999.9 - a5 [99/a3/9999:99:99:99 +9999] "a3 /a5
//
// The result depends on the class of each byte alone: lines that differ only in
// which letter, digit or other byte stands somewhere have the same skeleton. It
// has at most 120 characters; the rest of the line is left out.
func Skeleton(line []byte) string {
	var buf [maxSkeleton]byte
	out := buf[:0]
	for i := 0; i < len(line); {
		if structural[line[i]] {
			if len(out) == maxSkeleton {
				break
			}
			out = append(out, line[i])
			i++
			continue
		}
		start, seen := i, class(0)
		for ; i < len(line) && !structural[line[i]]; i++ {
			seen |= classOf(line[i])
		}
		var word [maxDigits + 1]byte
		drawn := drawWord(word[:0], seen, i-start)
		if len(out)+len(drawn) > maxSkeleton {
			break
		}
		out = append(out, drawn...)
	}
	return string(out)
}

func drawWord(dst []byte, seen class, n int) []byte {
	switch seen {
	case digit:
		for range min(n, maxDigits) {
			dst = append(dst, '9')
		}
		return dst
	case letter:
		dst = append(dst, 'a')
	default:
		dst = append(dst, 'x')
	}
	if n > 1 {
		dst = strconv.AppendInt(dst, int64(n), 10)
	}
	return dst
}

type class uint8

const (
	letter class = 1 << iota
	digit
	other
)

func classOf(c byte) class {
	switch {
	case c-'0' <= 9:
		return digit
	case c|0x20 >= 'a' && c|0x20 <= 'z':
		return letter
	}
	return other
}

var structural = func() (set [256]bool) {
	for _, c := range []byte(" \"[]()-/\\:.,;?&=%+") {
		set[c] = true
	}
	return set
}()
