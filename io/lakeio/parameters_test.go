package lakeio

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"millrace/io/driver"
)

// TestTheDocumentedParametersAreTheOnesRead gives each kind of place a parameter
// that it cannot know: the refusal lists those it does.
func TestTheDocumentedParametersAreTheOnesRead(t *testing.T) {
	source := func(place string) error { _, err := OpenSource(t.Context(), place, nil); return err }
	lake := func(place string) error { _, err := OpenStore(t.Context(), place); return err }
	for _, c := range []struct {
		place string
		open  func(string) error
		role  func(driver.Parameter) bool
	}{
		{"file:///x", source, func(p driver.Parameter) bool { return p.Source }},
		{"file:///x", lake, func(p driver.Parameter) bool { return p.Sink }},
		{"s3://bucket/x", source, func(p driver.Parameter) bool { return p.Source }},
		{"s3://bucket/x", lake, func(p driver.Parameter) bool { return p.Sink }},
	} {
		err := c.open(c.place + "?zzzzzz=1")
		if err == nil {
			t.Fatalf("%s took an unknown parameter", c.place)
		}
		var known []string
		if m := regexp.MustCompile(`\(known: (.*)\)`).FindStringSubmatch(err.Error()); m != nil {
			known = strings.Split(m[1], ", ")
		}
		scheme, _, _ := strings.Cut(c.place, "://")
		var documented []string
		for _, p := range Parameters(scheme) {
			if p.Doc == "" || p.Type == "" || !p.Source && !p.Sink {
				t.Errorf("parameter %s of %s is not explained: %+v", p.Name, scheme, p)
			}
			if c.role(p) {
				documented = append(documented, p.Name)
			}
		}
		slices.Sort(documented)
		if diff := cmp.Diff(known, documented); diff != "" {
			t.Errorf("parameters of %s (-read +documented):\n%s", c.place, diff)
		}
	}
}
