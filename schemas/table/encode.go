package table

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
)

// encodingVersion is the first byte of an encoded batch.
const encodingVersion = 2

// ErrCorrupt is returned for bytes that are not an encoded batch.
var ErrCorrupt = errors.New("not an encoded batch")

// maxRows bounds an encoded batch, so that a decoder need not believe more.
const maxRows = 1 << 24

// AppendBinary appends the batch in our binary form: version, schema, number of
// rows and of columns, then each column (numbers as zigzag deltas, text as
// dictionary and codes). Batches lie in savepoints, and columns are added to a
// schema at its end: the number tells a later program which are not there. Batches made by the same puts give equal bytes. It fails for more than
// 2^24 rows.
func (b *Batch) AppendBinary(dst []byte) ([]byte, error) {
	if b.rows > maxRows {
		return dst, fmt.Errorf("encoding a batch of %s: %d rows, at most %d fit", b.schema.ID(), b.rows, maxRows)
	}
	dst = slices.Grow(dst, b.encodedSize())
	dst = append(dst, encodingVersion)
	id := b.schema.ID()
	dst = binary.AppendUvarint(dst, uint64(len(id)))
	dst = append(dst, id...)
	dst = binary.AppendUvarint(dst, uint64(b.rows))
	dst = binary.AppendUvarint(dst, uint64(len(b.cols)))
	for i := range b.cols {
		c := &b.cols[i]
		switch k := b.schema.Columns[i].Kind; {
		case k.text():
			dst = appendText(dst, c)
		case k == UUID:
			dst = append(dst, c.fixed...)
		default:
			dst = appendDeltas(dst, c.ints)
		}
		if b.schema.Columns[i].Null && !b.schema.Columns[i].Kind.text() {
			dst = appendBits(dst, c.nulls)
		}
	}
	return dst, nil
}

// encodedSize is about how many bytes the batch takes, rather too many than too few.
func (b *Batch) encodedSize() int {
	n := 64
	for i := range b.cols {
		c := &b.cols[i]
		n += 4*len(c.ints) + len(c.fixed) + len(c.nulls)/8 + 1 + codeWidth(len(c.dict.ends))*len(c.codes) + len(c.dict.arena) + 2*len(c.dict.ends)
	}
	return n
}

// MarshalBinary implements encoding.BinaryMarshaler.
func (b *Batch) MarshalBinary() ([]byte, error) { return b.AppendBinary(nil) }

func appendDeltas(dst []byte, ints []int64) []byte {
	if isLent(ints, zeros[:]) {
		return appendMany(dst, 0, len(ints))
	}
	var last int64
	for _, v := range ints {
		if d := v - last; d >= -64 && d < 64 { // in one byte, as most are, of columns without values all
			dst = append(dst, byte(d<<1)^byte(d>>63))
		} else {
			dst = binary.AppendVarint(dst, d)
		}
		last = v
	}
	return dst
}

func appendBits(dst []byte, bits []bool) []byte {
	if isLent(bits, marked[:]) {
		dst = appendMany(dst, 0xff, len(bits)/8)
		bits = bits[len(bits)&^7:]
	}
	for i := 0; i < len(bits); i += 8 {
		var x byte
		for j, set := range bits[i:min(i+8, len(bits))] {
			if set {
				x |= 1 << j
			}
		}
		dst = append(dst, x)
	}
	return dst
}

func appendText(dst []byte, c *vector) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(c.dict.ends)))
	var from uint32
	for _, end := range c.dict.ends {
		dst = binary.AppendUvarint(dst, uint64(end-from))
		from = end
	}
	dst = append(dst, c.dict.arena...)
	width, codes := codeWidth(len(c.dict.ends)), len(dst)
	dst = slices.Grow(dst, width*len(c.codes))[:codes+width*len(c.codes)]
	switch to := dst[codes:]; { // a code is one more, as null is 0
	case len(c.dict.ends) == 0:
		clear(to)
	case width == 1:
		for i, code := range c.codes {
			to[i] = byte(code + 1)
		}
	case width == 2:
		for i, code := range c.codes {
			binary.LittleEndian.PutUint16(to[2*i:], uint16(code+1))
		}
	default:
		for i, code := range c.codes {
			v := code + 1
			for j := range width {
				to[width*i+j] = byte(v)
				v >>= 8
			}
		}
	}
	return dst
}

