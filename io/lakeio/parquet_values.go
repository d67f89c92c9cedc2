package lakeio

import (
	"github.com/parquet-go/parquet-go"

	"millrace/schemas/table"
)

// columnValues turns rows of one column into Parquet values. They carry the
// definition level alone: a column writer asks for no more.
type columnValues struct {
	column table.Column
	index  int
	int96  bool             // of times
	coded  *codedDictionary // of texts that are given by their codes; nil for none
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

func isText(k table.Kind) bool { return k == table.String || k == table.Bytes }

// present marks a value that is not null.
func (v *columnValues) present(value parquet.Value) parquet.Value {
	if v.column.Null {
		value.SetDefinitionLevel(1)
	}
	return value
}

// append adds the rows of a piece, which is of batch n.
func (v *columnValues) append(values []parquet.Value, p piece, n int) []parquet.Value {
	if p.batch.AllNull(v.index) {
		return append(values, nullValues[:p.to-p.from]...)
	}
	switch {
	case isText(v.column.Kind):
		return v.appendTexts(values, p, n)
	case v.column.Kind == table.UUID:
		return v.appendUUIDs(values, p)
	}
	return v.appendNumbers(values, p)
}

func (v *columnValues) appendUUIDs(values []parquet.Value, p piece) []parquet.Value {
	for row := p.from; row < p.to; row++ {
		if v.column.Null && p.batch.Null(v.index, row) {
			values = append(values, parquet.Value{})
			continue
		}
		values = append(values, v.present(parquet.FixedLenByteArrayValue(p.batch.UUIDBytes(v.index, row))))
	}
	return values
}

func (v *columnValues) appendNumbers(values []parquet.Value, p piece) []parquet.Value {
	ints, nulls := p.batch.Ints(v.index)
	for row := p.from; row < p.to; row++ {
		if v.column.Null && nulls[row] {
			values = append(values, parquet.Value{})
			continue
		}
		var value parquet.Value
		switch i := ints[row]; v.column.Kind {
		case table.Bool:
			value = parquet.BooleanValue(i != 0)
		case table.Int32, table.Date:
			value = parquet.Int32Value(int32(i)) //nolint:gosec // such a column has no others
		case table.Float64:
			value = parquet.DoubleValue(p.batch.Float(v.index, row))
		case table.Time:
			if value = parquet.Int64Value(i); v.int96 {
				value = parquet.Int96Value(int96(i))
			}
		default:
			value = parquet.Int64Value(i)
		}
		if v.column.Null {
			value.SetDefinitionLevel(1)
		}
		values = append(values, value)
	}
	return values
}

func (v *columnValues) appendTexts(values []parquet.Value, p piece, n int) []parquet.Value {
	codes, _ := p.batch.Codes(v.index)
	codes = codes[p.from:p.to]
	if v.coded != nil && !v.coded.full {
		v.coded.take(n, codes)
		return v.appendPresence(values, codes)
	}
	for _, code := range codes {
		if table.IsNullCode(code) {
			values = append(values, parquet.Value{})
			continue
		}
		values = append(values, v.present(parquet.ByteArrayValue(p.batch.DictValue(v.index, code))))
	}
	return values
}

// appendPresence says which codes stand for null.
func (v *columnValues) appendPresence(values []parquet.Value, codes []uint32) []parquet.Value {
	there := v.present(parquet.Value{})
	for _, code := range codes {
		if table.IsNullCode(code) {
			values = append(values, parquet.Value{})
		} else {
			values = append(values, there)
		}
	}
	return values
}

var nullValues [writeRows]parquet.Value
