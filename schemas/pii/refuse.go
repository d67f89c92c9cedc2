package pii

import (
	"fmt"
	"reflect"
)

// unmasked lists the types that no sink accepts.
var unmasked = map[reflect.Type]bool{
	reflect.TypeFor[Text](): true,
}

// Refuse returns an error when a value of type t could hold unmasked personal
// data: when t is a type of this package or reaches one through pointers,
// slices, arrays, map keys and values, and struct fields, exported or not. The
// error names the first place, in field order, for example
// "Order.Items[].Buyer is pii.Text".
//
// Sinks call it before anything runs. Channels and functions cannot be
// written, so they are not followed. What an interface will hold is unknown
// here; there the encoding hooks of the values themselves refuse.
func Refuse(t reflect.Type) error {
	if t == nil {
		return nil
	}
	w := walker{seen: map[reflect.Type]bool{}}
	name := t.Name()
	if name == "" {
		name = t.String()
	}
	if path, found, ok := w.find(t); ok {
		return fmt.Errorf("%s%s is %s: mask it before it is written", name, path, found)
	}
	return nil
}

// RefuseFor is Refuse for a type known when compiling.
func RefuseFor[T any]() error { return Refuse(reflect.TypeFor[T]()) }

// walker remembers the types it has seen, so that recursive types end.
type walker struct{ seen map[reflect.Type]bool }

// find returns the path from t to the first unmasked type inside it.
func (w walker) find(t reflect.Type) (path string, found reflect.Type, ok bool) {
	if unmasked[t] {
		return "", t, true
	}
	if w.seen[t] {
		return "", nil, false
	}
	w.seen[t] = true
	switch t.Kind() {
	case reflect.Pointer:
		return w.find(t.Elem())
	case reflect.Slice, reflect.Array:
		return w.step("[]", t.Elem())
	case reflect.Map:
		if path, found, ok = w.step("[key]", t.Key()); ok {
			return path, found, ok
		}
		return w.step("[value]", t.Elem())
	case reflect.Struct:
		for f := range t.Fields() {
			if path, found, ok = w.step("."+f.Name, f.Type); ok {
				return path, found, ok
			}
		}
	}
	return "", nil, false
}

func (w walker) step(prefix string, t reflect.Type) (string, reflect.Type, bool) {
	path, found, ok := w.find(t)
	return prefix + path, found, ok
}
