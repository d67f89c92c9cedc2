package timeseries

import (
	"strconv"

	"millrace/io/rowjson"
	"millrace/schemas/table"
)

// AppendDimension writes the value of a column that identifies points as the text
// that databases keep of it; ok is false for null, which has none.
//
// Different values have different texts, and none is empty or has a character that a
// line protocol cannot say: ~ stands before two hex digits for a control character, a
// backslash or ~ itself, and alone for the empty text.
func AppendDimension(dst []byte, b *table.Batch, col, row int) (text []byte, ok bool) {
	if b.Null(col, row) {
		return dst, false
	}
	if b.Schema().Columns[col].Kind != table.String {
		return AppendPlain(dst, b, col, row), true
	}
	return appendEscaped(dst, b.Text(col, row)), true
}

func appendEscaped(dst, text []byte) []byte {
	if len(text) == 0 {
		return append(dst, '~')
	}
	from := 0
	for i, c := range text {
		if !escaped[c] {
			continue
		}
		const digits = "0123456789abcdef"
		dst = append(append(dst, text[from:i]...), '~', digits[c>>4], digits[c&15])
		from = i + 1
	}
	return append(dst, text[from:]...)
}

var escaped = func() (is [256]bool) {
	for c := range byte(' ') {
		is[c] = true
	}
	is['~'], is['\\'], is[0x7f] = true, true, true
	return is
}()

// AppendPlain writes a value that is not null without any quoting: numbers and truths
// as JSON has them, times as ISO 8601, days as YYYY-MM-DD, ids with hyphens, bytes in
// base64.
func AppendPlain(dst []byte, b *table.Batch, col, row int) []byte {
	switch b.Schema().Columns[col].Kind {
	case table.String:
		return append(dst, b.Text(col, row)...)
	case table.Int32, table.Int64:
		return strconv.AppendInt(dst, b.Int(col, row), 10)
	case table.Time:
		return rowjson.AppendTime(dst, b.Int(col, row))
	case table.Date:
		return rowjson.AppendDay(dst, b.Int(col, row))
	case table.UUID:
		return rowjson.AppendUUID(dst, b.UUIDBytes(col, row))
	case table.Bytes:
		quoted := rowjson.AppendValue(dst, b, col, row) // base64 has nothing to escape
		copy(quoted[len(dst):], quoted[len(dst)+1:])
		return quoted[:len(quoted)-2]
	default: // truths and floats
		return rowjson.AppendValue(dst, b, col, row)
	}
}
