package kinesisio

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"millrace/internal/nearest"
	"millrace/io/rowjson"
	"millrace/schemas/table"
)

// keyTemplate makes partition keys of rows.
type keyTemplate []keyPart

// keyPart is a text and then the value of a column.
type keyPart struct {
	text   string
	column int // or one of the two below
}

const (
	rowDay   = -1
	noColumn = -2
)

// parseKey reads a column's name, or a text with names in braces. An empty
// expression means the default key of the schema.
func parseKey(expression string, s *table.Schema) (t keyTemplate, err error) {
	switch {
	case expression == "":
		return defaultKey(s), nil
	case !strings.ContainsAny(expression, "{}"):
		expression = "{" + expression + "}"
	}
	for rest := expression; rest != ""; {
		text, after, braced := strings.Cut(rest, "{")
		name, next, closed := strings.Cut(after, "}")
		switch {
		case strings.Contains(text, "}"), braced && !closed, strings.Contains(name, "{"):
			return nil, fmt.Errorf("the braces in key=%s do not pair", expression)
		case !braced:
			return append(t, keyPart{text, noColumn}), nil
		}
		column, err := keyColumn(name, s)
		if err != nil {
			return nil, err
		}
		t = append(t, keyPart{text, column})
		rest = next
	}
	if !slices.ContainsFunc(t, func(p keyPart) bool { return p.column != noColumn }) {
		return nil, errors.New("a key without a column is the same for all rows")
	}
	return t, nil
}

func keyColumn(name string, s *table.Schema) (int, error) {
	if i, ok := s.Index(name); ok {
		return i, nil
	}
	if name == "day" {
		return rowDay, nil
	}
	names := make([]string, len(s.Columns))
	for i, c := range s.Columns {
		names[i] = c.Name
	}
	if near := nearest.Name(name, names); near != "" {
		return 0, fmt.Errorf("%s has no column %s for the key; did you mean %s?", s.ID(), name, near)
	}
	return 0, fmt.Errorf("%s has no column %s for the key (it has %s)", s.ID(), name, strings.Join(names, ", "))
}

// defaultKey is the first id, or what orders the rows.
func defaultKey(s *table.Schema) (t keyTemplate) {
	for i, c := range s.Columns {
		if !c.Null && (c.Kind == table.UUID || strings.HasSuffix(c.Name, "_id")) {
			return keyTemplate{{column: i}}
		}
	}
	for i, col := range s.Order {
		text := ""
		if i > 0 {
			text = "/"
		}
		t = append(t, keyPart{text, col})
	}
	return t
}

func (t keyTemplate) append(dst []byte, b *table.Batch, row int) []byte {
	for _, p := range t {
		dst = append(dst, p.text...)
		switch p.column {
		case noColumn:
		case rowDay:
			dst = rowjson.AppendDay(dst, b.DayOf(row))
		default:
			if !b.Null(p.column, row) {
				dst = rowjson.AppendText(dst, b, p.column, row)
			}
		}
	}
	return dst
}

// partitionKey makes a key of a text: a dash of none, a digest of one too long.
func partitionKey(text []byte) string {
	switch {
	case len(text) == 0:
		return "-"
	case len(text) > maxKeyLength && utf8.RuneCount(text) > maxKeyLength:
		sum := sha256.Sum256(text)
		return hex.EncodeToString(sum[:])
	}
	return strings.ToValidUTF8(string(text), "\ufffd")
}
