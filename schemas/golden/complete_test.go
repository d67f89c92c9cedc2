package golden

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"millrace/schemas/table"
)

// root is the module's folder.
const root = "../.."

// TestEveryRowTypeIsHere finds, in the sources of the whole module, the packages
// that make schemas, so that none is left out of the tests in this package. Row
// types live in schemas alone.
func TestEveryRowTypeIsHere(t *testing.T) {
	imported := importsOf(t, "golden_test.go")
	calls, made := makers(t), 0
	for _, pkg := range slices.Sorted(maps.Keys(calls)) {
		if !strings.HasPrefix(pkg, "millrace/schemas/") {
			t.Errorf("%s makes a schema; row types live in schemas", pkg)
		} else if !imported[pkg] {
			t.Errorf("%s makes a schema and is not imported in golden_test.go", pkg)
		}
		made += calls[pkg]
	}
	if made == 0 || made != len(table.All()) {
		t.Errorf("the sources make %d schemas, table.All lists %d", made, len(table.All()))
	}
}

// TestEveryTextColumnDeclaresItsMaskClass looks once more at what table.Of
// promises, and that every column explains itself.
func TestEveryTextColumnDeclaresItsMaskClass(t *testing.T) {
	for _, s := range table.All() {
		for i, c := range s.Columns {
			text := c.Kind == table.String || c.Kind == table.Bytes
			if text != (c.Mask != "") {
				t.Errorf("column %s of %s is a %s with mask class %q", c.Name, s.ID(), c.Kind, c.Mask)
			}
			if tag := s.RowType().Field(i).Tag.Get("mask"); tag != string(c.Mask) {
				t.Errorf("column %s of %s: the field says %q, the schema %q", c.Name, s.ID(), tag, c.Mask)
			}
			if c.Mask == table.MaskPlain {
				t.Errorf("column %s of %s holds text as it came; only an explicit request may do that", c.Name, s.ID())
			}
			if len(c.Doc) < 4 || strings.HasSuffix(c.Doc, ".") {
				t.Errorf("column %s of %s explains itself as %q", c.Name, s.ID(), c.Doc)
			}
		}
	}
}

// makers counts the calls of table.MustOf by package.
func makers(t *testing.T) map[string]int {
	t.Helper()
	calls := map[string]int{}
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if name := entry.Name(); entry.IsDir() && path != root && (name == "testdata" || strings.HasPrefix(name, ".") || name == "node_modules" || name == "out") {
			return filepath.SkipDir
		}
		if entry.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		dir, err := filepath.Rel(root, filepath.Dir(path))
		if err != nil {
			return err
		}
		if filepath.ToSlash(dir) == "io/iotest" {
			return nil // the rows that sinks are tested with; no job writes them
		}
		if n := mustOfCalls(file); n > 0 {
			calls["millrace/"+filepath.ToSlash(dir)] += n
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return calls
}

func mustOfCalls(file *ast.File) (n int) {
	ast.Inspect(file, func(node ast.Node) bool {
		if selector, ok := node.(*ast.SelectorExpr); ok && selector.Sel.Name == "MustOf" {
			if pkg, ok := selector.X.(*ast.Ident); ok && pkg.Name == "table" {
				n++
			}
		}
		return true
	})
	return n
}

func importsOf(t *testing.T, path string) map[string]bool {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
	if err != nil {
		t.Fatal(err)
	}
	imports := map[string]bool{}
	for _, spec := range file.Imports {
		name, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			t.Fatal(err)
		}
		imports[name] = true
	}
	return imports
}
