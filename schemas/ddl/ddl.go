// Package ddl writes the SQL that makes tables for rows of a schema, for several
// systems. It does no I/O: whoever has a connection runs it.
//
// A table has the columns of the schema in their order. On Redshift, where rows of one
// identity may come again and nothing enforces a key, it has more:
//
//   - row_key, where a column of the identity may be null: a text made of all of them,
//     since null equals nothing in SQL;
//   - sealed and withdrawn, where rows have versions.
package ddl

import (
	"fmt"
	"slices"
	"strings"

	"millrace/schemas/table"
)

// Target is a system that SQL is for.
type Target string

// The targets.
const (
	Redshift Target = "redshift"
	Postgres Target = "postgres"
	DuckDB   Target = "duckdb"
	Athena   Target = "athena" // tables over the files of a lake
)

// Targets lists them.
func Targets() []Target { return []Target{Redshift, Postgres, DuckDB, Athena} }

// Names of columns that tables have besides those of the schema.
const (
	RowKey    = "row_key"
	Sealed    = "sealed"
	Withdrawn = "withdrawn"
)

// Table is one table.
type Table struct {
	Target Target
	// Name is schema.table or table, without quotes.
	Name   string
	Rows   *table.Schema
	Key    []int  // columns of Rows that tell them apart
	Folder string // of the output in the lake, with a slash at its end; for Athena
}

// Column is one column of a table.
type Column struct {
	Name string
	Type string // as the target says it
	Null bool
	Doc  string
	Kind table.Kind
	// Bytes is how many bytes a text has at most; 0 where the target sets no limit.
	Bytes int
}

// Limits of Redshift, in bytes: of VARCHAR by what is in it, and of VARBYTE.
const (
	varcharShort = 256   // tokens, digests, networks
	varcharWords = 4096  // vocabularies, some of them others'
	varcharMost  = 65535 // free text
	varbyteMost  = 2 << 20
	rowKeyBytes  = 512
)

// keyed tells whether the table needs a column row_key.
func (t *Table) keyed() bool {
	return t.Target == Redshift && slices.ContainsFunc(t.Key, func(c int) bool { return t.Rows.Columns[c].Null })
}

// Columns lists the table's columns.
func (t *Table) Columns() (list []Column) {
	for _, c := range t.Rows.Columns {
		kind, bytes := t.typeOf(c)
		list = append(list, Column{Name: c.Name, Type: kind, Null: c.Null, Doc: c.Doc, Kind: c.Kind, Bytes: bytes})
	}
	if t.keyed() {
		list = append(list, Column{Name: RowKey, Type: fmt.Sprintf("VARCHAR(%d)", rowKeyBytes), Kind: table.String, Bytes: rowKeyBytes, Doc: "what tells the row from others, as one text"})
	}
	if _, versions := t.Rows.Versioned(); versions && t.Target == Redshift {
		list = append(
			list,
			Column{Name: Sealed, Type: "BOOLEAN", Kind: table.Bool, Doc: "whether the row is final; otherwise later ones of its identity overwrite it"},
			Column{Name: Withdrawn, Type: "BOOLEAN", Kind: table.Bool, Doc: "whether the row is gone; it stays so that older versions of it do not come back"},
		)
	}
	return list
}

// Match names the columns by which a row of a source is that of the table.
func (t *Table) Match() (names []string) {
	if t.keyed() {
		return []string{RowKey}
	}
	for _, c := range t.Key {
		names = append(names, t.Rows.Columns[c].Name)
	}
	return names
}

func (t *Table) typeOf(c table.Column) (name string, bytes int) {
	if t.Target == Redshift {
		switch c.Kind {
		case table.String:
			bytes = varchar(c.Mask)
			return fmt.Sprintf("VARCHAR(%d)", bytes), bytes
		case table.UUID:
			return "VARCHAR(36)", 0 // there is no type for ids
		case table.Bytes:
			return fmt.Sprintf("VARBYTE(%d)", varbyteMost), varbyteMost
		default:
		}
	}
	return types[t.Target][c.Kind], 0
}

// varchar is how long a text can be. Redshift reserves memory for what a column can
// hold while it computes, so short ones are declared short.
func varchar(m table.MaskClass) int {
	switch m {
	case table.MaskToken, table.MaskHash, table.MaskTruncated:
		return varcharShort
	case table.MaskNone:
		return varcharWords
	default:
		return varcharMost
	}
}

var types = map[Target]map[table.Kind]string{
	Redshift: {table.Int32: "INTEGER", table.Int64: "BIGINT", table.Float64: "DOUBLE PRECISION", table.Bool: "BOOLEAN", table.Time: "TIMESTAMP", table.Date: "DATE"},
	Postgres: {
		table.String: "TEXT", table.Int32: "INTEGER", table.Int64: "BIGINT", table.Float64: "DOUBLE PRECISION", table.Bool: "BOOLEAN",
		table.Time: "TIMESTAMP", table.Date: "DATE", table.UUID: "UUID", table.Bytes: "BYTEA",
	},
	DuckDB: {
		table.String: "VARCHAR", table.Int32: "INTEGER", table.Int64: "BIGINT", table.Float64: "DOUBLE", table.Bool: "BOOLEAN",
		table.Time: "TIMESTAMPTZ", table.Date: "DATE", table.UUID: "UUID", table.Bytes: "BLOB",
	},
	Athena: {
		table.String: "string", table.Int32: "int", table.Int64: "bigint", table.Float64: "double", table.Bool: "boolean",
		table.Time: "timestamp", table.Date: "date", table.UUID: "binary", table.Bytes: "binary",
	},
}

// Quote writes a name as it stands in statements, each part of it in quotes: names of
// columns may be words of SQL (user, raw).
func Quote(name string) string {
	var parts []string
	for part := range strings.SplitSeq(name, ".") {
		parts = append(parts, `"`+strings.ReplaceAll(part, `"`, `""`)+`"`)
	}
	return strings.Join(parts, ".")
}

// Literal writes a text as it stands in statements.
func Literal(text string) string { return "'" + strings.ReplaceAll(text, "'", "''") + "'" }
