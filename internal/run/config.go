package run

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"

	"millrace/internal/alertrules"
	"millrace/internal/maskpolicy"
	"millrace/internal/settings"
	"millrace/transforms/funnels"
)

type fileKey struct {
	name string
	into func(o *Options) *string // nil for a mapping
}

// fileKeys are the keys a YAML file may have, each with the option it fills.
var fileKeys = []fileKey{
	{"job", func(o *Options) *string { return &o.Job }},
	{"source", func(o *Options) *string { return &o.Source }},
	{"format", func(o *Options) *string { return &o.Format }},
	{"lake", func(o *Options) *string { return &o.Lake }},
	{"outputs", nil},
	{"only", func(o *Options) *string { return &o.Only }},
	{"runner", func(o *Options) *string { return &o.Runner }},
	{"mask_key", func(o *Options) *string { return &o.MaskKey }},
	{maskpolicy.Key, nil},
	{"vault_key", func(o *Options) *string { return &o.VaultKey }},
	{"raw", func(o *Options) *string { return &o.Raw }},
	{"from", func(o *Options) *string { return &o.From }},
	{"to", func(o *Options) *string { return &o.To }},
	{"staging", func(o *Options) *string { return &o.Staging }},
	{"max_disorder", func(o *Options) *string { return &o.Live.MaxDisorder }},
	{"allowed_lateness", func(o *Options) *string { return &o.Live.AllowedLateness }},
	{"idle", func(o *Options) *string { return &o.Live.Idle }},
	{"roll", func(o *Options) *string { return &o.Live.Roll }},
	{"seal", func(o *Options) *string { return &o.Live.Seal }},
	{"archive", func(o *Options) *string { return &o.Live.Archive }},
	{"until_archive", func(o *Options) *string { return &o.Live.UntilArchive }},
	{"flink_master", func(o *Options) *string { return &o.Flink.Master }},
	{"environment", func(o *Options) *string { return &o.Flink.Environment }},
	{"settings", nil},
	{funnelsKey, nil},
	{alertsKey, nil},
}

// Merge fills what the options leave open from a YAML file. Every fault is
// reported, with file, line and key.
func Merge(o Options, content []byte, name string) (Options, error) {
	body, err := parseYAML(content, name)
	if err != nil {
		return o, &UsageError{err}
	}
	f := file{name: name, options: o, given: map[string]string{}}
	for _, entry := range body {
		f.entry(entry)
	}
	if len(f.faults) > 0 {
		return o, &UsageError{errors.Join(f.faults...)}
	}
	f.options.Values = slices.Concat(f.values, o.Values) // flags come last and win
	f.options.where = f.given
	return f.options, nil
}

// parseYAML gives the entries of the one mapping that a file must hold.
func parseYAML(content []byte, name string) ([]*ast.MappingValueNode, error) {
	if err := settings.CheckFile(content, name); err != nil {
		return nil, err
	}
	tree, err := parser.ParseBytes(content, 0)
	if err != nil {
		var known yaml.Error
		if !errors.As(err, &known) || known.GetToken() == nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		at := known.GetToken().Position
		return nil, fmt.Errorf("%s:%d: column %d: %s; write one KEY: VALUE a line, indented by spaces, the keys of one level alike", name, at.Line, at.Column, known.GetMessage())
	}
	var docs []*ast.DocumentNode
	for _, doc := range tree.Docs {
		if doc.Body != nil {
			docs = append(docs, doc)
		}
	}
	switch {
	case len(docs) == 0:
		return nil, nil
	case len(docs) > 1:
		return nil, fmt.Errorf("%s:%d: a second document begins; remove the line --- or split the file", name, line(docs[1].Body))
	}
	body, ok := entries(docs[0].Body)
	if !ok {
		return nil, fmt.Errorf("%s:%d: the file is %s; write one KEY: VALUE a line, for example job: weblogs", name, line(docs[0].Body), kindOf(docs[0].Body))
	}
	return body, nil
}

// file is a YAML file being read.
type file struct {
	name    string
	options Options
	values  []settings.Value
	given   map[string]string // option -> its line
	faults  []error
}

func (f *file) fault(n ast.Node, format string, a ...any) {
	f.faults = append(f.faults, fmt.Errorf("%s:%d: %s", f.name, line(n), fmt.Sprintf(format, a...)))
}

