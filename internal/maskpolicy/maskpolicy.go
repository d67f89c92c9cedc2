// Package maskpolicy reads masking policies from YAML, strictly, and shows what
// they do. What a policy means is in transforms/mask.
//
//	region: DE                  # of telephone numbers without country code
//	unknown: drop               # fields without a rule: drop (the default), scan, redact
//	fields:                     # by path; a class, or a class and a method
//	  user.email: email
//	  user.card: {class: pan, method: fpe}
//	  headers.*: text
//	classes:                    # methods of classes
//	  name: redact
//	findings:                   # methods of what is found in free text
//	  ip: token
//	types: [email, pan, ip]     # what to look for; everything when not given
//	secrets: [pin, "*_ticket"]  # parameters with secret values, besides the usual
//	reversible: [user, email]   # classes whose tokens a job's vault takes back
package maskpolicy

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"

	"millrace/internal/nearest"
	"millrace/internal/settings"
	"millrace/transforms/mask"
)

// ReadFile reads the policy in a file.
func ReadFile(name string) (mask.Policy, error) {
	content, err := settings.ReadFile(name)
	if err != nil {
		return mask.Policy{}, fmt.Errorf("reading masking policy: %w", err)
	}
	return Parse(name, content)
}

// Parse reads a policy. Every fault is reported with file, line, what is wrong and
// the name that was probably meant.
func Parse(name string, content []byte) (mask.Policy, error) {
	f, err := Read(name, content)
	if err != nil {
		return mask.Policy{}, err
	}
	return f.Policy, nil
}

