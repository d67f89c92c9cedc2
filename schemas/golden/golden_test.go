// Package golden holds every version of every schema as it was when rows of it
// were first written, and the test that later ones can still read them.
package golden

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"millrace/internal/golden"
	"millrace/schemas/table"

	// Every package with row types; TestEveryRowTypeIsHere holds the list.
	_ "millrace/schemas/alert"
	_ "millrace/schemas/anomaly"
	_ "millrace/schemas/attack"
	_ "millrace/schemas/authlog"
	_ "millrace/schemas/badrow"
	_ "millrace/schemas/clickstream"
	_ "millrace/schemas/device"
	_ "millrace/schemas/funnel"
	_ "millrace/schemas/late"
	_ "millrace/schemas/raw"
	_ "millrace/schemas/refused"
	_ "millrace/schemas/vault"
	_ "millrace/schemas/weblog"
)

// TestNewSchemasCanReadOldRows compares each schema with its golden file. With
// -update it writes the changes that old rows survive and refuses the others.
func TestNewSchemasCanReadOldRows(t *testing.T) {
	for _, s := range table.All() {
		if err := settle(".", s, golden.Updating()); err != nil {
			t.Error(err)
		}
	}
}

func TestEveryGoldenFileIsOfASchema(t *testing.T) {
	versions := map[string]int{}
	for _, s := range table.All() {
		versions[s.Name] = max(versions[s.Name], s.Version)
	}
	files, err := filepath.Glob("*.json")
	if err != nil || len(files) == 0 {
		t.Fatal("no golden files", err)
	}
	for _, file := range files {
		name, version, ok := parseName(file)
		switch current, known := versions[name]; {
		case !ok:
			t.Errorf("%s is not named NAME-vVERSION.json", file)
		case !known:
			t.Errorf("%s: there is no schema %s; readers of old lakes still need it", file, name)
		case version > current:
			t.Errorf("%s: schema %s went back to version %d", file, name, current)
		}
	}
}

func TestIncompatibleChangesNeedANewVersion(t *testing.T) {
	type first struct {
		At   table.Millis `col:"at,sort1,day" doc:"d"`
		Name string       `col:"name" mask:"token" doc:"d"`
	}
	type added struct {
		At   table.Millis `col:"at,sort1,day" doc:"other words"`
		Name string       `col:"name" mask:"token" ecs:"user.name" doc:"d"`
		New  *int64       `col:"new,null" doc:"d"`
	}
	type broken struct {
		At   table.Millis `col:"at,sort1,day" doc:"d"`
		Name string       `col:"name" mask:"plain" doc:"d"`
	}
	dir := t.TempDir()
	expect := func(s *table.Schema, updating bool, want string) {
		t.Helper()
		before := contents(t, dir)
		err := settle(dir, s, updating)
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("want %q, got %v", want, err)
		}
		if diff := cmp.Diff(before, contents(t, dir)); diff != "" && (want != "" || !updating) {
			t.Errorf("golden files were touched (-before +after):\n%s", diff)
		}
	}
	expect(of[first](t, 1), false, "no golden file")
	expect(of[first](t, 1), true, "")
	expect(of[first](t, 1), false, "")
	expect(of[added](t, 1), false, "differs from its golden file")
	expect(of[added](t, 1), true, "")
	expect(of[added](t, 1), false, "")
	expect(of[first](t, 1), true, "column new was removed")
	expect(of[broken](t, 1), true, "changed its mask class")
	expect(of[broken](t, 1), false, "needs version 2")
	expect(of[broken](t, 2), true, "")
	expect(of[broken](t, 2), false, "")
	if len(contents(t, dir)) != 2 {
		t.Errorf("a new version replaced the old one: %v", contents(t, dir))
	}
}

func of[T any](t *testing.T, version int) *table.Schema {
	t.Helper()
	s, err := table.Of(reflect.TypeFor[T](), "test.golden", version)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func contents(t *testing.T, dir string) map[string]string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		all[filepath.Base(file)] = string(b)
	}
	return all
}

// settle compares a schema with the golden file of its version in dir; updating,
// it writes a change that is compatible.
func settle(dir string, s *table.Schema, updating bool) error {
	path, now := filepath.Join(dir, fileName(s.Name, s.Version)), write(s)
	stored, err := os.ReadFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist) && updating:
		return golden.Write(path, now)
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("schema %s has no golden file; `make golden` writes it", s.ID())
	case err != nil:
		return err
	}
	old, err := read(stored)
	if err != nil {
		return fmt.Errorf("reading %s: %w", path, err)
	}
	if err := table.Compatible(old, s); err != nil {
		return err
	}
	if updating {
		return golden.Write(path, now)
	}
	if diff := cmp.Diff(strings.Split(string(stored), "\n"), strings.Split(string(now), "\n")); diff != "" {
		return fmt.Errorf("schema %s differs from its golden file, compatibly; `make golden` accepts it (-golden +schema):\n%s", s.ID(), diff)
	}
	return nil
}

// form is a schema as its golden file has it: everything but the words for
// people.
type form struct {
	Name    string   `json:"name"`
	Version int      `json:"version"`
	Order   []string `json:"order"`
	Day     string   `json:"day"`
	Columns []column `json:"columns"`
}

type column struct {
	Name string          `json:"name"`
	Type string          `json:"type"`
	Null bool            `json:"null,omitempty"`
	Mask table.MaskClass `json:"mask,omitempty"`
	ECS  string          `json:"ecs,omitempty"`
}

func write(s *table.Schema) []byte {
	f := form{Name: s.Name, Version: s.Version, Day: s.Columns[s.DayBy].Name}
	for _, col := range s.Order {
		f.Order = append(f.Order, s.Columns[col].Name)
	}
	for _, c := range s.Columns {
		f.Columns = append(f.Columns, column{c.Name, c.Type, c.Null, c.Mask, c.ECS})
	}
	b, err := json.MarshalIndent(f, "", "  ")
	if err != nil {
		panic(err) // strings and numbers always encode
	}
	return append(b, '\n')
}

func read(data []byte) (*table.Schema, error) {
	var f form
	if err := json.Unmarshal(data, &f); err != nil {
		return nil, err
	}
	s := &table.Schema{Name: f.Name, Version: f.Version}
	for _, c := range f.Columns {
		s.Columns = append(s.Columns, table.Column{Name: c.Name, Type: c.Type, Null: c.Null, Mask: c.Mask, ECS: c.ECS})
	}
	for _, name := range append(f.Order, f.Day) {
		i, ok := s.Index(name)
		if !ok {
			return nil, fmt.Errorf("column %s decides order or day and is not there", name)
		}
		s.Order = append(s.Order, i)
	}
	s.DayBy, s.Order = s.Order[len(f.Order)], s.Order[:len(f.Order)]
	return s, nil
}

func fileName(name string, version int) string { return fmt.Sprintf("%s-v%d.json", name, version) }

var namePattern = regexp.MustCompile(`^([a-z0-9_.]+)-v([1-9][0-9]*)\.json$`)

func parseName(file string) (name string, version int, ok bool) {
	m := namePattern.FindStringSubmatch(filepath.Base(file))
	if m == nil {
		return "", 0, false
	}
	version, err := strconv.Atoi(m[2])
	return m[1], version, err == nil
}
