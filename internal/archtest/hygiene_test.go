package archtest

import (
	"go/ast"
	"go/token"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// The patterns are put together from pieces so that this file passes itself.
var unwanted = []struct {
	what    string
	pattern *regexp.Regexp
}{
	{"a path of one machine", regexp.MustCompile(`(^|[\s"'` + "`" + `=(])/` + `(work|root)/\w`)},
	{"the host of a package registry", regexp.MustCompile(`proxy\.golang` + `\.org|sum\.golang` + `\.org|pypi` + `\.org|files\.python` + `hosted|registry\.npm` + `js|repo1?\.maven` + `|deb\.debian` + `\.org|static\.crates` + `\.io`)},
	{"work left undone", regexp.MustCompile(`\b(TO` + `DO|FIX` + `ME)\b`)},
}

func TestSourcesSpeakOfTheRepositoryAlone(t *testing.T) {
	for _, file := range files(t, ".go", ".md", ".sh", ".py", ".yml", ".yaml", ".html", ".css", ".js", ".txt", "Makefile", "run") {
		for i, line := range strings.Split(read(t, file), "\n") {
			for _, u := range unwanted {
				if found := u.pattern.FindString(line); found != "" {
					t.Errorf("%s:%d holds %s: %q", file, i+1, u.what, strings.TrimSpace(found))
				}
			}
		}
	}
}

func TestEveryPackageSaysWhatItIs(t *testing.T) {
	documented := map[string]bool{}
	for _, file := range goFiles(t) {
		if strings.HasSuffix(file.Name, "_test.go") {
			continue
		}
		dir := path.Dir(file.Name)
		documented[dir] = documented[dir] || strings.TrimSpace(file.Doc.Text()) != ""
	}
	for dir, ok := range documented {
		if !ok {
			t.Errorf("%s has no package comment", dir)
		}
	}
}

func TestEveryFuzzTargetHasACorpus(t *testing.T) {
	for _, file := range goFiles(t) {
		if !strings.HasSuffix(file.Name, "_test.go") {
			continue
		}
		for _, decl := range file.Decls {
			target, ok := decl.(*ast.FuncDecl)
			if !ok || target.Recv != nil || !strings.HasPrefix(target.Name.Name, "Fuzz") {
				continue
			}
			corpus := path.Join(path.Dir(file.Name), "testdata", "fuzz", target.Name.Name)
			if entries, err := os.ReadDir(filepath.Join(root, corpus)); err != nil || len(entries) == 0 {
				t.Errorf("%s: %s has no corpus in %s", file.Name, target.Name.Name, corpus)
			}
			if dir := path.Dir(file.Name); dir != "internal/mutate" && !begins(target, "mutate", "Of") {
				t.Errorf("%s: %s does not begin with f := mutate.Of(tf), and so make mutate leaves it out", file.Name, target.Name.Name)
			}
		}
	}
}

func TestErrorsSayWhatWasBeingDone(t *testing.T) {
	for _, file := range goFiles(t) {
		ast.Inspect(file.File, func(node ast.Node) bool {
			call, ok := node.(*ast.CallExpr)
			if !ok || len(call.Args) == 0 || !isErrorConstructor(call.Fun) {
				return true
			}
			literal, ok := call.Args[0].(*ast.BasicLit)
			if !ok || literal.Kind != token.STRING {
				return true
			}
			text, err := strconv.Unquote(literal.Value)
			if err != nil {
				t.Errorf("%s: %v", file.Set.Position(literal.Pos()), err)
			}
			for _, empty := range []string{"failed to", "could not", "unable to", "error "} {
				if strings.HasPrefix(strings.ToLower(text), empty) {
					t.Errorf("%s: error %q: an error is known to be one; say doing what to which", file.Set.Position(literal.Pos()), text)
				}
			}
			return true
		})
	}
}

func isErrorConstructor(fun ast.Expr) bool {
	return isFunc(fun, "fmt", "Errorf") || isFunc(fun, "errors", "New")
}

func isFunc(fun ast.Expr, pkg, name string) bool {
	selector, ok := fun.(*ast.SelectorExpr)
	if !ok {
		return false
	}
	from, ok := selector.X.(*ast.Ident)
	return ok && from.Name == pkg && selector.Sel.Name == name
}

// begins tells whether the first statement of a function assigns what another gives.
func begins(f *ast.FuncDecl, pkg, name string) bool {
	if len(f.Body.List) == 0 {
		return false
	}
	first, ok := f.Body.List[0].(*ast.AssignStmt)
	if !ok || len(first.Rhs) != 1 {
		return false
	}
	call, ok := first.Rhs[0].(*ast.CallExpr)
	return ok && isFunc(call.Fun, pkg, name)
}

var link = regexp.MustCompile(`\]\(([^)\s]+)\)`)

func TestLinksBetweenDocumentsLeadSomewhere(t *testing.T) {
	for _, file := range files(t, ".md") {
		for _, match := range link.FindAllStringSubmatch(read(t, file), -1) {
			target, _, _ := strings.Cut(match[1], "#")
			if target == "" || strings.Contains(target, "://") || strings.HasPrefix(target, "mailto:") {
				continue
			}
			if _, err := os.Stat(filepath.Join(root, path.Dir(file), target)); err != nil {
				t.Errorf("%s links to %s, which is not there", file, match[1])
			}
		}
	}
}
