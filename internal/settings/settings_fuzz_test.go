package settings_test

import (
	"strings"
	"testing"

	"github.com/goccy/go-yaml/parser"
	"github.com/google/go-cmp/cmp"

	"millrace/internal/mutate"
	"millrace/internal/settings"
)

// FuzzApply sets any value by any name: an error names the place, and what was set is
// described so that it can be set again.
func FuzzApply(tf *testing.F) {
	f := mutate.Of(tf)
	f.Add("sessions.gap=1h30m")
	f.Add("top_page=x")
	f.Fuzz(func(t *testing.T, flag string) {
		v, err := settings.Parse(flag)
		if err != nil {
			return
		}
		c := defaults()
		if err := settings.Apply(&c, []settings.Value{v}); err != nil {
			if !strings.HasPrefix(err.Error(), "--set: ") || cmp.Diff(defaults(), c) != "" {
				t.Fatalf("%q gives %v and %+v", flag, err, c)
			}
			return
		}
		for _, s := range settings.Describe(c) {
			again := defaults()
			if err := settings.Apply(&again, []settings.Value{{Name: s.Name, Text: s.Default}}); err != nil {
				t.Fatalf("%s is described as %q: %v", s.Name, s.Default, err)
			}
		}
	})
}

// FuzzFile gives the parser what the check of a file lets through: it must not
// panic.
func FuzzFile(tf *testing.F) {
	f := mutate.Of(tf)
	f.Add([]byte("job: weblogs\nsettings:\n  a: [1, {b: c}]\n"))
	f.Fuzz(func(t *testing.T, content []byte) {
		if err := settings.CheckFile(content, "f.yaml"); err != nil {
			if !strings.HasPrefix(err.Error(), "f.yaml:") {
				t.Fatal(err)
			}
			return
		}
		_, _ = parser.ParseBytes(content, 0)
	})
}
