// Package wire reads the compact binary forms in which partial results cross a
// shuffle. Writers use encoding/binary's AppendUvarint and AppendVarint.
package wire

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// ErrCorrupt is returned for bytes that the matching encoder did not write.
var ErrCorrupt = errors.New("corrupt encoding")

// Reader reads values one after another. After the first mistake every read
// yields zero, so that callers check Err once, or where a loop must end.
type Reader struct {
	b   []byte
	at  int
	err error
}

// NewReader reads b, which it does not copy.
func NewReader(b []byte) *Reader { return &Reader{b: b} }

// Fail notes a mistake that the caller found; the first one stays.
func (r *Reader) Fail(format string, args ...any) {
	if r.err == nil {
		r.err = fmt.Errorf("%w at byte %d: %s", ErrCorrupt, r.at, fmt.Sprintf(format, args...))
		r.at = len(r.b)
	}
}

// Err is the first mistake.
func (r *Reader) Err() error { return r.err }

// Close is Err, or that bytes are left over.
func (r *Reader) Close() error {
	if r.at < len(r.b) {
		r.Fail("%d bytes left over", len(r.b)-r.at)
	}
	return r.err
}

// Rest is the number of bytes not read yet.
func (r *Reader) Rest() int { return len(r.b) - r.at }

// Byte reads one byte.
func (r *Reader) Byte() byte {
	if r.at >= len(r.b) {
		r.Fail("it ends too early")
		return 0
	}
	c := r.b[r.at]
	r.at++
	return c
}

// Uvarint reads an unsigned number.
func (r *Reader) Uvarint() uint64 {
	if r.at < len(r.b) && r.b[r.at] < 0x80 { // most are small
		r.at++
		return uint64(r.b[r.at-1])
	}
	return r.longUvarint()
}

func (r *Reader) longUvarint() uint64 {
	v, n := binary.Uvarint(r.b[r.at:])
	if n <= 0 {
		r.Fail("no number")
		return 0
	}
	if n > 1 && r.b[r.at+n-1] == 0 { // no writer does it, and two forms of one state would be two states
		r.Fail("a number longer than it need be")
		return 0
	}
	r.at += n
	return v
}

// Varint reads a signed number.
func (r *Reader) Varint() int64 {
	u := r.Uvarint()
	return int64(u>>1) ^ -int64(u&1)
}

// Limited reads an unsigned number that must not exceed limit.
func (r *Reader) Limited(limit uint64) uint64 {
	v := r.Uvarint()
	if v > limit {
		r.Fail("%d exceeds %d", v, limit)
		return 0
	}
	return v
}

// Count reads how many items follow, each of which takes at least size bytes:
// a count that cannot be true is a mistake and never an allocation.
func (r *Reader) Count(size int) int {
	return int(r.Limited(uint64(r.Rest() / size))) // Rest before the count itself is read: never too small
}

// Bytes reads n bytes, a view of the input.
func (r *Reader) Bytes(n int) []byte {
	if n < 0 || n > r.Rest() {
		r.Fail("%d bytes are not there", n)
		return nil
	}
	r.at += n
	return r.b[r.at-n : r.at : r.at]
}

// Text reads a length and that many bytes, a view of the input.
func (r *Reader) Text() []byte { return r.Bytes(int(r.Limited(uint64(r.Rest())))) }

// Texts reads a count and as many texts. All of them share one allocation.
func (r *Reader) Texts() []string {
	n := r.Count(1)
	if n == 0 {
		return nil
	}
	from := r.at
	ends := make([][2]int, n)
	for i := range ends {
		size := len(r.Text())
		ends[i] = [2]int{r.at - size - from, r.at - from}
	}
	if r.err != nil {
		return nil
	}
	all := string(r.b[from:r.at])
	texts := make([]string, n)
	for i, e := range ends {
		texts[i] = all[e[0]:e[1]]
	}
	return texts
}

// AppendText writes what Text reads.
func AppendText[T ~string | ~[]byte](dst []byte, text T) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(text)))
	return append(dst, text...)
}

// AppendTexts writes what Texts reads.
func AppendTexts(dst []byte, texts []string) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(texts)))
	for _, t := range texts {
		dst = AppendText(dst, t)
	}
	return dst
}
