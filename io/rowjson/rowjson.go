// Package rowjson writes the values of rows as JSON into buffers that are used
// again, without reflection.
package rowjson

import (
	"encoding/base64"
	"encoding/hex"
	"math"
	"strconv"
	"time"
	"unicode/utf8"

	"millrace/schemas/table"
)

// AppendValue writes a value of a batch that is not null: times as ISO 8601 with
// milliseconds in UTC, dates as YYYY-MM-DD, ids with hyphens, bytes in base64,
// and floats that JSON cannot say as the texts NaN, Infinity and -Infinity, the names
// that protobuf gives them.
func AppendValue(dst []byte, b *table.Batch, col, row int) []byte {
	bare := false
	switch b.Schema().Columns[col].Kind {
	case table.String:
		return AppendString(dst, b.Text(col, row))
	case table.Int32, table.Int64, table.Bool:
		bare = true
	case table.Float64:
		f := b.Float(col, row)
		bare = !math.IsNaN(f) && !math.IsInf(f, 0)
	default: // times, dates, ids and bytes are texts
	}
	if bare {
		return AppendText(dst, b, col, row)
	}
	return append(AppendText(append(dst, '"'), b, col, row), '"')
}

// AppendText writes a value that is not null as AppendValue does, without quotes and
// with nothing escaped.
func AppendText(dst []byte, b *table.Batch, col, row int) []byte {
	switch b.Schema().Columns[col].Kind {
	case table.String:
		return append(dst, b.Text(col, row)...)
	case table.Int32, table.Int64:
		return strconv.AppendInt(dst, b.Int(col, row), 10)
	case table.Bool:
		return strconv.AppendBool(dst, b.Bool(col, row))
	case table.Float64:
		return appendFloat(dst, b.Float(col, row))
	case table.Time:
		return AppendTime(dst, b.Int(col, row))
	case table.Date:
		return AppendDay(dst, b.Int(col, row))
	case table.UUID:
		return AppendUUID(dst, b.UUIDBytes(col, row))
	default: // Bytes
		return base64.StdEncoding.AppendEncode(dst, b.Text(col, row))
	}
}

func appendFloat(dst []byte, f float64) []byte {
	switch {
	case math.IsNaN(f):
		return append(dst, "NaN"...)
	case math.IsInf(f, 1):
		return append(dst, "Infinity"...)
	case math.IsInf(f, -1):
		return append(dst, "-Infinity"...)
	}
	return strconv.AppendFloat(dst, f, 'g', -1, 64)
}

// AppendTime writes Unix milliseconds as 2025-03-03T11:06:40.007Z.
func AppendTime(dst []byte, ms int64) []byte {
	t := time.UnixMilli(ms).UTC()
	year, month, day := t.Date()
	if year < 0 || year > 9999 {
		return t.AppendFormat(dst, "2006-01-02T15:04:05.000Z")
	}
	hour, minute, second := t.Clock()
	dst = append(appendDate(dst, year, int(month), day), 'T')
	dst = append(appendTwo(dst, hour), ':')
	dst = append(appendTwo(dst, minute), ':')
	dst = append(appendTwo(dst, second), '.')
	milli := t.Nanosecond() / 1_000_000
	return append(appendTwo(append(dst, digit(milli/100)), milli%100), 'Z')
}

// AppendDay writes days since the Unix epoch as 2025-03-03.
func AppendDay(dst []byte, day int64) []byte {
	t := time.Unix(day*24*60*60, 0).UTC()
	year, month, d := t.Date()
	if year < 0 || year > 9999 {
		return t.AppendFormat(dst, time.DateOnly)
	}
	return appendDate(dst, year, int(month), d)
}

func appendDate(dst []byte, year, month, day int) []byte {
	dst = append(appendTwo(appendTwo(dst, year/100), year%100), '-')
	return appendTwo(append(appendTwo(dst, month), '-'), day)
}

// appendTwo writes a number below 100.
func appendTwo(dst []byte, n int) []byte { return append(dst, digit(n/10), digit(n)) }

func digit(n int) byte { return "0123456789"[n%10] }

// AppendUUID writes 16 bytes with hyphens.
func AppendUUID(dst, id []byte) []byte {
	for i, part := range [...][]byte{id[:4], id[4:6], id[6:8], id[8:10], id[10:16]} {
		if i > 0 {
			dst = append(dst, '-')
		}
		dst = hex.AppendEncode(dst, part)
	}
	return dst
}

// AppendString writes a JSON string. Bytes that are no UTF-8 become U+FFFD.
func AppendString(dst, s []byte) []byte {
	const digits = "0123456789abcdef"
	dst = append(dst, '"')
	from := 0
	for i := 0; i < len(s); {
		c := s[i]
		if plain[c] {
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

// plain are the bytes that stand for themselves in a JSON string.
var plain = func() (is [256]bool) {
	for c := byte(' '); c < utf8.RuneSelf; c++ {
		is[c] = c != '"' && c != '\\'
	}
	return is
}()
