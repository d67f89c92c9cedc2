// Package settings reads a job's settings: typed, checked and documented from
// one struct per job, whether they come from --set or from a YAML file.
package settings

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"millrace/internal/nearest"
)

// Setting describes one setting.
type Setting struct {
	Name    string
	Type    string // "duration", "integer", "boolean", "text"
	File    bool   // the text names a file: the field has the tag `file:"true"`
	Default string
	Doc     string
}

// Describe lists the settings of a struct of fields tagged `set:"name" doc:"..."`.
// The values the struct holds are the defaults.
func Describe(defaults any) []Setting {
	var list []Setting
	v := reflect.Indirect(reflect.ValueOf(defaults))
	for f, value := range v.Fields() {
		if name := f.Tag.Get("set"); name != "" {
			list = append(list, Setting{Name: name, Type: typeName(f.Type), File: f.Tag.Get("file") != "", Default: text(value), Doc: f.Tag.Get("doc")})
		}
	}
	return list
}

func typeName(t reflect.Type) string {
	switch {
	case t == reflect.TypeFor[time.Duration]():
		return "duration"
	case t.Kind() == reflect.Bool:
		return "boolean"
	case t.Kind() == reflect.Int, t.Kind() == reflect.Int64:
		return "integer"
	case t.Kind() == reflect.String:
		return "text"
	}
	panic("settings: a field of type " + t.String() + " cannot be a setting")
}

func text(v reflect.Value) string {
	switch x := v.Interface().(type) {
	case time.Duration:
		return formatDuration(x)
	default:
		return fmt.Sprint(x)
	}
}

// formatDuration writes 30m0s as 30m.
func formatDuration(d time.Duration) string {
	s := d.String()
	for _, zero := range []string{"m0s", "h0m"} {
		if strings.HasSuffix(s, zero) {
			s = s[:len(s)-2]
		}
	}
	return s
}

// Value is one setting as given, and where: "--set" or "file.yaml:12".
type Value struct {
	Name, Text, Where string
}

// Parse splits the NAME=VALUE of a --set flag.
func Parse(flag string) (Value, error) {
	name, value, ok := strings.Cut(flag, "=")
	if !ok || name == "" {
		return Value{}, fmt.Errorf("--set %s: write NAME=VALUE", flag)
	}
	return Value{Name: name, Text: value, Where: "--set"}, nil
}

// Apply sets the struct's fields. All faults are reported together; each names
// where the value came from, the setting, what is wrong and what would be right.
func Apply(into any, values []Value) error {
	v := reflect.ValueOf(into).Elem()
	fields := map[string]reflect.Value{}
	var names []string
	for f, value := range v.Fields() {
		if name := f.Tag.Get("set"); name != "" {
			fields[name] = value
			names = append(names, name)
		}
	}
	var faults []error
	for _, given := range values {
		field, ok := fields[given.Name]
		if !ok {
			faults = append(faults, fmt.Errorf("%s: unknown setting %s%s", given.Where, given.Name, Suggest(given.Name, names)))
			continue
		}
		if err := set(field, given.Text); err != nil {
			faults = append(faults, fmt.Errorf("%s: setting %s: %w", given.Where, given.Name, err))
		}
	}
	return errors.Join(faults...)
}

func set(field reflect.Value, s string) error {
	switch typeName(field.Type()) {
	case "duration":
		d, err := time.ParseDuration(s)
		if err != nil {
			return fmt.Errorf("%q is not a duration; write for example 30m or 90s", s)
		}
		field.SetInt(int64(d))
	case "boolean":
		b, err := strconv.ParseBool(s)
		if err != nil {
			return fmt.Errorf("%q is not a boolean; write true or false", s)
		}
		field.SetBool(b)
	case "integer":
		n, err := strconv.ParseInt(s, 10, field.Type().Bits())
		if errors.Is(err, strconv.ErrRange) {
			return fmt.Errorf("%s is too large or too small", s)
		}
		if err != nil {
			return fmt.Errorf("%q is not an integer; write for example 10", s)
		}
		field.SetInt(n)
	default:
		field.SetString(s)
	}
	return nil
}

// Suggest ends an error about an unknown name: ", did you mean X? (there are X,
// Y, Z)".
func Suggest(name string, valid []string) string {
	if len(valid) == 0 {
		return ""
	}
	valid = slices.Sorted(slices.Values(valid))
	list := " (there are " + strings.Join(valid, ", ") + ")"
	if near := nearest.Name(name, valid); near != "" {
		return ", did you mean " + near + "?" + list
	}
	return list
}
