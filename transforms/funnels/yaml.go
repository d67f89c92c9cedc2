package funnels

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml/ast"
)

// Decode reads definitions from the value of a YAML key, as in
//
//	funnels:
//	  - name: purchase
//	    steps:
//	      - {name: home, where: path == "/"}
//	      - {name: cart, where: path.startsWith("/cart")}
//	      - {name: paid, where: path == "/checkout" && method == "POST"}
//	    within: 24h                    # or 7d
//	    order: ordered                 # the default; strict, any
//	    exclude:
//	      - {where: path == "/logout", between: [cart, paid]}
//	    breakdown: {field: host, attribution: first}     # last, step:cart
//
// All faults are reported together, each with file, line, key and cure; what
// definitions mean is for Validate and Compile.
func Decode(list ast.Node, file string) ([]Definition, error) {
	y := yamlDecoder{file: file}
	var defs []Definition
	for _, n := range y.list(list, "funnels") {
		defs = append(defs, y.funnel(n))
	}
	return defs, errors.Join(y.faults...)
}

type yamlDecoder struct {
	file   string
	faults []error
}

func (y *yamlDecoder) at(n ast.Node) string {
	if e, ok := n.(*ast.MappingValueNode); ok {
		n = e.Key
	}
	if n == nil || n.GetToken() == nil {
		return y.file
	}
	return fmt.Sprintf("%s:%d", y.file, n.GetToken().Position.Line)
}

func (y *yamlDecoder) fault(n ast.Node, format string, a ...any) {
	y.faults = append(y.faults, fault(y.at(n), format, a...))
}

// list is the items of a list.
func (y *yamlDecoder) list(n ast.Node, what string) []ast.Node {
	if s, ok := n.(*ast.SequenceNode); ok {
		return s.Values
	}
	y.fault(n, "%s is no list; write each item on a line that begins with a dash", what)
	return nil
}

// reader takes the value of a key.
type reader map[string]func(ast.Node)

// mapping gives each value to the reader of its key.
func (y *yamlDecoder) mapping(n ast.Node, what string, keys reader, required ...string) {
	var entries []*ast.MappingValueNode
	switch m := n.(type) {
	case *ast.MappingNode:
		entries = m.Values
	case *ast.MappingValueNode:
		entries = []*ast.MappingValueNode{m}
	default:
		y.fault(n, "%s is no mapping; write lines of KEY: VALUE", what)
		return
	}
	var names []string
	for name := range keys {
		names = append(names, name)
	}
	slices.Sort(names)
	given := map[string]bool{}
	for _, e := range entries {
		key := e.Key.GetToken().Value
		read, ok := keys[key]
		if given[key] = true; ok {
			read(e.Value)
		} else {
			y.fault(e.Key, "%s: unknown key %s%s", what, key, suggest(key, names))
		}
	}
	for _, name := range required {
		if !given[name] {
			y.fault(n, "%s has no %s", what, name)
		}
	}
}

// text reads a single value.
func (y *yamlDecoder) text(what string, into *string) func(ast.Node) {
	return func(n ast.Node) {
		switch v := n.(type) {
		case *ast.StringNode:
			*into = v.Value
		case *ast.LiteralNode:
			*into = strings.TrimSpace(v.Value.Value)
		case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode:
			*into = n.GetToken().Value
		default:
			y.fault(n, "%s is not a single text", what)
		}
	}
}

func (y *yamlDecoder) funnel(n ast.Node) Definition {
	d := Definition{At: y.at(n)}
	y.mapping(n, "a funnel", reader{
		"name":   y.text("name", &d.Name),
		"order":  y.text("order", &d.Order),
		"within": y.within(&d.Within),
		"steps":  y.steps("step", &d.Steps),
		"exclude": func(v ast.Node) {
			for _, x := range y.list(v, "exclude") {
				d.Exclude = append(d.Exclude, y.exclusion(x))
			}
		},
		"breakdown": func(v ast.Node) {
			b := Breakdown{At: y.at(v)}
			y.mapping(v, "breakdown", reader{"field": y.text("field", &b.Field), "attribution": y.text("attribution", &b.Attribution)}, "field")
			d.Breakdown = &b
		},
	}, "name", "steps", "within")
	return d
}

func (y *yamlDecoder) within(into *time.Duration) func(ast.Node) {
	return func(n ast.Node) {
		var text string
		y.text("within", &text)(n)
		var err error
		if *into, err = duration(text); err != nil && text != "" {
			y.fault(n, "within: %w", err)
		}
	}
}

// steps reads a list of steps; what is "step" or another word for it.
func (y *yamlDecoder) steps(what string, into *[]Step) func(ast.Node) {
	return func(n ast.Node) {
		for _, s := range y.list(n, what+"s") {
			step := Step{At: y.at(s)}
			y.mapping(s, "a "+what, reader{"name": y.text("name", &step.Name), "where": y.text("where", &step.Where)}, "name", "where")
			*into = append(*into, step)
		}
	}
}

func (y *yamlDecoder) exclusion(n ast.Node) Exclusion {
	x := Exclusion{At: y.at(n)}
	y.mapping(n, "an exclusion", reader{
		"where": y.text("where", &x.Where),
		"between": func(v ast.Node) {
			items := y.list(v, "between")
			if len(items) != 2 {
				y.fault(v, "between names %d steps; write between: [EARLIER, LATER]", len(items))
				return
			}
			for i := range x.Between {
				y.text("between", &x.Between[i])(items[i])
			}
		},
	}, "where", "between")
	return x
}

// duration reads 90s, 24h, or days as 7d.
func duration(s string) (time.Duration, error) {
	if days, ok := strings.CutSuffix(s, "d"); ok {
		if n, err := strconv.ParseUint(days, 10, 16); err == nil {
			return time.Duration(n) * 24 * time.Hour, nil
		}
	}
	d, err := time.ParseDuration(s)
	if err != nil {
		return 0, fmt.Errorf("%q is not a duration; write for example 30m, 24h or 7d", s)
	}
	return d, nil
}
