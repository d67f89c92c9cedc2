package kinesisio

import (
	"strconv"

	"millrace/io/rowjson"
	"millrace/schemas/table"
)

// document writes rows of a schema as JSON objects: the columns in their order,
// nulls left out. Those of rows that overwrite each other, which are those with a
// column version, begin with what readers need to apply them: _op ("upsert" or
// "withdraw"), _version, of which the greatest counts, and _sealed.
type document struct {
	names   []string // of the columns, as JSON strings with a colon
	version int      // column; -1 for none
}

func newDocument(s *table.Schema) document {
	d := document{names: make([]string, len(s.Columns)), version: -1}
	for i, c := range s.Columns {
		d.names[i] = string(append(rowjson.AppendString(nil, []byte(c.Name)), ':'))
	}
	if i, ok := s.Index("version"); ok && s.Columns[i].Kind == table.Int64 {
		d.version = i
	}
	return d
}

// append writes one row, without a line end.
func (d *document) append(dst []byte, rows *table.Rows, row int) []byte {
	b := rows.Batch
	dst = append(dst, '{')
	if d.version >= 0 {
		dst = appendMarks(dst, rows.Kind, b.Int(d.version, row))
	}
	for col, name := range d.names {
		if b.Null(col, row) {
			continue
		}
		if dst[len(dst)-1] != '{' {
			dst = append(dst, ',')
		}
		dst = rowjson.AppendValue(append(dst, name...), b, col, row)
	}
	return append(dst, '}')
}

func appendMarks(dst []byte, kind table.RowKind, version int64) []byte {
	op := `"_op":"upsert","_version":`
	if kind == table.Withdrawn {
		op = `"_op":"withdraw","_version":`
	}
	dst = strconv.AppendInt(append(dst, op...), version, 10)
	return strconv.AppendBool(append(dst, `,"_sealed":`...), kind != table.Provisional)
}
