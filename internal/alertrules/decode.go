// Package alertrules reads alert rules from YAML, strictly: every fault is reported
// with file, line and field, and an unknown name with the nearest known one.
//
//	rules:
//	  - name: server-errors
//	    input: traffic            # an output, or a series of scores
//	    field: errors             # column whose values are watched
//	    where: {status_class: 5xx}
//	    by: [host]                # each value of these columns is watched by itself
//	    every: 1m                 # length of a window
//	    aggregate: max            # of readings in a window: max, min, last, sum, count
//	    within: 5m                # sum over so long, with aggregate sum or count
//	    per: {status_class: 2xx}  # divided by that of rows with these values
//	    above: 100                # broken above or below
//	    clear_above: 50           # in order again when not above
//	    at_least: 3               # windows
//	    of: 5                     # of the last ones
//	    clear_for: 2              # windows in a row
//	    cooldown: 30m             # after it, before the next alert
//	    missing: clear            # a window without data is in order; or keep
//	    severity: critical        # info, warning, critical
//
// A change is watched with change_over (and change_relative: true), an absence
// with absent_for and give_up instead of limits. while_field, while_at_least and
// while_within let a rule be broken only while another field sums to so much; with per,
// while_at_least is about what is divided by.
package alertrules

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"

	"millrace/internal/settings"
	"millrace/transforms/alerts"
)

// Decode reads the rules in content, whose file name is for errors alone.
func Decode(content []byte, name string) ([]alerts.Rule, error) {
	if err := settings.CheckFile(content, name); err != nil {
		return nil, err
	}
	tree, err := parser.ParseBytes(content, 0)
	if err != nil {
		var known yaml.Error
		if !errors.As(err, &known) || known.GetToken() == nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		return nil, fmt.Errorf("%s:%d: %s; write KEY: VALUE, indented by spaces", name, known.GetToken().Position.Line, known.GetMessage())
	}
	d := decoder{file: name}
	for _, doc := range tree.Docs {
		if doc.Body != nil {
			d.document(doc.Body)
		}
	}
	return d.result()
}

// DecodeList reads the rules of a list that a YAML file holds.
func DecodeList(list ast.Node, name string) ([]alerts.Rule, error) {
	d := decoder{file: name}
	items, ok := list.(*ast.SequenceNode)
	if !ok {
		d.fault(lineOf(list), "rules of alerts are a list: each rule begins with a dash")
		return d.result()
	}
	for _, item := range items.Values {
		d.rule(item)
	}
	return d.result()
}

func (d *decoder) result() ([]alerts.Rule, error) {
	if err := errors.Join(d.faults...); err != nil {
		return nil, err
	}
	return d.rules, nil
}

type decoder struct {
	file   string
	rules  []alerts.Rule
	names  map[string]int // line of each rule
	faults []error
}

func (d *decoder) fault(line int, format string, a ...any) {
	d.faults = append(d.faults, fmt.Errorf("%s:%d: %s", d.file, line, fmt.Sprintf(format, a...)))
}

func lineOf(n ast.Node) int {
	if e, ok := n.(*ast.MappingValueNode); ok {
		n = e.Key
	}
	return n.GetToken().Position.Line
}

func entries(n ast.Node) ([]*ast.MappingValueNode, bool) {
	switch m := n.(type) {
	case *ast.MappingNode:
		return m.Values, true
	case *ast.MappingValueNode:
		return []*ast.MappingValueNode{m}, true
	}
	return nil, false
}

func keyOf(e *ast.MappingValueNode) string { return e.Key.GetToken().Value }

func (d *decoder) document(body ast.Node) {
	list, ok := entries(body)
	if !ok {
		d.fault(lineOf(body), "the file begins with rules: and a list of rules below it")
		return
	}
	for _, e := range list {
		if key := keyOf(e); key != "rules" {
			d.fault(lineOf(e), "unknown key %s%s", key, settings.Suggest(key, []string{"rules"}))
			continue
		}
		items, ok := e.Value.(*ast.SequenceNode)
		if !ok {
			d.fault(lineOf(e), "rules is a list: each rule begins with a dash")
			continue
		}
		for _, item := range items.Values {
			d.rule(item)
		}
	}
}

