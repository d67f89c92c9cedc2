package timestreamio

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/timestreamwrite/types"

	"millrace/io/calls"
	"millrace/io/driver"
	"millrace/io/timeseries"
	"millrace/schemas/table"
)

// item is one row of a call.
type item struct {
	calls.Row
	record types.Record
	key    string // what tells its record apart: values of dimensions, and the time
	size   int    // an estimate of what the record takes, as it is and as JSON
}

// overhead is what a record, a dimension and a measure take in memory beside their
// texts, at most.
const overhead = 128

// empty is the measure that names columns whose text is empty, since no measure can be:
// without it they would read as columns without value. Most records have none.
const empty = "empty"

var measureTypes = map[table.Kind]types.MeasureValueType{
	table.Int32: types.MeasureValueTypeBigint, table.Int64: types.MeasureValueTypeBigint, table.Float64: types.MeasureValueTypeDouble,
	table.Bool: types.MeasureValueTypeBoolean, table.Time: types.MeasureValueTypeTimestamp,
	table.Date: types.MeasureValueTypeVarchar, table.String: types.MeasureValueTypeVarchar, table.UUID: types.MeasureValueTypeVarchar, table.Bytes: types.MeasureValueTypeVarchar,
}

// unfit is why a row is no record.
type unfit struct {
	reason driver.RefusalReason
	why    string
}

// itemOf makes the record of a row; why is nil when it is one.
func (c *config) itemOf(rows table.Rows, row int) (it *item, why *unfit) {
	b, s := rows.Batch, c.shape
	it = &item{Row: calls.Row{Rows: rows, Row: uint32(row)}, size: overhead} //nolint:gosec // a batch has less than 2^32 rows
	if why := c.addDimensions(it, b, row); why != nil {
		return it, why
	}
	var without []string
	for _, col := range s.Measures {
		if b.Null(col, row) {
			continue
		}
		if s.Schema.Columns[col].Kind == table.String && len(b.Text(col, row)) == 0 {
			without = append(without, s.Schema.Columns[col].Name)
			continue
		}
		if why := it.addMeasure(b, col, row); why != nil {
			return it, why
		}
	}
	if len(without) > 0 {
		it.measure(empty, types.MeasureValueTypeVarchar, strings.Join(without, ","))
	}
	if len(it.record.MeasureValues) == 0 {
		return it, &unfit{driver.RefusedInvalid, "it has no value that could be a measure"}
	}
	if s.Version < 0 {
		return it, nil
	}
	version := b.Int(s.Version, row)
	if version < 0 || version > timeseries.MaxVersion {
		return it, &unfit{driver.RefusedInvalid, fmt.Sprintf("the version %d is not between 0 and 2^62", version)}
	}
	it.record.Version = aws.Int64(timeseries.Rank(version, rows.Kind))
	it.measure(timeseries.Sealed, types.MeasureValueTypeBoolean, strconv.FormatBool(rows.Kind != table.Provisional))
	it.measure(timeseries.Withdrawn, types.MeasureValueTypeBoolean, strconv.FormatBool(rows.Kind == table.Withdrawn))
	return it, nil
}

func (c *config) addDimensions(it *item, b *table.Batch, row int) *unfit {
	at := strconv.FormatInt(c.shape.Millis(b, row), 10)
	it.record.Time = &at
	key := []byte(at)
	size := 0
	for _, col := range c.dimensions {
		text, ok := timeseries.AppendDimension(nil, b, col, row)
		if key = append(key, 0); !ok { // no text has a 0 in it
			continue
		}
		name := c.shape.Schema.Columns[col].Name
		key = append(append(key, 1), text...)
		size += len(name) + len(text)
		it.size += len(name) + len(text) + overhead
		it.record.Dimensions = append(it.record.Dimensions, types.Dimension{Name: &name, Value: aws.String(string(text))})
	}
	it.key = string(key)
	it.size += len(key)
	if size > maxDimensionSize {
		return &unfit{driver.RefusedTooLarge, fmt.Sprintf("its dimensions have %d bytes, and a record takes %d", size, maxDimensionSize)}
	}
	return nil
}

func (it *item) addMeasure(b *table.Batch, col, row int) *unfit {
	column := b.Schema().Columns[col]
	var value string
	switch column.Kind {
	case table.Float64:
		f := b.Float(col, row)
		if math.IsNaN(f) || math.IsInf(f, 0) {
			return &unfit{driver.RefusedInvalid, fmt.Sprintf("%s is %v, which no measure can be", column.Name, f)}
		}
		value = strconv.FormatFloat(f, 'g', -1, 64)
	case table.Time:
		value = strconv.FormatInt(b.Int(col, row), 10) // in the record's unit
	default:
		value = string(timeseries.AppendPlain(nil, b, col, row))
	}
	if len(value) > maxValue {
		return &unfit{driver.RefusedTooLarge, fmt.Sprintf("%s has %d bytes, and a measure takes %d", column.Name, len(value), maxValue)}
	}
	it.measure(column.Name, measureTypes[column.Kind], value)
	return nil
}

func (it *item) measure(name string, kind types.MeasureValueType, value string) {
	it.record.MeasureValues = append(it.record.MeasureValues, types.MeasureValue{Name: &name, Type: kind, Value: &value})
	it.size += len(name) + len(value) + overhead
}
