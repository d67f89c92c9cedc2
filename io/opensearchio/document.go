package opensearchio

import (
	"strconv"

	"millrace/io/rowid"
	"millrace/io/rowjson"
	"millrace/schemas/table"
)

// timestamp is the field that a data stream asks for.
const timestamp = "@timestamp"

// encoder writes rows as the lines of a bulk: what to do, and the document.
type encoder struct {
	config  *config
	names   []string // of the columns, as `"name":`
	version int      // column; -1 when rows have none
	id      []byte
}

func newEncoder(c *config) *encoder {
	e := &encoder{config: c, version: -1}
	for _, column := range c.schema.Columns {
		e.names = append(e.names, string(append(rowjson.AppendString(nil, []byte(column.Name)), ':')))
	}
	if column, ok := versioned(c.schema); ok {
		e.version = column
	}
	return e
}

// append writes a row.
func (e *encoder) append(dst []byte, rows table.Rows, row int) []byte {
	b := rows.Batch
	if e.config.append {
		dst = append(dst, `{"create":{`...)
	} else {
		dst = append(dst, `{"index":{`...)
	}
	if e.config.index.daily {
		dst = append(dst, `"_index":"`...)
		dst = append(e.config.index.append(dst, b.DayOf(row)), `",`...)
	}
	e.id = rowid.Append(e.id[:0], b, e.config.id, row)
	dst = rowjson.AppendString(append(dst, `"_id":`...), e.id)
	if e.version >= 0 {
		dst = strconv.AppendInt(append(dst, `,"version":`...), externalVersion(b.Int(e.version, row), rows.Kind), 10)
		dst = append(dst, `,"version_type":"external"`...)
	}
	return append(e.document(append(dst, "}}\n"...), rows, row), '\n')
}

// maxVersion leaves room for the mark of what is sealed.
const maxVersion = 1<<62 - 1

// externalVersion is OpenSearch's version of a row. It is even for provisional
// rows and odd for others, so that of equal versions the sealed one wins, and a
// row that comes again changes nothing.
func externalVersion(version int64, kind table.RowKind) int64 {
	if kind == table.Provisional {
		return 2 * version
	}
	return 2*version + 1
}

// document writes the columns in their order, nulls left out.
func (e *encoder) document(dst []byte, rows table.Rows, row int) []byte {
	b := rows.Batch
	dst = append(dst, '{')
	if e.config.append {
		ms := b.Int(b.Schema().DayBy, row)
		if b.Schema().Columns[b.Schema().DayBy].Kind == table.Date {
			ms *= 24 * 60 * 60 * 1000
		}
		dst = append(rowjson.AppendTime(append(dst, `"@timestamp":"`...), ms), '"')
	}
	if e.version >= 0 {
		dst = strconv.AppendBool(append(dst, `"sealed":`...), rows.Kind != table.Provisional)
		dst = strconv.AppendBool(append(dst, `,"withdrawn":`...), rows.Kind == table.Withdrawn)
	}
	for col, name := range e.names {
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