func (d *decoder) rule(item ast.Node) {
	fields, ok := entries(item)
	if !ok {
		d.fault(lineOf(item), "a rule is lines of KEY: VALUE")
		return
	}
	r := alerts.Rule{At: fmt.Sprintf("%s:%d", d.file, lineOf(item))}
	lines := map[string]int{}
	faults := len(d.faults)
	for _, e := range fields {
		key := keyOf(e)
		into, known := keys[key]
		if !known {
			d.fault(lineOf(e), "unknown key %s%s", key, settings.Suggest(key, keyNames()))
			continue
		}
		lines[key] = lineOf(e)
		if err := into(&r, e.Value); err != nil {
			d.fault(lineOf(e), "%s: %v", key, err)
		}
	}
	if len(d.faults) > faults {
		return // what is missing may be what could not be read
	}
	d.check(r, lineOf(item), lines)
}

// check adds the rule if it is valid. Faults name the line of their field, or of
// the rule where that is missing.
func (d *decoder) check(r alerts.Rule, line int, lines map[string]int) {
	faults := len(d.faults)
	if err := r.Validate(); err != nil {
		for _, fault := range err.(interface{ Unwrap() []error }).Unwrap() {
			var f *alerts.FieldError
			at := line
			if errors.As(fault, &f) && lines[f.Field] > 0 {
				at = lines[f.Field]
			}
			d.fault(at, "%v", fault)
		}
	}
	if d.names == nil {
		d.names = map[string]int{}
	}
	if before, twice := d.names[r.Name]; twice && r.Name != "" {
		d.fault(line, "rule %s exists already, in line %d; alerts are named by it", r.Name, before)
	}
	d.names[r.Name] = line
	if len(d.faults) == faults {
		d.rules = append(d.rules, r.WithDefaults())
	}
}

func keyNames() []string {
	var names []string
	for k := range keys {
		names = append(names, k)
	}
	slices.Sort(names)
	return names
}

// keys are the fields that a rule can have.
var keys = map[string]func(*alerts.Rule, ast.Node) error{
	"name":            text(func(r *alerts.Rule) *string { return &r.Name }),
	"input":           text(func(r *alerts.Rule) *string { return &r.Input }),
	"field":           text(func(r *alerts.Rule) *string { return &r.Field }),
	"where":           matches(func(r *alerts.Rule) *[]alerts.Match { return &r.Where }),
	"per":             matches(func(r *alerts.Rule) *[]alerts.Match { return &r.Per }),
	"by":              by,
	"every":           duration(func(r *alerts.Rule) *int64 { return &r.Every }),
	"aggregate":       text(func(r *alerts.Rule) *string { return (*string)(&r.Aggregate) }),
	"within":          duration(func(r *alerts.Rule) *int64 { return &r.Within }),
	"change_over":     duration(func(r *alerts.Rule) *int64 { return &r.ChangeOver }),
	"change_relative": boolean(func(r *alerts.Rule) *bool { return &r.ChangeRelative }),
	"above":           limit(func(r *alerts.Rule) **float64 { return &r.Above }),
	"below":           limit(func(r *alerts.Rule) **float64 { return &r.Below }),
	"clear_above":     limit(func(r *alerts.Rule) **float64 { return &r.ClearAbove }),
	"clear_below":     limit(func(r *alerts.Rule) **float64 { return &r.ClearBelow }),
	"while_field":     text(func(r *alerts.Rule) *string { return &r.WhileField }),
	"while_at_least":  float(func(r *alerts.Rule) *float64 { return &r.WhileAtLeast }),
	"while_within":    duration(func(r *alerts.Rule) *int64 { return &r.WhileWithin }),
	"absent_for":      duration(func(r *alerts.Rule) *int64 { return &r.AbsentFor }),
	"give_up":         duration(func(r *alerts.Rule) *int64 { return &r.GiveUp }),
	"at_least":        integer(func(r *alerts.Rule) *int { return &r.AtLeast }),
	"of":              integer(func(r *alerts.Rule) *int { return &r.Of }),
	"clear_for":       integer(func(r *alerts.Rule) *int { return &r.ClearFor }),
	"cooldown":        duration(func(r *alerts.Rule) *int64 { return &r.Cooldown }),
	"missing":         text(func(r *alerts.Rule) *string { return &r.Missing }),
	"severity":        text(func(r *alerts.Rule) *string { return &r.Severity }),
}

