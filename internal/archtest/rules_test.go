//go:build lint

package archtest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/google/go-cmp/cmp"
)

// TestEveryRuleBites runs golangci-lint, with the repository's own
// configuration, on a module that breaks each rule, and expects exactly the
// lines marked "// want". It is behind the tag lint because it needs the
// linter built; `make lint` runs it.
func TestEveryRuleBites(t *testing.T) {
	module := t.TempDir()
	if err := os.CopyFS(module, os.DirFS("testdata/arrows")); err != nil {
		t.Fatal(err)
	}
	config, err := os.ReadFile("../../.golangci.yml")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(module, ".golangci.yml"), config, 0o600); err != nil {
		t.Fatal(err)
	}

	want := wanted(t, module)
	if diff := cmp.Diff(want, reported(t, module)); diff != "" {
		t.Errorf("rules that bite (-want +got):\n%s", diff)
	}
	for _, rule := range ruleNames(t, config) {
		if !slices.ContainsFunc(want, func(line string) bool { return strings.HasSuffix(line, " "+rule) }) {
			t.Errorf("rule %s has no known-bad line in testdata/arrows", rule)
		}
	}
}

// wanted lists "file:line rule" for each rule named in a want comment, sorted.
func wanted(t *testing.T, module string) []string {
	t.Helper()
	var want []string
	err := filepath.WalkDir(module, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(path) != ".go" {
			return err
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		name, err := filepath.Rel(module, path)
		if err != nil {
			return err
		}
		for i, line := range strings.Split(string(content), "\n") {
			_, rules, _ := strings.Cut(line, "// want ")
			for _, rule := range strings.Fields(rules) {
				want = append(want, fmt.Sprintf("%s:%d %s", filepath.ToSlash(name), i+1, rule))
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(want)
	return want
}

// reported lists "file:line rule" for each issue that golangci-lint finds.
func reported(t *testing.T, module string) []string {
	t.Helper()
	report := filepath.Join(t.TempDir(), "report.json")
	cmd := exec.Command(linter(t), "run", "--enable-only=depguard,forbidigo", "--uniq-by-line=false",
		"--allow-parallel-runners", "--output.json.path="+report, "./...")
	cmd.Dir = module
	output, err := cmd.CombinedOutput()
	if exit := (*exec.ExitError)(nil); !errors.As(err, &exit) || exit.ExitCode() != 1 {
		t.Fatalf("golangci-lint ended with %v, want exit code 1 (issues found)\n%s", err, output)
	}

	content, err := os.ReadFile(report)
	if err != nil {
		t.Fatal(err)
	}
	var found struct {
		Issues []struct {
			FromLinter, Text string
			Pos              struct {
				Filename string
				Line     int
			}
		}
	}
	if err := json.Unmarshal(content, &found); err != nil {
		t.Fatal(err)
	}
	list := regexp.MustCompile(`is not allowed from list '([^']+)'`)
	var got []string
	for _, issue := range found.Issues {
		rule := issue.FromLinter
		if match := list.FindStringSubmatch(issue.Text); match != nil {
			rule = match[1]
		}
		got = append(got, fmt.Sprintf("%s:%d %s", filepath.ToSlash(issue.Pos.Filename), issue.Pos.Line, rule))
	}
	slices.Sort(got)
	return got
}

// linter is the path of the golangci-lint that tools.mod pins.
func linter(t *testing.T) string {
	t.Helper()
	cmd := exec.Command("go", "tool", "-modfile=tools.mod", "-n", "golangci-lint")
	cmd.Dir = filepath.Join("..", "..")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	output, err := cmd.Output()
	if err != nil {
		t.Fatalf("build golangci-lint: %v\n%s", err, stderr.Bytes())
	}
	return strings.TrimSpace(string(output))
}

// ruleNames lists the depguard rules of the configuration.
func ruleNames(t *testing.T, config []byte) []string {
	t.Helper()
	var parsed struct {
		Linters struct {
			Settings struct {
				Depguard struct {
					Rules map[string]any `yaml:"rules"`
				} `yaml:"depguard"`
			} `yaml:"settings"`
		} `yaml:"linters"`
	}
	if err := yaml.Unmarshal(config, &parsed); err != nil {
		t.Fatal(err)
	}
	var names []string
	for name := range parsed.Linters.Settings.Depguard.Rules {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