// codeWidth is how many bytes a code (plus one) of a dictionary of n takes.
func codeWidth(n int) int {
	switch {
	case n < 1<<8:
		return 1
	case n < 1<<16:
		return 2
	case n < 1<<24:
		return 3
	}
	return 4
}

// Decode reads a batch written by AppendBinary. Its schema must be known to
// Lookup. The batch keeps no reference to data. Bytes that are no batch give
// ErrCorrupt, and cost no more memory than a few times their length.
func Decode(data []byte) (*Batch, error) { return decodeInto(nil, data) }

// decodeInto is Decode into the memory of a batch whose rows nobody needs any more; nil for none.
func decodeInto(b *Batch, data []byte) (*Batch, error) {
	r := reader{data: data}
	if v := r.byte(); r.err == nil && v != encodingVersion {
		return nil, fmt.Errorf("%w: version %d, this program reads %d", ErrCorrupt, v, encodingVersion)
	}
	id := string(r.take(r.uvarint(256)))
	if r.err != nil {
		return nil, r.err
	}
	s, ok := Lookup(id)
	if !ok {
		return nil, fmt.Errorf("%w: unknown schema %q", ErrCorrupt, id)
	}
	rows := r.uvarint(maxRows)
	if r.err == nil && rows > len(data) { // every row takes a byte a column at least
		r.fail("more rows than bytes")
	}
	columns := r.uvarint(1 << 10)
	if r.err == nil && columns > len(s.Columns) {
		r.fail("%d columns, schema %s has %d: a later program wrote it", columns, id, len(s.Columns))
	}
	if b == nil || b.schema != s {
		b = NewBatch(s)
	}
	b.Reset()
	b.rows = rows
	for i := range b.cols {
		if r.err != nil {
			break
		}
		if i >= columns {
			b.fillNull(i, rows, &r)
			continue
		}
		c := &b.cols[i]
		switch k := s.Columns[i].Kind; {
		case k.text():
			r.text(c, rows)
		case k == UUID:
			c.fixed = append(c.fixed, r.take(16*rows)...)
		default:
			r.deltas(c, rows)
		}
		if s.Columns[i].Null && !s.Columns[i].Kind.text() {
			r.bits(c, rows)
		}
	}
	if r.err == nil && len(r.data) > 0 {
		r.fail("%d bytes too many", len(r.data))
	}
	if r.err != nil {
		return nil, r.err
	}
	if err := b.Check(); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrCorrupt, err)
	}
	return b, nil
}

// fillNull fills a column that a batch of an earlier program does not have.
func (b *Batch) fillNull(col, rows int, r *reader) {
	if !b.schema.Columns[col].Null {
		r.fail("no column %s", b.schema.Columns[col].Name)
		return
	}
	for range rows {
		b.PutNull(col)
	}
}

type reader struct {
	data []byte
	err  error
}

func (r *reader) fail(format string, a ...any) {
	if r.err == nil {
		r.err = fmt.Errorf("%w: %s", ErrCorrupt, fmt.Sprintf(format, a...))
	}
	r.data = nil
}

func (r *reader) byte() byte {
	if len(r.data) == 0 {
		r.fail("ends early")
		return 0
	}
	v := r.data[0]
	r.data = r.data[1:]
	return v
}

func (r *reader) uvarint(limit int) int {
	v, n := binary.Uvarint(r.data)
	if n <= 0 || v > uint64(limit) {
		r.fail("number out of range")
		return 0
	}
	r.data = r.data[n:]
	return int(v)
}

func (r *reader) take(n int) []byte {
	if n > len(r.data) {
		r.fail("ends early")
		return nil
	}
	v := r.data[:n]
	r.data = r.data[n:]
	return v
}

func (r *reader) deltas(c *vector, rows int) {
	if rows > len(r.data) {
		r.fail("ends early")
		return
	}
	data, last := r.data, int64(0)
	if allZero(data[:rows]) {
		c.ints, r.data = lend(zeros[:], 0, rows), data[rows:]
		return
	}
	c.ints = room(c.ints, rows)
	for i := range c.ints {
		if len(data) > 0 && data[0] < 0x80 {
			last += int64(data[0]>>1) ^ -int64(data[0]&1)
			c.ints[i], data = last, data[1:]
			continue
		}
		d, n := binary.Varint(data)
		if n <= 0 {
			r.fail("ends early")
			return
		}
		data = data[n:]
		last += d
		c.ints[i] = last
	}
	r.data = data
}

