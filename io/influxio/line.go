package influxio

import (
	"encoding/hex"
	"fmt"
	"math"
	"slices"
	"strconv"

	"github.com/cespare/xxhash/v2"

	"millrace/io/timeseries"
	"millrace/schemas/table"
)

const (
	maxText = 64 << 10  // bytes of a text field: InfluxDB's documentation of line protocol
	maxKey  = 1<<16 - 1 // bytes of measurement and tags: models.MaxKeyLength of InfluxDB 1
	// Times in nanoseconds fit 64 bits: 1677 to 2262. The last millisecond has no room
	// for a digest.
	maxMillis = math.MaxInt64/1_000_000 - 1
	minMillis = -maxMillis

	slots = 1_000_000 // nanoseconds of a millisecond
	parts = 256       // values of the tag part
)

// encoder writes rows as lines.
type encoder struct {
	config *config
	tags   []string // `,name=`
	fields []string // `name=`
	nulls  bool     // some measure can have no value, and points are overwritten
	id     []byte
}

func newEncoder(c *config) *encoder {
	e := &encoder{config: c}
	columns := c.shape.Schema.Columns
	for _, col := range c.tags {
		e.tags = append(e.tags, ","+string(appendKey(nil, []byte(columns[col].Name)))+"=")
	}
	for _, col := range c.fields {
		e.fields = append(e.fields, string(appendKey(nil, []byte(columns[col].Name)))+"=")
		e.nulls = e.nulls || columns[col].Null && c.shape.Version >= 0
	}
	return e
}

// appendKey escapes a tag's name or value or a field's name.
func appendKey(dst, text []byte) []byte {
	for _, c := range text {
		if c == ',' || c == '=' || c == ' ' {
			dst = append(dst, '\\')
		}
		dst = append(dst, c)
	}
	return dst
}

// escapeFrom escapes, in place, what was appended from a place on as a tag's value.
func escapeFrom(dst []byte, from int) []byte {
	n := 0
	for _, c := range dst[from:] {
		if c == ',' || c == '=' || c == ' ' {
			n++
		}
	}
	if n == 0 {
		return dst
	}
	old := len(dst)
	dst = append(dst, make([]byte, n)...)
	for i, j := old-1, len(dst)-1; i >= from; i-- {
		c := dst[i]
		dst[j] = c
		j--
		if c == ',' || c == '=' || c == ' ' {
			dst[j] = '\\'
			j--
		}
	}
	return dst
}

// series writes measurement and tags of a row, and gives what its digest adds to the
// time, in nanoseconds.
func (e *encoder) series(dst []byte, b *table.Batch, row int) (text []byte, slot int64) {
	dst = append(dst, e.config.measurement...)
	for i, col := range e.config.tags {
		from := len(dst)
		dst = append(dst, e.tags[i]...)
		at, ok := len(dst), false
		if dst, ok = timeseries.AppendDimension(dst, b, col, row); !ok {
			dst = dst[:from]
			continue
		}
		dst = escapeFrom(dst, at)
	}
	if len(e.config.folded) == 0 {
		return dst, 0
	}
	digest := e.digest(b, row)
	dst = append(dst, ","+part+"="...)
	return hex.AppendEncode(dst, []byte{byte(digest / slots % parts)}), int64(digest % slots)
}

// digest is xxhash64 over the values of the folded columns as plain text, each with
// FF behind it, and FE before that for null. It is part of what is stored and never
// changes.
func (e *encoder) digest(b *table.Batch, row int) uint64 {
	e.id = e.id[:0]
	for _, col := range e.config.folded {
		if b.Null(col, row) {
			e.id = append(e.id, 0xfe)
		} else {
			e.id = timeseries.AppendPlain(e.id, b, col, row)
		}
		e.id = append(e.id, 0xff) // neither is in UTF-8
	}
	return xxhash.Sum64(e.id)
}

// time is that of a row's point, in the precision of the calls.
func (e *encoder) time(ms, slot int64) int64 {
	if len(e.config.folded) == 0 {
		return ms
	}
	return ms*slots + slot
}

