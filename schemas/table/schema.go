// Package table is the columnar form in which rows travel from the block DoFn to
// the sinks: a Schema derived from one Go struct per row type, and a Batch of
// typed columns that follows it.
//
// Rows are never boxed one by one. A Batch is appended to column by column,
// sorted as a whole, encoded as a whole and written to Parquet column by column.
package table

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
)

// Kind is the logical type of a column.
type Kind uint8

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

// text tells whether values of the kind are stored as bytes of any length.
func (k Kind) text() bool { return k == String || k == Bytes }

// Millis is a point in time: milliseconds since the Unix epoch, UTC.
type Millis int64

// Day is a UTC calendar day: days since the Unix epoch.
type Day int32

// ID is a UUID.
type ID [16]byte

// MaskClass says what was done to the text of a column so that it may be stored.
// Every text column declares one; a schema without is refused.
type MaskClass string

const (
	MaskNone      MaskClass = "none"      // vocabulary of ours or of a standard: cannot hold personal data
	MaskToken     MaskClass = "token"     // keyed token
	MaskTruncated MaskClass = "truncated" // network part of an address
	MaskScanned   MaskClass = "scanned"   // free text with findings replaced
	MaskSkeleton  MaskClass = "skeleton"  // character classes only
	MaskHash      MaskClass = "hash"      // digest of content or of an origin
	MaskSealed    MaskClass = "sealed"    // encrypted
	MaskPlain     MaskClass = "plain"     // stored as it came, by explicit request only
)

var maskClasses = []MaskClass{MaskNone, MaskToken, MaskTruncated, MaskScanned, MaskSkeleton, MaskHash, MaskSealed, MaskPlain}

// Column describes one column of a row type.
type Column struct {
	Name  string    `json:"name"`
	Kind  Kind      `json:"-"`
	Type  string    `json:"type"` // Kind in words, for documents and golden files
	Null  bool      `json:"null,omitempty"`
	Mask  MaskClass `json:"mask,omitempty"`
	ECS   string    `json:"ecs,omitempty"` // name of the same field in the Elastic Common Schema
	Doc   string    `json:"doc"`
	plain bool      // values rarely repeat: no dictionary
}

// Plain tells that the values of the column rarely repeat, so that a dictionary
// would only cost.
func (c Column) Plain() bool { return c.plain }

// Schema is a named, versioned list of columns.
type Schema struct {
	Name    string   `json:"name"`
	Version int      `json:"version"`
	Columns []Column `json:"columns"`
	Order   []int    `json:"-"` // columns that define the order of rows, most significant first
	DayBy   int      `json:"-"` // the Time or Date column that decides a row's UTC day
	row     reflect.Type
}

// Index returns the position of a column.
func (s *Schema) Index(name string) (int, bool) {
	i := slices.IndexFunc(s.Columns, func(c Column) bool { return c.Name == name })
	return i, i >= 0
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
	registry.Store(s.ID(), s)
	return s
}

var kinds = map[reflect.Type]Kind{
	reflect.TypeFor[string](): String, reflect.TypeFor[int32](): Int32, reflect.TypeFor[int64](): Int64,
	reflect.TypeFor[float64](): Float64, reflect.TypeFor[bool](): Bool, reflect.TypeFor[Millis](): Time,
	reflect.TypeFor[Day](): Date, reflect.TypeFor[ID](): UUID, reflect.TypeFor[[]byte](): Bytes,
}

