package run

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"

	"millrace/internal/settings"
)

// file is the YAML form of Options.
type file struct {
	Job      string            `yaml:"job"`
	Source   string            `yaml:"source"`
	Lake     string            `yaml:"lake"`
	Outputs  map[string]string `yaml:"outputs"`
	Runner   string            `yaml:"runner"`
	MaskKey  string            `yaml:"mask_key"`
	Raw      string            `yaml:"raw"`
	From     string            `yaml:"from"`
	To       string            `yaml:"to"`
	Settings map[string]any    `yaml:"settings"`
}

// fileKeys are the keys a file may have.
var fileKeys = []string{"job", "source", "lake", "outputs", "runner", "mask_key", "raw", "from", "to", "settings"}

// Merge fills what the options leave open from a YAML file. An error names file,
// line and key.
func Merge(o Options, content []byte, name string) (Options, error) {
	tree, err := parser.ParseBytes(content, 0)
	if err != nil {
		return o, usage("%s: %s", name, firstLine(yaml.FormatError(err, false, false)))
	}
	if fault := unknownKey(tree, name); fault != nil {
		return o, fault
	}
	var f file
	if err := yaml.UnmarshalWithOptions(content, &f, yaml.Strict()); err != nil {
		return o, usage("%s: %s", name, firstLine(yaml.FormatError(err, false, false)))
	}
	for _, pair := range []struct {
		into *string
		from string
	}{{&o.Job, f.Job}, {&o.Source, f.Source}, {&o.Lake, f.Lake}, {&o.Runner, f.Runner}, {&o.MaskKey, f.MaskKey}, {&o.Raw, f.Raw}, {&o.From, f.From}, {&o.To, f.To}} {
		if *pair.into == "" {
			*pair.into = pair.from
		}
	}
	for output, url := range f.Outputs {
		if _, given := o.Outputs[output]; !given {
			if o.Outputs == nil {
				o.Outputs = map[string]string{}
			}
			o.Outputs[output] = url
		}
	}
	lines := settingLines(tree)
	var values []settings.Value
	for _, set := range slices.Sorted(maps.Keys(f.Settings)) {
		values = append(values, settings.Value{Name: set, Text: fmt.Sprint(f.Settings[set]), Where: fmt.Sprintf("%s:%d", name, lines[set])})
	}
	o.Values = append(values, o.Values...) // flags come last and win
	return o, nil
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(s, "\n")
	return line
}

// mappings visits the entries of the file's top level.
func mappings(tree *ast.File) []*ast.MappingValueNode {
	if len(tree.Docs) == 0 {
		return nil
	}
	return entries(tree.Docs[0].Body)
}

func entries(n ast.Node) []*ast.MappingValueNode {
	switch m := n.(type) {
	case *ast.MappingNode:
		return m.Values
	case *ast.MappingValueNode:
		return []*ast.MappingValueNode{m}
	}
	return nil
}

func unknownKey(tree *ast.File, name string) error {
	for _, m := range mappings(tree) {
		key := m.Key.String()
		if !slices.Contains(fileKeys, key) {
			return usage("%s:%d: unknown key %s%s", name, m.Key.GetToken().Position.Line, key, settings.Suggest(key, fileKeys))
		}
	}
	return nil
}

// settingLines gives the line of each setting.
func settingLines(tree *ast.File) map[string]int {
	lines := map[string]int{}
	for _, m := range mappings(tree) {
		if m.Key.String() != "settings" {
			continue
		}
		for _, s := range entries(m.Value) {
			lines[s.Key.String()] = s.Key.GetToken().Position.Line
		}
	}
	return lines
}
