package reference

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"millrace/internal/golden"
	"millrace/internal/settings"
	"millrace/io/driver"
	"millrace/schemas/table"
)

type row struct {
	At   table.Millis `col:"at,sort1,day" ecs:"@timestamp" doc:"when it happened"`
	Name *string      `col:"name,null" mask:"token" doc:"a|b, as logged"`
	N    int32        `col:"n,sort2" doc:"how many"`
}

// data is a small catalogue with everything a page shows.
func data(t *testing.T) Data {
	t.Helper()
	s, err := table.Of(reflect.TypeFor[row](), "test.rows", 2)
	if err != nil {
		t.Fatal(err)
	}
	return Data{
		Jobs: []Job{{
			Name: "lights", Doc: "lamps to light",
			Outputs: []Output{{"lit", "every lamp that is lit", s}, {"dark", "the others", s}},
			Settings: []settings.Setting{
				{Name: "lamp.count", Type: "integer", Default: "4", Doc: "lamps"},
				{Name: "file", Type: "text", Doc: "list of lamps"},
			},
		}},
		Endpoints: []Endpoint{
			{Scheme: "pipe", Doc: "a pipe", Example: "pipe://name"},
			{Scheme: "shelf", Doc: "a shelf of books", Example: "shelf://top?page=3", Parameters: []driver.Parameter{
				{Name: "page", Type: "integer", Default: "1", Source: true, Doc: "where to begin"},
				{Name: "room", Type: "text", Source: true, Sink: true, Doc: "where it stands"},
			}},
		},
		Commands: []Command{{"millrace", "Do things\n\nUsage:\n  millrace [command]\n"}, {"millrace run", "Run\n"}},
	}
}

func TestPagesShowEverythingOfTheCatalogues(t *testing.T) {
	for name, content := range Pages(data(t)) {
		golden.Equal(t, filepath.Join("testdata", name), content)
	}
}

func TestThePagesAreTheSameEveryTime(t *testing.T) {
	first := Pages(data(t))
	for range 5 {
		if diff := cmp.Diff(first, Pages(data(t))); diff != "" {
			t.Fatal(diff)
		}
	}
}

func TestEveryTypeOfColumnIsExplained(t *testing.T) {
	var explained []string
	for _, kind := range types {
		explained = append(explained, kind.name)
	}
	var kinds []string
	for k := table.String; !strings.HasPrefix(k.String(), "kind("); k++ {
		kinds = append(kinds, k.String())
	}
	if diff := cmp.Diff(kinds, explained); diff != "" {
		t.Errorf("types (-table +explained):\n%s", diff)
	}
}

func TestAStaleReferenceIsReportedFileByFile(t *testing.T) {
	dir, pages := t.TempDir(), map[string][]byte{"a.md": []byte("1\n2\n3\n"), "b.md": []byte("b\n"), "c.md": []byte("c\n")}
	if err := Write(filepath.Join(dir, "new"), pages); err != nil {
		t.Fatal(err)
	}
	dir = filepath.Join(dir, "new")
	if err := Check(dir, pages); err != nil {
		t.Fatalf("just written: %v", err)
	}
	put(t, filepath.Join(dir, "a.md"), "1\n2\n4\n")
	put(t, filepath.Join(dir, "old.md"), "")
	if err := os.Remove(filepath.Join(dir, "b.md")); err != nil {
		t.Fatal(err)
	}
	err := Check(dir, pages)
	if err == nil {
		t.Fatal("a stale reference passed")
	}
	for _, want := range []string{"a.md:3 is not", "b.md is missing", "old.md is no page"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is missing in: %v", want, err)
		}
	}
	if strings.Contains(err.Error(), "c.md") {
		t.Errorf("c.md is as it should be: %v", err)
	}
	if err := Write(dir, pages); err != nil {
		t.Fatal(err)
	}
	if err := Check(dir, pages); err != nil {
		t.Errorf("written anew: %v", err)
	}
}

func put(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestEveryVerbIsAskedForItsHelp(t *testing.T) {
	texts := map[string]string{
		"":          "Do\n\nAvailable Commands:\n  jobs        List\n  help        Help about any command\n  run         Run\n\nFlags:\n  -h   x\n",
		"jobs":      "List\n\nAvailable Commands:\n  show        Show\n\nUse more\n",
		"jobs show": "Show\n\nFlags:\n  -h\n",
		"run":       "Run\n",
	}
	var asked []string
	got, err := Commands("m", func(args ...string) (string, error) {
		asked = append(asked, strings.Join(args, " "))
		return texts[asked[len(asked)-1]], nil
	})
	if err != nil {
		t.Fatal(err)
	}
	want := []Command{{"m", texts[""]}, {"m jobs", texts["jobs"]}, {"m jobs show", texts["jobs show"]}, {"m run", texts["run"]}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("commands (-want +got):\n%s", diff)
	}
	if !slices.Equal(asked, []string{"", "jobs", "jobs show", "run"}) {
		t.Errorf("asked for %q", asked)
	}
	broken := errors.New("broken")
	if _, err := Commands("m", func(args ...string) (string, error) {
		if len(args) == 2 {
			return "", broken
		}
		return texts[strings.Join(args, " ")], nil
	}); !errors.Is(err, broken) || !strings.Contains(err.Error(), "m jobs show") {
		t.Errorf("a verb without help: %v", err)
	}
}
