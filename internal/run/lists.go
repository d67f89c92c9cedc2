package run

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"

	"millrace/internal/settings"
	"millrace/schemas/vault"
)

// listFile is a YAML file that holds one list: alone, or under one of some keys.
type listFile struct {
	flag  string // that names the file
	guide string // document that tells what the list holds
	keys  []string
	other bool // whether it may be a file of --config, whose other keys mean nothing here
}

// readList reads such a file. Every fault is reported, with file, line and key.
func readList[T any](content []byte, name string, l listFile, decode func(list ast.Node, file string) ([]T, error)) ([]T, error) {
	items, err := l.read(content, name)
	if err != nil {
		return nil, &UsageError{err}
	}
	out, err := decode(items, name)
	if err != nil {
		return nil, &UsageError{err}
	}
	return out, nil
}

func (l listFile) read(content []byte, name string) (ast.Node, error) {
	lists, faults, err := l.lists(content, name)
	if err != nil {
		return nil, err
	}
	for _, again := range lists[min(1, len(lists)):] {
		faults = append(faults, fmt.Errorf("%s:%d: %s are there already; leave one list out", name, line(again.at), l.what()))
	}
	if len(lists) == 0 {
		return nil, errors.Join(faults...)
	}
	return lists[0].items, errors.Join(faults...)
}

// what is in the file.
func (l listFile) what() string { return strings.TrimPrefix(l.flag, "--") }

// namedList is a list under its key, or alone under the first there may be.
type namedList struct {
	key   string
	at    ast.Node
	items ast.Node
}

// lists finds all that the file has, and faults of its keys.
func (l listFile) lists(content []byte, name string) (lists []namedList, faults []error, err error) {
	if err := settings.CheckFile(content, name); err != nil {
		return nil, nil, err
	}
	// What is no list is read as any file, or else refused as one.
	if tree, err := parser.ParseBytes(content, 0); err == nil && len(tree.Docs) == 1 && tree.Docs[0].Body != nil {
		if list, ok := tree.Docs[0].Body.(*ast.SequenceNode); ok {
			return []namedList{{l.keys[0], list, list}}, nil, nil
		}
	}
	body, err := parseYAML(content, name)
	if err != nil {
		return nil, nil, err
	}
	if len(body) == 0 {
		return nil, nil, fmt.Errorf("%s: the file is empty; write %s as %s has them", name, l.what(), l.guide)
	}
	for _, e := range body {
		key := keyOf(e)
		switch {
		case slices.Contains(l.keys, key):
			lists = append(lists, namedList{key, e.Key, e.Value})
		case l.other && slices.ContainsFunc(fileKeys, func(k fileKey) bool { return k.name == key }):
		case isQuestion(key):
			faults = append(faults, fmt.Errorf("%s:%d: %s", name, line(e.Key), notOfARun(key)))
		default:
			faults = append(faults, fmt.Errorf("%s:%d: unknown key %s%s; a file of %s has nothing else, other keys go to that of --config", name, line(e.Key), key, settings.Suggest(key, l.keys), l.flag))
		}
	}
	if len(lists) == 0 && len(faults) == 0 {
		return nil, nil, fmt.Errorf("%s: there is no key %s; write %s as %s has them", name, l.keys[0], l.what(), l.guide)
	}
	return lists, faults, nil
}

// list reads the list under a key of a configuration, unless a flag has given
// another; it tells whether it is taken.
func list[T any](f *file, key string, into *[]T, n ast.Node, where string, decode func(list ast.Node, file string) ([]T, error)) (taken bool) {
	if _, null := n.(*ast.NullNode); null {
		return false
	}
	items, err := decode(n, f.name)
	if err != nil {
		f.faults = append(f.faults, err)
		return false
	}
	if *into != nil {
		return false
	}
	*into, f.given[key] = items, where
	return true
}

// makes tells whether the run has an output.
func (r *request) makes(output string) bool { return !r.leavesOut(output) && r.lacks(output) == "" }

// lacks says what an output needs that the run has not, "" for nothing.
func (r *request) lacks(output string) string {
	if output == vault.Rows.Name && !r.MaskPolicy.Reversible() {
		return "reversible tokens; give a masking policy that names some by its key reversible"
	}
	if r.job.Lacks == nil {
		return ""
	}
	return r.job.Lacks(r.settings, output)
}