// Read is Parse with the lines.
func Read(name string, content []byte) (*File, error) {
	if err := settings.CheckFile(content, name); err != nil {
		return nil, err
	}
	tree, err := parser.ParseBytes(content, 0)
	if err != nil {
		var known yaml.Error
		if errors.As(err, &known) && known.GetToken() != nil {
			at := known.GetToken().Position
			return nil, fmt.Errorf("%s:%d: column %d: %s", name, at.Line, at.Column, known.GetMessage())
		}
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	r := newReader(name)
	documents := 0
	for _, doc := range tree.Docs {
		if doc.Body == nil {
			continue
		}
		if documents++; documents > 1 {
			r.fault(doc.Body, "a second document begins; remove the line --- or split the file")
			break
		}
		r.policy(ofConfig(doc.Body))
	}
	return r.done()
}

// Decode reads a policy that is part of another file.
func Decode(body ast.Node, name string) (*File, error) {
	r := newReader(name)
	r.policy(body)
	return r.done()
}

// Key is the key of a run's configuration under which a policy lies.
const Key = "mask_policy"

// ofConfig is the policy in a run's configuration, if the file is one.
func ofConfig(body ast.Node) ast.Node {
	if m, ok := body.(*ast.MappingNode); ok {
		for _, e := range m.Values {
			if keyOf(e) == Key && isMapping(e.Value) {
				return e.Value
			}
		}
	}
	return body
}

// reader reads one file.
type reader struct {
	name   string
	made   mask.Policy
	lines  map[string]int
	faults []error
}

func newReader(name string) reader { return reader{name: name, lines: map[string]int{}} }

func (r *reader) done() (*File, error) {
	if len(r.faults) > 0 {
		return nil, errors.Join(r.faults...)
	}
	if err := r.made.Validate(); err != nil { // what the reading has not seen
		return nil, fmt.Errorf("%s: %w", r.name, err)
	}
	return &File{Policy: r.made, Name: r.name, Lines: r.lines}, nil
}

// at notes where something stands.
func (r *reader) at(what string, n ast.Node) {
	if e, ok := n.(*ast.MappingValueNode); ok {
		n = e.Key
	}
	r.lines[what] = n.GetToken().Position.Line
}

func (r *reader) fault(n ast.Node, format string, a ...any) {
	if e, ok := n.(*ast.MappingValueNode); ok {
		n = e.Key
	}
	r.faults = append(r.faults, fmt.Errorf("%s:%d: %s", r.name, n.GetToken().Position.Line, fmt.Sprintf(format, a...)))
}

var keys = []string{"region", "unknown", "fields", "classes", "findings", "types", "secrets", "reversible"}

func (r *reader) policy(body ast.Node) {
	for _, e := range r.entries(body, "the file") {
		key := keyOf(e)
		r.at(key, e)
		switch key {
		case "region":
			if r.made.Region = r.scalar(e.Value, key); len(r.made.Region) != 2 || strings.ToUpper(r.made.Region) != r.made.Region {
				r.fault(e, "region %q: write a country's two capital letters, for example DE", r.made.Region)
			}
		case "unknown":
			r.made.Unknown = r.method(e.Value, key)
			if err := mask.CheckUnknown(r.made.Unknown); err != nil {
				r.fault(e, "%s", err)
			}
		case "fields":
			r.fields(e)
		case "classes":
			r.made.Classes = map[mask.Class]mask.Method{}
			for _, c := range r.entries(e.Value, key) {
				class := mask.Class(r.known(c.Key, "class", keyOf(c), mask.Classes()))
				r.set(c, class != "", func() error {
					method := r.method(c.Value, keyOf(c))
					r.made.Classes[class] = method
					return unlessEmpty(method, func() error { return mask.CheckClass(class, method) })
				})
			}
		case "findings":
			r.made.Findings = map[mask.Type]mask.Method{}
			for _, c := range r.entries(e.Value, key) {
				typ := mask.Type(r.known(c.Key, "type", keyOf(c), mask.AllTypes()))
				r.at("findings."+string(typ), c)
				r.set(c, typ != "", func() error {
					method := r.method(c.Value, keyOf(c))
					r.made.Findings[typ] = method
					return unlessEmpty(method, func() error { return mask.CheckFinding(typ, method) })
				})
			}
		case "types":
			for _, n := range r.list(e.Value, key) {
				if t := r.known(n, "type", r.scalar(n, key), mask.AllTypes()); t != "" {
					r.made.Types = append(r.made.Types, mask.Type(t))
				}
			}
		case "reversible":
			for _, n := range r.list(e.Value, key) {
				class := mask.Class(r.known(n, "class", r.scalar(n, key), mask.Classes()))
				r.set(n, class != "", func() error {
					r.made.Reversible = append(r.made.Reversible, class)
					return mask.CheckReversible(class)
				})
			}
		case "secrets":
			r.made.Secrets = mask.DefaultSecrets()
			for _, n := range r.list(e.Value, key) {
				name, suffix := strings.CutPrefix(r.scalar(n, key), "*")
				r.made.Secrets = append(r.made.Secrets, mask.SecretName{Name: name, Suffix: suffix})
			}
		default:
			r.fault(e, "unknown key %s%s", key, settings.Suggest(key, keys))
		}
	}
}

func unlessEmpty(m mask.Method, check func() error) error {
	if m == "" {
		return nil // its own fault is known
	}
	return check()
}

func (r *reader) set(at ast.Node, known bool, set func() error) {
	if !known {
		return
	}
	if err := set(); err != nil {
		r.fault(at, "%s", err)
	}
}

func (r *reader) fields(e *ast.MappingValueNode) {
	r.made.Fields = map[string]mask.Rule{}
	for _, f := range r.entries(e.Value, "fields") {
		path := keyOf(f)
		if _, twice := r.made.Fields[path]; twice {
			r.fault(f, "field %s stands there already", path)
			continue
		}
		var rule mask.Rule
		if isMapping(f.Value) {
			for _, part := range r.entries(f.Value, path) {
				switch keyOf(part) {
				case "class":
					rule.Class = mask.Class(r.known(part, "class", r.scalar(part.Value, "class"), mask.Classes()))
				case "method":
					rule.Method = r.method(part.Value, "method")
				default:
					r.fault(part, "unknown key %s%s", keyOf(part), settings.Suggest(keyOf(part), []string{"class", "method"}))
				}
			}
			if rule.Class == "" && len(r.faults) == 0 {
				r.fault(f, "field %s has no class: write {class: CLASS, method: %s} (millrace policy check lists the class of each)", path, rule.Method)
			}
		} else {
			rule.Class = mask.Class(r.known(f, "class", r.scalar(f.Value, path), mask.Classes()))
		}
		if rule.Class == "" {
			continue
		}
		r.made.Fields[path] = rule
		r.at("fields."+path, f)
		if err := r.made.CheckField(path, rule); err != nil {
			r.fault(f, "%s", err)
		}
	}
}

// known returns name if it is one of names; else it notes the fault.
func (r *reader) known(at ast.Node, kind, name string, names any) string {
	var valid []string
	switch names := names.(type) {
	case []mask.Class:
		for _, n := range names {
			valid = append(valid, string(n))
		}
	case []mask.Type:
		for _, n := range names {
			valid = append(valid, string(n))
		}
	case []mask.Method:
		for _, n := range names {
			valid = append(valid, string(n))
		}
	}
	if slices.Contains(valid, name) {
		return name
	}
	if kind == "class" && slices.Contains(mask.Methods(), mask.Method(name)) {
		r.fault(at, "%s is a method, not a class: write {class: CLASS, method: %s}", name, name)
		return ""
	}
	if near := nearest.Name(name, valid); near != "" {
		r.fault(at, "unknown %s %q, did you mean %s?", kind, name, near)
	} else {
		r.fault(at, "unknown %s %q (there are %s)", kind, name, strings.Join(valid, ", "))
	}
	return ""
}

func (r *reader) method(n ast.Node, of string) mask.Method {
	name := r.scalar(n, of)
	if name == "" {
		return ""
	}
	return mask.Method(r.known(n, "method", name, mask.Methods()))
}

func keyOf(e *ast.MappingValueNode) string { return e.Key.GetToken().Value }

func isMapping(n ast.Node) bool {
	switch n.(type) {
	case *ast.MappingNode, *ast.MappingValueNode:
		return true
	}
	return false
}

func (r *reader) entries(n ast.Node, of string) []*ast.MappingValueNode {
	switch m := n.(type) {
	case *ast.MappingNode:
		return m.Values
	case *ast.MappingValueNode:
		return []*ast.MappingValueNode{m}
	case *ast.NullNode:
		return nil
	}
	r.fault(n, "%s should be lines of NAME: VALUE", of)
	return nil
}

func (r *reader) list(n ast.Node, of string) []ast.Node {
	switch s := n.(type) {
	case *ast.SequenceNode:
		return s.Values
	case *ast.NullNode:
		return nil
	}
	r.fault(n, "%s should be a list: [a, b]", of)
	return nil
}

func (r *reader) scalar(n ast.Node, of string) string {
	switch v := n.(type) {
	case *ast.StringNode:
		return v.Value
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.NullNode:
		return n.GetToken().Value
	}
	r.fault(n, "%s should be a single value", of)
	return ""
}
