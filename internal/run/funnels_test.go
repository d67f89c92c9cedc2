package run

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"millrace/jobs/weblogs"
	"millrace/transforms/funnels"
)

const funnelsYAML = `funnels:
  - name: purchase
    steps:
      - {name: home, where: path == "/"}
      - {name: cart, where: path.startsWith("/cart")}
    within: 7d
    exclude:
      - {where: path == "/logout", between: [home, cart]}
    breakdown: {field: host, attribution: last}
`

func someFunnels(t *testing.T) []funnels.Definition {
	t.Helper()
	defs, err := ReadFunnels([]byte(funnelsYAML), "f.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return defs
}

func TestFunnelsAreReadFromEitherFile(t *testing.T) {
	want := []funnels.Definition{{
		Name: "purchase", Within: 7 * 24 * time.Hour, Steps: []funnels.Step{{Name: "home", Where: `path == "/"`}, {Name: "cart", Where: `path.startsWith("/cart")`}},
		Exclude:   []funnels.Exclusion{{Where: `path == "/logout"`, Between: [2]string{"home", "cart"}}},
		Breakdown: &funnels.Breakdown{Field: "host", Attribution: "last"},
	}}
	if diff := cmp.Diff(want, withoutPlaces(someFunnels(t))); diff != "" {
		t.Errorf("under its key (-want +got):\n%s", diff)
	}
	list := strings.TrimPrefix(funnelsYAML, "funnels:\n")
	defs, err := ReadFunnels([]byte(list), "f.yaml")
	if err != nil || len(defs) != 1 || defs[0].At != "f.yaml:1" {
		t.Errorf("a list alone: %v, %+v", err, defs)
	}
	o, err := Merge(liveOptions(), []byte("raw: plain\n"+funnelsYAML), "jobs.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, withoutPlaces(o.Funnels)); diff != "" {
		t.Errorf("in a configuration (-want +got):\n%s", diff)
	}
	with := liveOptions()
	with.Funnels = []funnels.Definition{{Name: "of the flag"}}
	if o, err = Merge(with, []byte(funnelsYAML), "jobs.yaml"); err != nil || o.Funnels[0].Name != "of the flag" {
		t.Errorf("the flag does not win: %v, %+v", err, o.Funnels)
	}
}

func TestFaultsOfFunnelsNameTheirLine(t *testing.T) {
	for content, want := range map[string]string{
		strings.Replace(funnelsYAML, "within", "wihtin", 1): "f.yaml:6: a funnel: unknown key wihtin, did you mean within",
		"funnel:\n  - name: x\n":                            "f.yaml:1: unknown key funnel, did you mean funnels",
		"":                                                  "f.yaml: the file is empty",
		"funnels: 3\n":                                      "f.yaml:1: funnels is no list",
		"[":                                                 "f.yaml:1",
	} {
		if _, err := ReadFunnels([]byte(content), "f.yaml"); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: want %q, got %v", content, want, err)
		}
	}
	o := liveOptions()
	o.Funnels = someFunnels(t)
	o.Funnels[0].Steps[1].Where = `pth == "/"`
	if _, err := check(o); err == nil || !strings.Contains(err.Error(), "f.yaml:5") || !strings.Contains(err.Error(), "did you mean path") {
		t.Errorf("a column that is not there: %v", err)
	}
	o = liveOptions()
	o.Outputs.Add("funnel_steps", "kinesis://steps")
	if _, err := check(o); err == nil || !strings.Contains(err.Error(), "no output funnel_steps") {
		t.Errorf("an output of funnels without any: %v", err)
	}
}

func TestTheShippedFunnelsAreValid(t *testing.T) {
	o := liveOptions()
	var err error
	if o.Funnels, err = ReadFunnels([]byte(weblogs.FunnelsExample), "funnels.yaml"); err != nil || len(o.Funnels) < 2 {
		t.Fatalf("%d funnels, %v", len(o.Funnels), err)
	}
	if _, err := check(o); err != nil {
		t.Error(err)
	}
}

// TestFunnelsAreAmongTheSettingsOfARun and travel with a submission, so that a run
// that is resumed is the same.
func TestFunnelsAreAmongTheSettingsOfARun(t *testing.T) {
	describe := func(defs []funnels.Definition) string {
		o := liveOptions()
		o.Funnels = defs
		r, err := check(o)
		if err != nil {
			t.Fatal(err)
		}
		if n := len(*r.job.Funnels(r.settings)); n != len(defs) {
			t.Fatalf("the job has %d funnels, want %d", n, len(defs))
		}
		settings := map[string]string{}
		if err := r.describeLists(settings); err != nil {
			t.Fatal(err)
		}
		return settings[funnelsKey]
	}
	one := describe(someFunnels(t))
	b, err := json.Marshal(Submission{Options: Options{Funnels: someFunnels(t)}})
	if err != nil {
		t.Fatal(err)
	}
	var s Submission
	if err := json.Unmarshal(b, &s); err != nil {
		t.Fatal(err)
	}
	elsewhere, err := ReadFunnels([]byte("\n\n"+funnelsYAML), "other.yaml")
	if err != nil {
		t.Fatal(err)
	}
	other := someFunnels(t)
	other[0].Within = time.Hour
	if describe(nil) != "" || one == "" || describe(s.Options.Funnels) != one || describe(elsewhere) != one || describe(other) == one {
		t.Errorf("without funnels %q, with %q, resumed %q, from another place %q, others %q", describe(nil), one, describe(s.Options.Funnels), describe(elsewhere), describe(other))
	}
}
