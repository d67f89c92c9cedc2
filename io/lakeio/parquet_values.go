package lakeio

import (
	"slices"

	"github.com/parquet-go/parquet-go"

	"millrace/schemas/table"
)

// columnValues turns rows of one column into Parquet values. They carry the
// definition level alone: a column writer asks for no more.
type columnValues struct {
	column table.Column
	index  int
	int96  bool // of times
	// texts has, for each batch whose texts repeat, the value of each code: a
	// text is then boxed once and not once a row.
	texts [][]parquet.Value
}

// numberBatches tells which of the distinct batches each piece is from.
func numberBatches(pieces []piece) (numbers []int, batches []*table.Batch) {
	known := map[*table.Batch]int{}
	for _, p := range pieces {
		n, ok := known[p.batch]
		if !ok {
			n = len(batches)
			known[p.batch] = n
			batches = append(batches, p.batch)
		}
		numbers = append(numbers, n)
	}
	return numbers, batches
}

func newColumnValues(c table.Column, index int, f flavor, batches []*table.Batch) *columnValues {
	v := &columnValues{column: c, index: index, int96: f == exchangeFlavor && c.Kind == table.Time}
	if !isText(c.Kind) {
		return v
	}
	v.texts = make([][]parquet.Value, len(batches))
	for n, b := range batches {
		if _, distinct := b.Codes(index); 2*distinct <= b.Len() {
			v.texts[n] = make([]parquet.Value, distinct)
			for code := range v.texts[n] {
				v.texts[n][code] = v.text(b, uint32(code))
			}
		}
	}
	return v
}

func isText(k table.Kind) bool { return k == table.String || k == table.Bytes }

func (v *columnValues) text(b *table.Batch, code uint32) parquet.Value {
	return v.present(parquet.ByteArrayValue(b.DictValue(v.index, code)))
}

// present marks a value that is not null.
func (v *columnValues) present(value parquet.Value) parquet.Value {
	if v.column.Null {
		value.SetDefinitionLevel(1)
	}
	return value
}

// append adds the rows of a piece, which is of batch n.
func (v *columnValues) append(values []parquet.Value, p piece, n int) []parquet.Value {
	if isText(v.column.Kind) {
		return v.appendTexts(values, p, n)
	}
	b, col := p.batch, v.index
	for row := p.from; row < p.to; row++ {
		if v.column.Null && b.Null(col, row) {
			values = append(values, parquet.Value{})
			continue
		}
		var value parquet.Value
		switch v.column.Kind {
		case table.Bool:
			value = parquet.BooleanValue(b.Bool(col, row))
		case table.Time:
			if value = parquet.Int64Value(b.Int(col, row)); v.int96 {
				value = parquet.Int96Value(int96(b.Int(col, row)))
			}
		case table.Int32, table.Date:
			value = parquet.Int32Value(int32(b.Int(col, row))) //nolint:gosec // such a column has no others
		case table.Float64:
			value = parquet.DoubleValue(b.Float(col, row))
		case table.UUID:
			value = parquet.FixedLenByteArrayValue(b.UUIDBytes(col, row))
		default:
			value = parquet.Int64Value(b.Int(col, row))
		}
		values = append(values, v.present(value))
	}
	return values
}

func (v *columnValues) appendTexts(values []parquet.Value, p piece, n int) []parquet.Value {
	codes, distinct := p.batch.Codes(v.index)
	if distinct == 0 { // there are nulls alone
		n := len(values) + p.to - p.from
		values = slices.Grow(values, p.to-p.from)[:n]
		clear(values[n-p.to+p.from:])
		return values
	}
	boxed := v.texts[n]
	for _, code := range codes[p.from:p.to] {
		switch {
		case table.IsNullCode(code):
			values = append(values, parquet.Value{})
		case boxed != nil:
			values = append(values, boxed[code])
		default:
			values = append(values, v.text(p.batch, code))
		}
	}
	return values
}
