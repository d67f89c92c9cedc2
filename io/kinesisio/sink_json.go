package kinesisio

import (
	"encoding/base64"
	"encoding/hex"
	"math"
	"strconv"
	"time"
	"unicode/utf8"

	"millrace/schemas/table"
)

// document writes rows of a schema as JSON objects: the columns in their order,
// nulls left out.
type document struct {
	names []string // of the columns, as JSON strings with a colon
}

func newDocument(s *table.Schema) document {
	d := document{names: make([]string, len(s.Columns))}
	for i, c := range s.Columns {
		d.names[i] = string(append(appendQuoted(nil, []byte(c.Name)), ':'))
	}
	return d
}

// append writes one row, without a line end.
func (d *document) append(dst []byte, b *table.Batch, row int, marks *Marks) []byte {
	dst = append(dst, '{')
	if marks != nil {
		dst = appendMarks(dst, marks, row)
	}
	for col, name := range d.names {
		if b.Null(col, row) {
			continue
		}
		if dst[len(dst)-1] != '{' {
			dst = append(dst, ',')
		}
		dst = appendValue(append(dst, name...), b, col, row)
	}
	return append(dst, '}')
}

func appendMarks(dst []byte, m *Marks, row int) []byte {
	op := `"_op":"upsert"`
	if m.Kind == table.Withdrawn {
		op = `"_op":"withdraw"`
	}
	dst = append(dst, op...)
	if m.Versions != nil {
		dst = strconv.AppendInt(append(dst, `,"_version":`...), m.Versions[row], 10)
	}
	return strconv.AppendBool(append(dst, `,"_sealed":`...), m.Kind != table.Provisional)
}

// appendValue writes a value that is not null.
func appendValue(dst []byte, b *table.Batch, col, row int) []byte {
	bare := false
	switch b.Schema().Columns[col].Kind {
	case table.String:
		return appendQuoted(dst, b.Text(col, row))
	case table.Int32, table.Int64, table.Bool:
		bare = true
	case table.Float64:
		f := b.Float(col, row)
		bare = !math.IsNaN(f) && !math.IsInf(f, 0)
	default: // times, dates, ids and bytes are text
	}
	if bare {
		return appendPlain(dst, b, col, row)
	}
	return append(appendPlain(append(dst, '"'), b, col, row), '"')
}

// appendPlain writes a value as text: in a document it stands in quotes, in a
// partition key as it is. A null is empty.
func appendPlain(dst []byte, b *table.Batch, col, row int) []byte {
	if b.Null(col, row) {
		return dst
	}
	switch b.Schema().Columns[col].Kind {
	case table.Time:
		return time.UnixMilli(b.Int(col, row)).UTC().AppendFormat(dst, "2006-01-02T15:04:05.000Z")
	case table.Date:
		return appendDay(dst, b.Int(col, row))
	case table.UUID:
		id := b.UUIDBytes(col, row)
		for i, part := range [...][]byte{id[:4], id[4:6], id[6:8], id[8:10], id[10:]} {
			if i > 0 {
				dst = append(dst, '-')
			}
			dst = hex.AppendEncode(dst, part)
		}
		return dst
	case table.Bytes:
		return base64.StdEncoding.AppendEncode(dst, b.Text(col, row))
	case table.Float64:
		// What JSON numbers cannot say, by the names that protobuf gives them.
		switch f := b.Float(col, row); {
		case math.IsNaN(f):
			return append(dst, "NaN"...)
		case math.IsInf(f, 1):
			return append(dst, "Infinity"...)
		case math.IsInf(f, -1):
			return append(dst, "-Infinity"...)
		default:
			return strconv.AppendFloat(dst, f, 'g', -1, 64)
		}
	case table.Bool:
		return strconv.AppendBool(dst, b.Bool(col, row))
	case table.String:
		return append(dst, b.Text(col, row)...)
	default:
		return strconv.AppendInt(dst, b.Int(col, row), 10)
	}
}

func appendDay(dst []byte, day int64) []byte {
	return time.Unix(day*24*60*60, 0).UTC().AppendFormat(dst, time.DateOnly)
}

// appendQuoted writes a JSON string. Bytes that are no UTF-8 become U+FFFD.
func appendQuoted(dst, s []byte) []byte {
	const digits = "0123456789abcdef"
	dst = append(dst, '"')
	from := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c >= ' ' && c != '"' && c != '\\' && c < utf8.RuneSelf {
			i++
			continue
		}
		size := 1
		if c >= utf8.RuneSelf {
			var r rune
			if r, size = utf8.DecodeRune(s[i:]); r != utf8.RuneError || size > 1 {
				i += size
				continue
			}
		}
		dst = append(dst, s[from:i]...)
		switch {
		case c >= utf8.RuneSelf:
			dst = append(dst, "\ufffd"...)
		case c == '"' || c == '\\':
			dst = append(dst, '\\', c)
		case c == '\n':
			dst = append(dst, `\n`...)
		case c == '\r':
			dst = append(dst, `\r`...)
		case c == '\t':
			dst = append(dst, `\t`...)
		default:
			dst = append(dst, '\\', 'u', '0', '0', digits[c>>4], digits[c&15])
		}
		i += size
		from = i
	}
	return append(append(dst, s[from:]...), '"')
}