// allZero tells of columns without values, for which no number is to be read.
func allZero(b []byte) bool {
	for len(b) >= 8 {
		if binary.LittleEndian.Uint64(b) != 0 {
			return false
		}
		b = b[8:]
	}
	for _, x := range b {
		if x != 0 {
			return false
		}
	}
	return true
}

func allOnes(b []byte) bool {
	for _, x := range b {
		if x != 0xff {
			return false
		}
	}
	return true
}

func (r *reader) bits(c *vector, rows int) {
	packed := r.take((rows + 7) / 8)
	if r.err != nil {
		return
	}
	if whole := rows / 8; rows > 0 && allOnes(packed[:whole]) && (rows%8 == 0 || packed[whole] == 1<<(rows%8)-1) {
		c.nulls = lend(marked[:], true, rows)
		return
	}
	c.nulls = room(c.nulls, rows)
	for i := range c.nulls {
		c.nulls[i] = packed[i/8]>>(i%8)&1 == 1
	}
}

// room is n values of any kind, in the memory of s if it has as many.
func room[T any](s []T, n int) []T {
	if n <= cap(s) {
		return s[:n]
	}
	return make([]T, n)
}

func (r *reader) text(c *vector, rows int) {
	n := r.uvarint(len(r.data))
	c.dict.ends = room(c.dict.ends, n)
	var total uint64
	for i := range c.dict.ends {
		total += uint64(r.uvarint(len(r.data)))
		c.dict.ends[i] = uint32(total)
	}
	if total > min(maxText, uint64(len(r.data))) {
		r.fail("ends early")
		return
	}
	c.dict.arena = append(c.dict.arena[:0], r.take(int(total))...)
	width := codeWidth(n)
	packed := r.take(width * rows)
	if r.err != nil {
		return
	}
	if n == 0 && allZero(packed) {
		c.codes = lend(nullCodes[:], nullCode, rows)
		return
	}
	c.codes = room(c.codes, rows)
	switch width {
	case 1:
		for i := range c.codes {
			c.codes[i] = uint32(packed[i]) - 1
		}
	case 2:
		for i := range c.codes {
			c.codes[i] = uint32(binary.LittleEndian.Uint16(packed[2*i:])) - 1
		}
	default:
		for i := range c.codes {
			var v uint32
			for j, x := range packed[width*i : width*i+width] {
				v |= uint32(x) << (8 * j)
			}
			c.codes[i] = v - 1
		}
	}
}

// Rows is a batch as the element of a collection: it crosses the runner in the
// form of EncodeRows, or as it is between fused steps.
type Rows struct {
	Batch *Batch
	// Group names, in a live run, the rows that become files together: the roll of
	// their records, or the bucket of event time in which they were sealed.
	Group string
	Kind  RowKind
}

// RowKind says what holds of the rows of a batch.
type RowKind uint8

// Kinds of rows.
const (
	Sealed      RowKind = iota // they are final
	Provisional                // later ones of the same key overwrite them
	Withdrawn                  // rows of their key are to go, unless of a greater version
)

// EncodeRows writes the kind, the length of the group, the group and the batch.
func EncodeRows(r Rows) ([]byte, error) {
	head := binary.AppendUvarint([]byte{byte(r.Kind)}, uint64(len(r.Group)))
	return r.Batch.AppendBinary(append(head, r.Group...))
}

// DecodeRows reverses EncodeRows.
func DecodeRows(data []byte) (Rows, error) { return DecodeRowsInto(nil, data) }

// DecodeRowsInto is DecodeRows into the memory of a batch whose rows nobody needs any more, nil
// for none. After an error that batch means nothing.
func DecodeRowsInto(spent *Batch, data []byte) (Rows, error) {
	if len(data) == 0 || data[0] > byte(Withdrawn) {
		return Rows{}, fmt.Errorf("decoding rows: %w", ErrCorrupt)
	}
	n, k := binary.Uvarint(data[1:])
	if k <= 0 || n > uint64(len(data)-1-k) {
		return Rows{}, fmt.Errorf("decoding rows: %w", ErrCorrupt)
	}
	rest := data[1+k:]
	b, err := decodeInto(spent, rest[n:])
	return Rows{Batch: b, Group: string(rest[:n]), Kind: RowKind(data[0])}, err
}
