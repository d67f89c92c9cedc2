package lakeio

import (
	"context"
	"slices"

	"github.com/parquet-go/parquet-go"

	"millrace/internal/columns"
	"millrace/schemas/table"
)

// ReadRows reads the rows of a file of the lake, or of a staging area, some thousand
// at a time, in its order. Columns that were added to the schema since are null. A
// batch is valid until the next.
func ReadRows(ctx context.Context, file columns.File, schema *table.Schema, each func(*table.Batch) error) error {
	there, err := columns.Names(file)
	if err != nil {
		return err
	}
	var names []string
	at := make([]int, len(schema.Columns)) // in names; below 0 for none
	for i, c := range schema.Columns {
		at[i] = -1
		if slices.Contains(there, c.Name) {
			at[i] = len(names)
			names = append(names, c.Name)
		}
	}
	rows := table.NewBatch(schema)
	return columns.Scan(ctx, file, names, func(b columns.Batch) error {
		rows.Reset()
		for i := range b.Rows() {
			for col, c := range schema.Columns {
				if at[col] < 0 || b[at[col]][i].IsNull() {
					rows.PutNull(col)
					continue
				}
				putValue(rows, col, c.Kind, b[at[col]][i])
			}
			rows.EndRow()
		}
		return each(rows)
	})
}

// putValue adds a value that is not null.
func putValue(b *table.Batch, col int, kind table.Kind, v parquet.Value) {
	switch kind {
	case table.String, table.Bytes:
		b.PutText(col, v.ByteArray())
	case table.UUID:
		b.PutUUID(col, table.ID(v.ByteArray()))
	case table.Bool:
		b.PutBool(col, v.Boolean())
	case table.Float64:
		b.PutFloat(col, v.Double())
	default: // numbers and times
		b.PutInt(col, columns.Number(v))
	}
}
