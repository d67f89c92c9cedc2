// Package table is the columnar form in which rows travel from the block DoFn to
// the sinks: a Schema derived from one Go struct per row type, and a Batch of
// typed columns that follows it.
//
// Rows are never boxed one by one. A Batch is appended to column by column,
// sorted as a whole, encoded as a whole and written to Parquet column by column.
package table

import (
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"
	"sync"
)

// Kind is the logical type of a column.
type Kind uint8

// The kinds, and what their values are.
const (
	String Kind = iota + 1 // UTF-8 text
	Int32
	Int64
	Float64
	Bool
	Time // milliseconds since the Unix epoch, UTC
	Date // days since the Unix epoch
	UUID // 16 bytes
	Bytes
)

var kindNames = [...]string{String: "string", Int32: "int32", Int64: "int64", Float64: "float64", Bool: "bool", Time: "timestamp", Date: "date", UUID: "uuid", Bytes: "bytes"}

func (k Kind) String() string {
	if int(k) < len(kindNames) && kindNames[k] != "" {
		return kindNames[k]
	}
	return fmt.Sprintf("kind(%d)", uint8(k))
}

// bounds are the numbers a column of a kind narrower than 64 bits can hold.
func (k Kind) bounds() (low, high int64, bounded bool) {
	switch k {
	case Int32, Date:
		return math.MinInt32, math.MaxInt32, true
	case Bool:
		return 0, 1, true
	default:
		return 0, 0, false
	}
}

// text tells whether values of the kind are stored as bytes of any length.
func (k Kind) text() bool { return k == String || k == Bytes }

// Millis is a point in time: milliseconds since the Unix epoch, UTC.
type Millis int64

// Day is a UTC calendar day: days since the Unix epoch.
type Day int32

// ID is a UUID.
type ID [16]byte

// Column describes one column of a row type.
type Column struct {
	Name string    `json:"name"`
	Kind Kind      `json:"-"`
	Type string    `json:"type"` // Kind in words, for documents and golden files
	Null bool      `json:"null,omitempty"`
	Mask MaskClass `json:"mask,omitempty"`
	ECS  string    `json:"ecs,omitempty"` // name of the same field in the Elastic Common Schema
	Doc  string    `json:"doc"`
	// Series is the column's part in a time series, where the default of io/timeseries
	// is not meant. It is no part of the schema's identity: rows are the same.
	Series SeriesRole `json:"-"`
	plain  bool       // values rarely repeat: no dictionary
}

// SeriesRole is the part of a column in a time series.
type SeriesRole string

// The roles; the empty one leaves it to the column's kind and place.
const (
	SeriesTime      SeriesRole = "time"      // the time of a point
	SeriesDimension SeriesRole = "dimension" // of few values; tells series apart
	SeriesID        SeriesRole = "id"        // of many values; tells points apart
	SeriesMeasure   SeriesRole = "measure"   // what is measured
)

var seriesRoles = []SeriesRole{"", SeriesTime, SeriesDimension, SeriesID, SeriesMeasure}

// Plain tells that the values of the column rarely repeat, so that a dictionary
// would only cost.
func (c Column) Plain() bool { return c.plain }

// WithoutDictionary is the column as one whose values rarely repeat.
func (c Column) WithoutDictionary() Column {
	c.plain = true
	return c
}

// Schema is a named, versioned list of columns.
type Schema struct {
	Name    string   `json:"name"`
	Version int      `json:"version"`
	Columns []Column `json:"columns"`
	Order   []int    `json:"-"` // columns that define the order of rows, most significant first
	DayBy   int      `json:"-"` // the Time or Date column that decides a row's UTC day
	row     reflect.Type
	history int // column + 1, see History; 0 for none
}

// Index returns the position of a column.
func (s *Schema) Index(name string) (int, bool) {
	i := slices.IndexFunc(s.Columns, func(c Column) bool { return c.Name == name })
	return i, i >= 0
}

// Versioned tells whether rows of one identity overwrite each other, the greater value
// of a column winning, and which that is.
func (s *Schema) Versioned() (column int, ok bool) {
	i, ok := s.Index("version")
	return i, ok && s.Columns[i].Kind == Int64
}

// History tells whether a lake keeps every version of a row, instead of the last one
// alone, and which column has it: rows that are all sealed when they are written, each
// saying what became of the same thing later. Whoever wants what holds now takes the
// greatest version of each identity.
func (s *Schema) History() (version int, ok bool) {
	return s.history - 1, s.history > 0
}

// Origin is the column that names the input which a row came from: source, where rows
// are ordered by it. A source elsewhere is something else, as that of a visit.
func (s *Schema) Origin() (column int, ok bool) {
	i, ok := s.Index("source")
	return i, ok && slices.Contains(s.Order, i)
}

// RowType is the Go struct the schema was made from.
func (s *Schema) RowType() reflect.Type { return s.row }

// ID names schema and version, as in "weblog.events/1".
func (s *Schema) ID() string { return fmt.Sprintf("%s/%d", s.Name, s.Version) }

var registry sync.Map // ID -> *Schema

// Lookup finds a schema made by MustOf by its ID.
func Lookup(id string) (*Schema, bool) {
	s, ok := registry.Load(id)
	if !ok {
		return nil, false
	}
	return s.(*Schema), true
}

// MustOf derives the schema of a row type and makes it known to Lookup. It
// panics when the struct is not a valid row type, so a program with a text
// column that declares no mask class does not start.
func MustOf[T any](name string, version int) *Schema {
	s, err := Of(reflect.TypeFor[T](), name, version)
	if err != nil {
		panic(err)
	}
	if known, taken := registry.LoadOrStore(s.ID(), s); taken {
		if s = known.(*Schema); s.row != reflect.TypeFor[T]() {
			panic(fmt.Sprintf("schema %s is that of %s already", s.ID(), s.row))
		}
	}
	return s
}

// All lists the schemas made by MustOf, by ID: those of the packages that the
// program imports.
func All() []*Schema {
	var list []*Schema
	registry.Range(func(_, s any) bool {
		list = append(list, s.(*Schema))
		return true
	})
	slices.SortFunc(list, func(a, b *Schema) int { return strings.Compare(a.ID(), b.ID()) })
	return list
}
