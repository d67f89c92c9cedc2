// Package rowid tells rows apart: which columns do, and a text made of their values.
package rowid

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"millrace/internal/nearest"
	"millrace/io/rowjson"
	"millrace/schemas/table"
)

// Max is how many bytes an id has at most.
const Max = 512

// Columns finds the columns that tell rows apart: those of a list of names with
// commas; without one the first column if it is an id, else those that order rows.
func Columns(list string, s *table.Schema) (columns []int, err error) {
	if list == "" {
		first := s.Columns[0]
		if !first.Null && (first.Kind == table.UUID || strings.HasSuffix(first.Name, "_id")) {
			return []int{0}, nil
		}
		return s.Order, nil
	}
	var names []string
	for _, c := range s.Columns {
		names = append(names, c.Name)
	}
	for name := range strings.SplitSeq(list, ",") {
		i := slices.Index(names, name)
		if i < 0 {
			near := ""
			if n := nearest.Name(name, names); n != "" {
				near = "; did you mean " + n + "?"
			}
			return nil, fmt.Errorf("%s has no column %s for the id%s", s.ID(), name, near)
		}
		columns = append(columns, i)
	}
	return columns, nil
}

// Append writes the id of a row: the values of its columns of identity, with
// slashes between. Different values give different ids: ~0 stands for ~, ~1 for /,
// ~n for null and ~e for an empty text. An id that is too long is its digest.
func Append(dst []byte, b *table.Batch, columns []int, row int) []byte {
	from := len(dst)
	for i, col := range columns {
		if i > 0 {
			dst = append(dst, '/')
		}
		dst = appendPart(dst, b, col, row)
	}
	if len(dst)-from > Max {
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
