package table

import (
	"errors"
	"fmt"
	"slices"
)

// Compatible tells whether rows of the old schema can still be read as the new
// one: columns stay, keep name, type and mask class, and do not become stricter;
// the same columns decide day and order. New columns must allow null. Anything
// else needs a new version, and a version never goes back.
//
// A new column may enter the order, at any place: all old rows have null there,
// and nulls are equal, so the old rows are in order by the new schema, too, and
// as they were among themselves. A column that was there before may not: old
// rows have values in it that nobody sorted by.
func Compatible(old, now *Schema) error {
	switch {
	case old.Name != now.Name:
		return fmt.Errorf("schema %s is not a version of %s", now.ID(), old.Name)
	case old.Version > now.Version:
		return fmt.Errorf("schema %s went back from version %d", now.ID(), old.Version)
	case old.Version < now.Version:
		return nil
	}
	var faults []error
	fault := func(format string, a ...any) { faults = append(faults, fmt.Errorf(format, a...)) }
	for _, o := range old.Columns {
		i, ok := now.Index(o.Name)
		if !ok {
			fault("column %s was removed", o.Name)
			continue
		}
		n := now.Columns[i]
		if n.Type != o.Type {
			fault("column %s changed from %s to %s", o.Name, o.Type, n.Type)
		}
		if o.Null && !n.Null {
			fault("column %s no longer allows null", o.Name)
		}
		if o.Mask != n.Mask {
			fault("column %s changed its mask class from %q to %q", o.Name, o.Mask, n.Mask)
		}
	}
	for _, n := range now.Columns {
		if _, ok := old.Index(n.Name); !ok && !n.Null {
			fault("new column %s must allow null", n.Name)
		}
	}
	if was, is := old.Columns[old.DayBy].Name, now.Columns[now.DayBy].Name; was != is {
		fault("the day of a row was that of %s and is that of %s", was, is)
	}
	known := func(name string) bool { _, ok := old.Index(name); return ok }
	if was, is := old.orderNames(), now.orderNames(); !slices.Equal(was, filter(is, known)) {
		fault("rows were ordered by %v and are by %v", was, is)
	}
	if len(faults) > 0 {
		return fmt.Errorf("schema %s changed incompatibly, so it needs version %d: %w", now.ID(), now.Version+1, errors.Join(faults...))
	}
	return nil
}

func (s *Schema) orderNames() []string {
	var names []string
	for _, col := range s.Order {
		names = append(names, s.Columns[col].Name)
	}
	return names
}

func filter(list []string, keep func(string) bool) []string {
	return slices.DeleteFunc(slices.Clone(list), func(s string) bool { return !keep(s) })
}
