package opensearchio

import (
	"crypto/sha256"
	"encoding/hex"

	"millrace/io/rowjson"
	"millrace/schemas/table"
)

// maxID is OpenSearch's limit for an _id, in bytes.
const maxID = 512

// appendID writes the _id of a row: the values of its columns of identity, with
// slashes between. Different values give different ids: ~0 stands for ~, ~1 for /,
// ~n for null and ~e for an empty text. An id that is too long is its digest.
func appendID(dst []byte, b *table.Batch, columns []int, row int) []byte {
	from := len(dst)
	for i, col := range columns {
		if i > 0 {
			dst = append(dst, '/')
		}
		dst = appendPart(dst, b, col, row)
	}
	if len(dst)-from > maxID {
		sum := sha256.Sum256(dst[from:])
		dst = hex.AppendEncode(append(dst[:from], "~s"...), sum[:])
	}
	return dst
}

func appendPart(dst []byte, b *table.Batch, col, row int) []byte {
	if b.Null(col, row) {
		return append(dst, "~n"...)
	}
	switch b.Schema().Columns[col].Kind {
	case table.String:
		return appendEscaped(dst, b.Text(col, row))
	case table.UUID:
		return rowjson.AppendUUID(dst, b.UUIDBytes(col, row))
	case table.Time:
		return rowjson.AppendTime(dst, b.Int(col, row))
	case table.Date:
		return rowjson.AppendDay(dst, b.Int(col, row))
	case table.Bytes:
		return hex.AppendEncode(dst, b.Text(col, row))
	default: // numbers and truths, which JSON writes as they are
		return rowjson.AppendValue(dst, b, col, row)
	}
}

func appendEscaped(dst, text []byte) []byte {
	if len(text) == 0 {
		return append(dst, "~e"...)
	}
	for _, c := range text {
		switch c {
		case '~':
			dst = append(dst, "~0"...)
		case '/':
			dst = append(dst, "~1"...)
		default:
			dst = append(dst, c)
		}
	}
	return dst
}
