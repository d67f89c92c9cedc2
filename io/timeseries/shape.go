// Package timeseries says how the rows of a schema are points of a time series, for
// the sinks that keep such points: which column is the time, which tell series or
// points apart, and which are what is measured.
//
// It follows from the schema. The column that orders rows first is the time. The
// others of the order identify a point: a short code (an int32, a truth, a day, a
// text of a fixed vocabulary) is a dimension, of few values; a text that is a token,
// a hash or free, and a UUID, is an id, of many. All other columns are measures. The
// struct tag ts says otherwise where that is not meant; see table.Of.
package timeseries

import (
	"errors"
	"fmt"
	"slices"

	"millrace/schemas/table"
)

// Shape is a schema as a time series. Time, dimensions and ids together identify a
// point, since they are the schema's order.
type Shape struct {
	Schema     *table.Schema
	Time       int   // column, a Time or a Date
	Dimensions []int // columns that tell series apart, in the order of rows
	IDs        []int // columns that tell points of a series apart, likewise
	Measures   []int // all others, in their order
	Version    int   // the measure that tells rows of one point apart: the greater wins; -1 for none
}

// Marks are the measures that sinks add to points with a version: whether the row
// is final, and whether it is withdrawn.
const (
	Sealed    = "sealed"
	Withdrawn = "withdrawn"
)

// Of is the shape of a schema; an error says why it has none.
func Of(s *table.Schema) (*Shape, error) {
	shape := &Shape{Schema: s, Time: s.Order[0], Version: -1}
	var faults []error
	fault := func(col int, format string, a ...any) {
		faults = append(faults, fmt.Errorf("column %s %w", s.Columns[col].Name, fmt.Errorf(format, a...)))
	}
	if k := s.Columns[shape.Time].Kind; k != table.Time && k != table.Date {
		fault(shape.Time, "orders rows first and is a %s, not a time", k)
	}
	for i, c := range s.Columns {
		rank := slices.Index(s.Order, i)
		switch {
		case rank == 0 && c.Series != "" && c.Series != table.SeriesTime, rank != 0 && c.Series == table.SeriesTime:
			fault(i, "is said to be a %s, but the column that orders rows first is the time", c.Series)
		case rank < 0 && (c.Series == table.SeriesDimension || c.Series == table.SeriesID):
			fault(i, "is said to be a %s, but does not identify rows: only columns of the order do", c.Series)
		case rank > 0 && c.Series == table.SeriesMeasure:
			fault(i, "is said to be a measure, but identifies rows")
		case rank < 0 && c.Name == "version" && c.Kind == table.Int64 && !c.Null:
			shape.Version = i
		}
	}
	for _, i := range s.Order[1:] {
		switch role := role(s.Columns[i]); role {
		case table.SeriesDimension:
			shape.Dimensions = append(shape.Dimensions, i)
		case table.SeriesID:
			shape.IDs = append(shape.IDs, i)
		default:
			fault(i, "identifies rows, and a %s tells neither series nor points apart", s.Columns[i].Kind)
		}
	}
	for i, c := range s.Columns {
		if slices.Contains(s.Order, i) {
			continue
		}
		shape.Measures = append(shape.Measures, i)
		if shape.Version >= 0 && (c.Name == Sealed || c.Name == Withdrawn) {
			fault(i, "has the name of a mark that points get")
		}
	}
	if len(shape.Measures) == 0 || len(shape.Measures) == 1 && shape.Version >= 0 {
		faults = append(faults, errors.New("no column is a measure"))
	}
	if len(faults) > 0 {
		return nil, fmt.Errorf("rows of %s are no time series: %w", s.ID(), errors.Join(faults...))
	}
	return shape, nil
}

// role is that of a column of the order, empty when it can have none.
func role(c table.Column) table.SeriesRole {
	given := c.Series
	switch c.Kind {
	case table.String:
		if given == "" {
			given = table.SeriesID
			if c.Mask == table.MaskNone || c.Mask == table.MaskTruncated {
				given = table.SeriesDimension
			}
		}
		return given
	case table.Int32, table.Bool, table.Date:
		if given == "" {
			given = table.SeriesDimension
		}
		return given
	case table.UUID:
		if given == "" {
			given = table.SeriesID
		}
		return given
	case table.Int64: // a count or an offset, unless somebody knows better
		return given
	default:
		return ""
	}
}

const dayMillis = 24 * 60 * 60 * 1000

// Millis is the time of a row, in milliseconds since the Unix epoch.
func (s *Shape) Millis(b *table.Batch, row int) int64 {
	if s.Schema.Columns[s.Time].Kind == table.Date {
		return b.Int(s.Time, row) * dayMillis
	}
	return b.Int(s.Time, row)
}

// MaxVersion is the greatest version that Rank takes.
const MaxVersion = 1<<62 - 2

// Rank orders rows of one point: by their version, and of one version those that are
// final after those that are provisional. It is at least 1.
func Rank(version int64, kind table.RowKind) int64 {
	if kind == table.Provisional {
		return 2*version + 1
	}
	return 2*version + 2
}