func (f *file) entry(e *ast.MappingValueNode) {
	key := keyOf(e)
	i := slices.IndexFunc(fileKeys, func(k fileKey) bool { return k.name == key })
	if i < 0 && isQuestion(key) {
		f.fault(e.Key, "%s", notOfARun(key))
		return
	}
	if i < 0 {
		var names []string
		for _, k := range fileKeys {
			names = append(names, k.name)
		}
		if key == "set" {
			f.fault(e.Key, "unknown key set: what --set gives lies under the key settings, as a mapping of names and values")
			return
		}
		f.fault(e.Key, "unknown key %s%s", key, settings.Suggest(key, names))
		return
	}
	where := fmt.Sprintf("%s:%d", f.name, line(e.Key))
	switch key {
	case "settings":
		f.each(e, false, func(name, value string, n ast.Node) {
			f.values = append(f.values, settings.Value{Name: name, Text: value, Where: fmt.Sprintf("%s:%d", f.name, line(n))})
		})
	case funnelsKey:
		list(f, key, &f.options.Funnels, e.Value, where, funnels.Decode)
	case alertsKey:
		if list(f, key, &f.options.Alerts, e.Value, where, alertrules.DecodeList) {
			f.options.AlertsFile = f.name
		}
	case maskpolicy.Key:
		f.policy(e.Value, where)
	case "outputs":
		outputs := Outputs{}
		f.each(e, true, func(name, value string, _ ast.Node) { outputs.Add(name, value) })
		for name, urls := range f.options.Outputs {
			outputs[name] = urls
		}
		if f.options.Outputs == nil {
			f.given["output"] = where
		}
		f.options.Outputs = outputs
	default:
		value, ok := f.scalar(key, e.Value)
		if into := fileKeys[i].into(&f.options); ok && *into == "" {
			*into, f.given[key] = value, where
		}
	}
}

// each visits the entries of a mapping of names to single values, or where several are
// allowed to lists of them.
func (f *file) each(e *ast.MappingValueNode, several bool, visit func(name, value string, n ast.Node)) {
	if _, null := e.Value.(*ast.NullNode); null {
		return
	}
	if m, ok := e.Value.(*ast.MappingNode); ok && len(m.Values) == 0 {
		return // {}
	}
	list, ok := entries(e.Value)
	if !ok {
		f.fault(e.Key, "%s is %s, and should be lines of NAME: VALUE, indented below it", keyOf(e), kindOf(e.Value))
		return
	}
	for _, entry := range list {
		if below, nested := entries(entry.Value); nested {
			f.fault(entry.Key, "%s is a mapping, and should be a single value; write the name in full: %s.%s: ...", keyOf(entry), keyOf(entry), keyOf(below[0]))
			continue
		}
		values := []ast.Node{entry.Value}
		if s, ok := entry.Value.(*ast.SequenceNode); ok && several {
			values = s.Values
		}
		for _, n := range values {
			if value, ok := f.scalar(keyOf(entry), n); ok {
				visit(keyOf(entry), value, entry.Key)
			}
		}
	}
}

// scalar reads a single value as it was written.
func (f *file) scalar(key string, n ast.Node) (string, bool) {
	switch v := n.(type) {
	case *ast.StringNode:
		return v.Value, true
	case *ast.LiteralNode:
		return strings.TrimSpace(v.Value.Value), true
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode:
		return n.GetToken().Value, true
	}
	f.fault(n, "%s is %s, and should be a single value", key, kindOf(n))
	return "", false
}

// entries gives the entries of a mapping; false when it is something else.
func entries(n ast.Node) ([]*ast.MappingValueNode, bool) {
	switch m := n.(type) {
	case *ast.MappingNode:
		return m.Values, len(m.Values) > 0
	case *ast.MappingValueNode:
		return []*ast.MappingValueNode{m}, true
	}
	return nil, false
}

func keyOf(e *ast.MappingValueNode) string { return e.Key.GetToken().Value }

func line(n ast.Node) int {
	if e, ok := n.(*ast.MappingValueNode); ok {
		n = e.Key
	}
	return n.GetToken().Position.Line
}

// kindOf names what a person wrote.
func kindOf(n ast.Node) string {
	switch n.Type() { //nolint:exhaustive // the rest is rare
	case ast.SequenceType:
		return "a list"
	case ast.MappingType, ast.MappingValueType:
		return "a mapping"
	case ast.NullType:
		return "empty"
	case ast.IntegerType, ast.FloatType:
		return "a number"
	case ast.StringType, ast.LiteralType:
		return "a text"
	case ast.BoolType:
		return "true or false"
	}
	return "of another kind (" + strings.ToLower(n.Type().String()) + ")"
}
