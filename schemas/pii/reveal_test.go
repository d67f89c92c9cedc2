package pii_test

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const piiPath = "millrace/schemas/pii"

// mayReveal are the folders whose work is to look at unmasked data: the four
// ideas, and the worker that puts them together for a line of an access log.
var mayReveal = []string{"transforms/decode", "transforms/mask", "transforms/enrich", "transforms/security", "transforms/accesslog", "transforms/authlog", "transforms/clickevents", "transforms/device"}

// TestOnlyTheNamedPackagesReveal reads every source file of the module.
func TestOnlyTheNamedPackagesReveal(t *testing.T) {
	root := moduleRoot(t)
	files := 0
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			if errors.Is(err, fs.ErrNotExist) {
				return nil // removed while walking
			}
			return err
		}
		rel, _ := filepath.Rel(root, path)
		rel = filepath.ToSlash(rel)
		if d.IsDir() {
			if n := d.Name(); path != root && (n == "testdata" || n == "vendor" || strings.HasPrefix(n, ".") || strings.HasPrefix(n, "_")) {
				return fs.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(rel, ".go") || strings.HasSuffix(rel, "_test.go") || slices.Contains(mayReveal, filepath.ToSlash(filepath.Dir(rel))) {
			return nil
		}
		files++
		src, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for _, use := range revealUses(t, rel, src) {
			t.Errorf("%s reveals personal data; only %s may", use, strings.Join(mayReveal, ", "))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if files < 3 {
		t.Fatalf("read only %d files below %s", files, root)
	}
}

func TestTheRevealCheckBites(t *testing.T) {
	for name, src := range map[string]string{
		"a call":              `import "millrace/schemas/pii"; func f(t pii.Text) []byte { return pii.Reveal(t) }`,
		"another import name": `import x "millrace/schemas/pii"; var _ = x.Reveal`,
		"a dot import":        `import . "millrace/schemas/pii"; func f(t Text) []byte { return Reveal(t) }`,
	} {
		if uses := revealUses(t, "planted.go", []byte("package p; "+src)); len(uses) == 0 {
			t.Errorf("%s goes unnoticed", name)
		}
	}
	for name, src := range map[string]string{
		"other functions":    `import "millrace/schemas/pii"; var _ = pii.Of`,
		"another package":    `import "example.com/pii"; var _ = pii.Reveal`,
		"a method elsewhere": `type s struct{}; func (s) Reveal() {}; var _ = s.Reveal`,
	} {
		if uses := revealUses(t, "planted.go", []byte("package p; "+src)); len(uses) != 0 {
			t.Errorf("%s is reported: %v", name, uses)
		}
	}
}

// revealUses returns the positions where src mentions pii.Reveal under any
// import name. A dot import counts as a use: it hides what is called.
func revealUses(t *testing.T, name string, src []byte) (uses []string) {
	t.Helper()
	set := token.NewFileSet()
	file, err := parser.ParseFile(set, name, src, parser.SkipObjectResolution)
	if err != nil {
		t.Logf("%s does not parse (the compiler will say): %v", name, err)
	}
	if file == nil {
		return nil
	}
	at := func(p token.Pos) string { q := set.Position(p); return fmt.Sprintf("%s:%d", name, q.Line) }
	local := ""
	for _, spec := range file.Imports {
		if path, _ := strconv.Unquote(spec.Path.Value); path != piiPath {
			continue
		}
		local = "pii"
		if spec.Name != nil {
			local = spec.Name.Name
		}
		if local == "." {
			uses = append(uses, at(spec.Pos()))
		}
	}
	if local == "" {
		return nil
	}
	ast.Inspect(file, func(n ast.Node) bool {
		if sel, ok := n.(*ast.SelectorExpr); ok && sel.Sel.Name == "Reveal" {
			if x, ok := sel.X.(*ast.Ident); ok && x.Name == local {
				uses = append(uses, at(sel.Pos()))
			}
		}
		return true
	})
	return uses
}

func moduleRoot(t *testing.T) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			t.Fatal("no go.mod above this package")
		}
		dir = parent
	}
}