func scalar(n ast.Node) (string, error) {
	switch v := n.(type) {
	case *ast.StringNode:
		return v.Value, nil
	case *ast.LiteralNode:
		return strings.TrimSpace(v.Value.Value), nil
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode:
		return n.GetToken().Value, nil
	}
	return "", errors.New("a single value is needed")
}

func parsed[T any](field func(*alerts.Rule) *T, parse func(string) (T, error)) func(*alerts.Rule, ast.Node) error {
	return func(r *alerts.Rule, n ast.Node) error {
		s, err := scalar(n)
		if err == nil {
			*field(r), err = parse(s)
		}
		return err
	}
}

func text(field func(*alerts.Rule) *string) func(*alerts.Rule, ast.Node) error {
	return parsed(field, func(s string) (string, error) { return s, nil })
}

func boolean(field func(*alerts.Rule) *bool) func(*alerts.Rule, ast.Node) error {
	return parsed(field, func(s string) (bool, error) {
		if s != "true" && s != "false" {
			return false, fmt.Errorf("%q is neither true nor false", s)
		}
		return s == "true", nil
	})
}

func integer(field func(*alerts.Rule) *int) func(*alerts.Rule, ast.Node) error {
	return parsed(field, func(s string) (int, error) {
		v, err := strconv.Atoi(s)
		if err != nil || v < 1 || v > 1<<20 {
			return 0, fmt.Errorf("%q is no whole number from 1 on", s)
		}
		return v, nil
	})
}

func number(s string) (float64, error) {
	v, err := strconv.ParseFloat(s, 64)
	if err != nil {
		return 0, fmt.Errorf("%q is no number", s)
	}
	return v, nil
}

func float(field func(*alerts.Rule) *float64) func(*alerts.Rule, ast.Node) error {
	return parsed(field, number)
}

func limit(field func(*alerts.Rule) **float64) func(*alerts.Rule, ast.Node) error {
	return parsed(field, func(s string) (*float64, error) {
		v, err := number(s)
		return &v, err
	})
}

func duration(field func(*alerts.Rule) *int64) func(*alerts.Rule, ast.Node) error {
	return parsed(field, func(s string) (int64, error) {
		v, err := time.ParseDuration(s)
		if err != nil || v <= 0 || v%time.Second != 0 {
			return 0, fmt.Errorf("%q is no duration of whole seconds, as 90s, 5m or 1h30m", s)
		}
		return v.Milliseconds(), nil
	})
}

func by(r *alerts.Rule, n ast.Node) error {
	items, ok := n.(*ast.SequenceNode)
	if !ok {
		return errors.New("a list of columns is needed, as [host, path]")
	}
	for _, item := range items.Values {
		s, err := scalar(item)
		if err != nil {
			return err
		}
		if slices.Contains(r.By, s) {
			return fmt.Errorf("column %s is named twice", s)
		}
		r.By = append(r.By, s)
	}
	return nil
}

// matches reads columns with the value that each must have.
func matches(field func(*alerts.Rule) *[]alerts.Match) func(*alerts.Rule, ast.Node) error {
	return func(r *alerts.Rule, n ast.Node) error {
		list, ok := entries(n)
		if !ok {
			return errors.New("columns with their values are needed, as {status_class: 5xx}")
		}
		into := field(r)
		for _, e := range list {
			s, err := scalar(e.Value)
			if err != nil {
				return fmt.Errorf("%s: %w", keyOf(e), err)
			}
			*into = append(*into, alerts.Match{Column: keyOf(e), Value: s})
		}
		slices.SortFunc(*into, func(a, b alerts.Match) int { return strings.Compare(a.Column, b.Column) })
		return nil
	}
}