// appendFields writes the fields, from the space before them to the end of the line.
func (e *encoder) appendFields(dst []byte, rows table.Rows, row int, time int64) []byte {
	b, columns := rows.Batch, e.config.shape.Schema.Columns
	dst = append(dst, ' ')
	from := len(dst)
	for i, col := range e.config.fields {
		null, zero := b.Null(col, row), rows.Kind == table.Withdrawn && e.counted(col)
		if null && !zero && (columns[col].Kind != table.String || !e.nulls) {
			continue
		}
		if len(dst) > from {
			dst = append(dst, ',')
		}
		dst = append(dst, e.fields[i]...)
		if zero {
			dst = appendZero(dst, columns[col].Kind)
			continue
		}
		if null { // takes the place of what an earlier version had
			dst = append(dst, `""`...)
			continue
		}
		dst = appendField(dst, b, col, row)
	}
	if e.config.shape.Version >= 0 {
		dst = strconv.AppendBool(append(dst, ","+timeseries.Sealed+"="...), rows.Kind != table.Provisional)
		dst = strconv.AppendBool(append(dst, ","+timeseries.Withdrawn+"="...), rows.Kind == table.Withdrawn)
	}
	if e.nulls {
		dst = e.appendNulls(append(dst, ","+nulls+"="...), b, row)
	}
	return append(strconv.AppendInt(append(dst, ' '), time, 10), '\n')
}

// counted tells whether a field is a number that readers may add up. Those of a withdrawn
// row are zero, also where it has none, since one of an earlier version would stay.
func (e *encoder) counted(col int) bool {
	shape := e.config.shape
	switch shape.Schema.Columns[col].Kind {
	case table.Int32, table.Int64, table.Float64:
		return col != shape.Version && !slices.Contains(shape.Schema.Order, col)
	default:
		return false
	}
}

func appendZero(dst []byte, kind table.Kind) []byte {
	if kind == table.Float64 {
		return append(dst, '0')
	}
	return append(dst, "0i"...)
}

// appendNulls names the columns that have no value: those of an earlier version of the
// point stay, as InfluxDB overwrites field by field.
func (e *encoder) appendNulls(dst []byte, b *table.Batch, row int) []byte {
	dst = append(dst, '"')
	from := len(dst)
	for _, col := range e.config.fields {
		if !b.Null(col, row) {
			continue
		}
		if len(dst) > from {
			dst = append(dst, ',')
		}
		dst = append(dst, b.Schema().Columns[col].Name...)
	}
	return append(dst, '"')
}

func appendField(dst []byte, b *table.Batch, col, row int) []byte {
	switch b.Schema().Columns[col].Kind {
	case table.Int32, table.Int64, table.Time:
		return append(strconv.AppendInt(dst, b.Int(col, row), 10), 'i')
	case table.Bool:
		return strconv.AppendBool(dst, b.Bool(col, row))
	case table.Float64:
		return strconv.AppendFloat(dst, b.Float(col, row), 'g', -1, 64)
	case table.String:
		return appendQuoted(dst, b.Text(col, row))
	default: // has nothing to escape
		return append(timeseries.AppendPlain(append(dst, '"'), b, col, row), '"')
	}
}

func appendQuoted(dst, text []byte) []byte {
	dst = append(dst, '"')
	from := 0
	for i, c := range text {
		if c == '"' || c == '\\' {
			dst = append(append(dst, text[from:i]...), '\\')
			from = i
		}
	}
	return append(append(dst, text[from:]...), '"')
}

// unfit tells what of a row no server can take, empty when nothing.
func (e *encoder) unfit(rows table.Rows, row int) string {
	b, s := rows.Batch, e.config.shape
	if ms := s.Millis(b, row); ms < minMillis || ms > maxMillis {
		return "its time is not between 1677 and 2262"
	}
	if s.Version >= 0 {
		if v := b.Int(s.Version, row); v < 0 || v > timeseries.MaxVersion {
			return fmt.Sprintf("the version %d is not between 0 and 2^62", v)
		}
	}
	values := 0
	for _, col := range e.config.fields {
		if b.Null(col, row) {
			continue
		}
		values++
		if s.Schema.Columns[col].Kind != table.Float64 {
			continue
		}
		if f := b.Float(col, row); math.IsNaN(f) || math.IsInf(f, 0) {
			return fmt.Sprintf("%s is %v, which no field can be", s.Schema.Columns[col].Name, f)
		}
	}
	if values == 0 {
		return "it has no value that could be a field"
	}
	return ""
}

// unfitText tells which text of a row is too large, empty when none.
func (e *encoder) unfitText(b *table.Batch, row int) string {
	for _, col := range e.config.fields {
		switch e.config.shape.Schema.Columns[col].Kind {
		case table.String:
			if n := len(b.Text(col, row)); n > maxText {
				return fmt.Sprintf("%s has %d bytes, and a field takes %d", e.config.shape.Schema.Columns[col].Name, n, maxText)
			}
		case table.Bytes:
			if n := len(b.Text(col, row)); n > maxText/4*3 { // in base64
				return fmt.Sprintf("%s has %d bytes, and a field takes %d", e.config.shape.Schema.Columns[col].Name, n, maxText/4*3)
			}
		default:
		}
	}
	return ""
}