// Of derives a schema from the struct type t. Field tags:
//
//	col:"name[,null][,sort1|sort2|...][,day][,plain]"  mask:"class"  ecs:"name"  doc:"text"
//
// Fields are string, int32, int64, float64, bool, Millis, Day, ID or []byte, or a
// pointer to one of these when the column may be null. All faults are reported
// together.
func Of(t reflect.Type, name string, version int) (*Schema, error) {
	s := &Schema{Name: name, Version: version, DayBy: -1, row: t}
	var faults []error
	ranks := [4]int{-1, -1, -1, -1}
	for f := range t.Fields() {
		fault := func(format string, a ...any) {
			faults = append(faults, fmt.Errorf("schema %s: field %s of %s: %s", name, f.Name, t, fmt.Sprintf(format, a...)))
		}
		c, options, err := column(f)
		if err != nil {
			fault("%v", err)
			continue
		}
		for _, o := range options {
			switch o {
			case "null":
			case "plain":
				c.plain = true
			case "sort1", "sort2", "sort3", "sort4":
				ranks[int(o[4]-'1')] = len(s.Columns)
			case "day":
				if s.DayBy >= 0 {
					fault("a second day column")
				}
				if c.Kind != Time && c.Kind != Date {
					fault("the day column is a %s, not a timestamp or date", c.Kind)
				}
				s.DayBy = len(s.Columns)
			default:
				fault("unknown option %q in its col tag", o)
			}
		}
		if _, dup := s.Index(c.Name); dup {
			fault("column %q exists already", c.Name)
		}
		s.Columns = append(s.Columns, c)
	}
	for _, col := range ranks {
		if col < 0 {
			break
		}
		s.Order = append(s.Order, col)
	}
	if len(s.Order) == 0 {
		faults = append(faults, fmt.Errorf("schema %s: no column has the option sort1, so rows have no order", name))
	}
	if s.DayBy < 0 {
		faults = append(faults, fmt.Errorf("schema %s: no column has the option day, so rows have no partition", name))
	}
	return s, errors.Join(faults...)
}

func column(f reflect.StructField) (Column, []string, error) {
	parts := strings.Split(f.Tag.Get("col"), ",")
	c := Column{Name: parts[0], Mask: MaskClass(f.Tag.Get("mask")), ECS: f.Tag.Get("ecs"), Doc: f.Tag.Get("doc")}
	if c.Name == "" {
		return c, nil, errors.New("no col tag")
	}
	if c.Doc == "" {
		return c, nil, errors.New("no doc tag: a column says what it holds and in which unit")
	}
	c.Null = slices.Contains(parts[1:], "null")
	ft := f.Type
	if ft.Kind() == reflect.Pointer {
		if !c.Null {
			return c, nil, errors.New("a pointer needs the option null")
		}
		ft = ft.Elem()
	}
	k, ok := kinds[ft]
	if !ok {
		return c, nil, fmt.Errorf("type %s cannot be a column", f.Type)
	}
	c.Kind, c.Type = k, k.String()
	if k.text() && !slices.Contains(maskClasses, c.Mask) {
		return c, nil, fmt.Errorf("a text column declares its mask class, one of %v; this one says %q", maskClasses, c.Mask)
	}
	if !k.text() && c.Mask != "" {
		return c, nil, fmt.Errorf("mask class %q on a %s", c.Mask, k)
	}
	return c, parts[1:], nil
}

// Compatible tells whether rows of the old schema can still be read as the new
// one: columns stay, keep name, type and mask class, and do not become stricter.
// New columns must allow null. Anything else needs a new version.
func Compatible(old, now *Schema) error {
	if old.Version != now.Version {
		return nil
	}
	var faults []error
	for _, o := range old.Columns {
		i, ok := now.Index(o.Name)
		if !ok {
			faults = append(faults, fmt.Errorf("column %s was removed", o.Name))
			continue
		}
		n := now.Columns[i]
		if n.Type != o.Type {
			faults = append(faults, fmt.Errorf("column %s changed from %s to %s", o.Name, o.Type, n.Type))
		}
		if o.Null && !n.Null {
			faults = append(faults, fmt.Errorf("column %s no longer allows null", o.Name))
		}
		if o.Mask != n.Mask {
			faults = append(faults, fmt.Errorf("column %s changed its mask class from %s to %s", o.Name, o.Mask, n.Mask))
		}
	}
	for _, n := range now.Columns {
		if _, ok := old.Index(n.Name); !ok && !n.Null {
			faults = append(faults, fmt.Errorf("new column %s must allow null", n.Name))
		}
	}
	if len(faults) > 0 {
		return fmt.Errorf("schema %s changed incompatibly, so it needs version %d: %w", now.ID(), now.Version+1, errors.Join(faults...))
	}
	return nil
}
