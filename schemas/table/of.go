package table

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"millrace/schemas/pii"
)

var kinds = map[reflect.Type]Kind{
	reflect.TypeFor[string](): String, reflect.TypeFor[int32](): Int32, reflect.TypeFor[int64](): Int64,
	reflect.TypeFor[float64](): Float64, reflect.TypeFor[bool](): Bool, reflect.TypeFor[Millis](): Time,
	reflect.TypeFor[Day](): Date, reflect.TypeFor[ID](): UUID, reflect.TypeFor[[]byte](): Bytes,
}

// Of derives a schema from the struct type t. Field tags:
//
//	col:"name[,null][,sort1|sort2|...][,day][,plain][,history]"  mask:"class"  ecs:"name"  ts:"role"  doc:"text"
//
// Fields are exported and string, int32, int64, float64, bool, Millis, Day, ID or
// []byte, or a pointer to one of these exactly when the column may be null. One
// column decides the day; one to four, ranked without a gap, the order of rows.
// These two kinds hold no null, except that a text from sort2 on may: null comes
// before every text. Floats give no order. The column version can say that a
// lake keeps all of them, see Schema.History. All faults are reported
// together; a type that holds unmasked personal data is refused with the path to
// it.
func Of(t reflect.Type, name string, version int) (*Schema, error) {
	if t == nil || t.Kind() != reflect.Struct {
		return nil, fmt.Errorf("schema %s: a row is a struct, not %v", name, t)
	}
	s := &Schema{Name: name, Version: version, DayBy: -1, row: t}
	var faults []error
	fault := func(format string, a ...any) {
		faults = append(faults, fmt.Errorf("schema %s: %w", name, fmt.Errorf(format, a...)))
	}
	if name == "" || version < 1 {
		fault("a schema has a name and a version from 1; this is %q version %d", name, version)
	}
	if err := pii.Refuse(t); err != nil {
		fault("%w", err)
	}
	ranks := [4]int{-1, -1, -1, -1}
	for f := range t.Fields() {
		c, options, errs := column(f)
		if _, dup := s.Index(c.Name); dup {
			errs = append(errs, fmt.Errorf("column %q exists already", c.Name))
		}
		errs = append(errs, s.apply(&c, options, &ranks)...)
		for _, err := range errs {
			fault("field %s of %s: %w", f.Name, t, err)
		}
		s.Columns = append(s.Columns, c)
	}
	for rank, col := range ranks {
		switch {
		case col < 0:
		case rank > len(s.Order):
			fault("column %s is sort%d, but no column is sort%d", s.Columns[col].Name, rank+1, rank)
		default:
			s.Order = append(s.Order, col)
		}
	}
	if len(s.Order) == 0 {
		fault("no column has the option sort1, so rows have no order")
	}
	if s.DayBy < 0 {
		fault("no column has the option day, so rows have no partition")
	}
	if len(faults) > 0 {
		return nil, errors.Join(faults...)
	}
	return s, nil
}

// apply follows the options of the column that comes next.
func (s *Schema) apply(c *Column, options []string, ranks *[4]int) (faults []error) {
	fault := func(format string, a ...any) { faults = append(faults, fmt.Errorf(format, a...)) }
	for _, o := range options {
		switch o {
		case "null":
			c.Null = true
		case "plain":
			c.plain = true
		case "history":
			if s.history = len(s.Columns) + 1; c.Name != "version" || c.Kind != Int64 {
				fault("history is an option of the column version, an int64")
			}
		case "sort1", "sort2", "sort3", "sort4":
			if rank := &ranks[o[4]-'1']; *rank >= 0 {
				fault("column %s is %s already", s.Columns[*rank].Name, o)
			} else {
				*rank = len(s.Columns)
			}
			if c.Kind == Float64 {
				fault("a float64 gives rows no order")
			}
		case "day":
			if s.DayBy >= 0 {
				fault("a second day column, after %s", s.Columns[s.DayBy].Name)
			}
			if c.Kind != Time && c.Kind != Date && c.Kind != 0 {
				fault("the day column is a %s, not a timestamp or date", c.Kind)
			}
			s.DayBy = len(s.Columns)
		default:
			fault("unknown option %q in its col tag", o)
		}
	}
	rank := slices.Index(ranks[:], len(s.Columns))
	if c.Null && (s.DayBy == len(s.Columns) || rank == 0 || rank > 0 && !c.Kind.text()) {
		fault("a column that decides day or order holds no null, unless it is a text from sort2 on")
	}
	return faults
}

// column reads what a field says about its column, without its options.
func column(f reflect.StructField) (c Column, options []string, faults []error) {
	fault := func(format string, a ...any) { faults = append(faults, fmt.Errorf(format, a...)) }
	parts := strings.Split(f.Tag.Get("col"), ",")
	c = Column{Name: parts[0], Mask: MaskClass(f.Tag.Get("mask")), ECS: f.Tag.Get("ecs"), Doc: f.Tag.Get("doc"), Series: SeriesRole(f.Tag.Get("ts"))}
	if !f.IsExported() {
		fault("a column's field is exported")
	}
	if c.Name == "" {
		fault("no col tag")
	}
	if c.Doc == "" {
		fault("no doc tag: a column says what it holds and in which unit")
	}
	if !slices.Contains(seriesRoles, c.Series) {
		fault("its ts tag says %q; there are %v", c.Series, seriesRoles[1:])
	}
	ft, null := f.Type, slices.Contains(parts[1:], "null")
	switch pointer := ft.Kind() == reflect.Pointer; {
	case pointer && !null:
		fault("a pointer needs the option null")
	case !pointer && null:
		fault("the option null needs a pointer")
	}
	if ft.Kind() == reflect.Pointer {
		ft = ft.Elem()
	}
	k, ok := kinds[ft]
	if !ok {
		fault("type %s cannot be a column", f.Type)
		return c, parts[1:], faults
	}
	c.Kind, c.Type = k, k.String()
	if k.text() && !slices.Contains(maskClasses, c.Mask) {
		fault("a text column declares its mask class, one of %v; this one says %q", maskClasses, c.Mask)
	}
	if !k.text() && c.Mask != "" {
		fault("mask class %q on a %s", c.Mask, k)
	}
	return c, parts[1:], faults
}
