package mask

import (
	"bytes"
	"strconv"
	"time"
)

// Generalised values are fixed points: generalised again they stay.

// appendGeneral appends the general form of a value of a class; false when it
// cannot be read as one.
func appendGeneral(dst []byte, c Class, value []byte) ([]byte, bool) {
	value = bytes.TrimSpace(value)
	switch c {
	case Zip:
		return appendZip3(dst, value)
	case Age:
		return appendBand(dst, value)
	case Time:
		return appendDay(dst, value)
	default:
		return dst, false
	}
}

// sparse are the zip3 areas of 20,000 people or fewer (US census of 2000, as the
// guidance on HIPAA de-identification, 45 CFR 164.514(b), lists them).
const sparse = "036 059 063 102 203 556 692 790 821 823 830 831 878 879 884 890 893 "

// appendZip3 keeps three characters of a postal code and says how many were
// there at least: "123**". Sparse areas become "000**".
func appendZip3(dst, zip []byte) ([]byte, bool) {
	if len(zip) < 4 || len(zip) > 12 {
		return dst, false
	}
	for i, c := range zip {
		if !isAlnum(c) && (i < 3 || c != '-' && c != ' ' && c != '*') {
			return dst, false
		}
	}
	head := zip[:3]
	numeric := isDigit(head[0]) && isDigit(head[1]) && isDigit(head[2])
	if numeric && bytes.Contains([]byte(sparse), append(bytes.Clone(head), ' ')) {
		head = []byte("000")
	}
	for _, c := range head {
		if isLower(c) {
			c &^= 0x20
		}
		dst = append(dst, c)
	}
	return append(dst, "**"...), true
}

// appendBand appends the ten years an age lies in, "40-49", and "90+" above.
func appendBand(dst, age []byte) ([]byte, bool) {
	head, rest, _ := bytes.Cut(age, []byte{'-'})
	if string(age) == "90+" {
		return append(dst, age...), true
	}
	n, err := strconv.ParseFloat(string(head), 64)
	if err != nil || n < 0 || n > 150 {
		return dst, false
	}
	low := int(n) / 10 * 10
	if len(rest) > 0 {
		if m, err := strconv.Atoi(string(rest)); err != nil || low != int(n) || m != low+9 {
			return dst, false
		}
	}
	if low >= 90 {
		return append(dst, "90+"...), true
	}
	dst = strconv.AppendInt(dst, int64(low), 10)
	return strconv.AppendInt(append(dst, '-'), int64(low+9), 10), true
}

const dayMillis = 86_400_000

// appendDay appends the UTC day of a time: the date of RFC 3339 text and the
// first millisecond of the day for Unix milliseconds.
func appendDay(dst, at []byte) ([]byte, bool) {
	if n, err := strconv.ParseInt(string(at), 10, 64); err == nil && len(at) > 8 {
		day := n / dayMillis
		if n < 0 && n%dayMillis != 0 {
			day--
		}
		return strconv.AppendInt(dst, day*dayMillis, 10), true
	}
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05", "2006-01-02 15:04:05", time.DateOnly} {
		if t, err := time.Parse(layout, string(at)); err == nil {
			return t.UTC().AppendFormat(dst, time.DateOnly), true
		}
	}
	return dst, false
}
