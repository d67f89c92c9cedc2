package run

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"millrace/jobs"
)

func TestASinkIsNamedByItsOutputAndWhereThereAreSeveralByItsKind(t *testing.T) {
	r := request{Options: Options{Outputs: Outputs{
		"events":  {"opensearch+https://h/i"},
		"traffic": {"kinesis://a", "opensearch://h/i", "kinesis://b"},
	}}}
	r.job, _ = jobs.Find("weblogs")
	got := [][3]string{}
	for _, s := range r.sinks() {
		got = append(got, [3]string{s.Name, s.Output.Name, s.URL})
	}
	want := [][3]string{
		{"events", "events", "opensearch+https://h/i"},
		{"traffic-kinesis", "traffic", "kinesis://a"},
		{"traffic-opensearch", "traffic", "opensearch://h/i"},
		{"traffic-kinesis-2", "traffic", "kinesis://b"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("sinks (-want +got):\n%s", diff)
	}
}

func TestOutputsAreReadInBothOfTheirForms(t *testing.T) {
	for text, want := range map[string]Outputs{
		`null`: nil, `{}`: nil,
		`{"a":"x://y"}`:                       {"a": {"x://y"}},
		`{"a":["x://y","z://w"],"b":"v://u"}`: {"a": {"x://y", "z://w"}, "b": {"v://u"}},
	} {
		var got Outputs
		if err := json.Unmarshal([]byte(text), &got); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", text, diff)
		}
	}
	for _, bad := range []string{`[]`, `{"a":5}`, `{"a":[5]}`} {
		if err := json.Unmarshal([]byte(bad), new(Outputs)); err == nil {
			t.Errorf("%s is read", bad)
		}
	}
}

func TestAFileNamesOneSinkOfAnOutputOrSeveral(t *testing.T) {
	text := "job: weblogs\noutputs:\n  events: opensearch://h/i\n  traffic:\n    - kinesis://a\n    - kinesis://b\n"
	o, err := Merge(Options{Outputs: Outputs{"events": {"kinesis://flag"}}}, []byte(text), "job.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(Outputs{"events": {"kinesis://flag"}, "traffic": {"kinesis://a", "kinesis://b"}}, o.Outputs); diff != "" {
		t.Errorf("outputs (-want +got):\n%s", diff)
	}
	for text, want := range map[string]string{
		"outputs:\n  traffic:\n    - [a]\n":          "job.yaml:3: traffic is a list, and should be a single value",
		"settings:\n  top_pages: [1, 2]\n":           "job.yaml:2: top_pages is a list, and should be a single value",
		"outputs:\n  traffic:\n    b: kinesis://a\n": "job.yaml:2: traffic is a mapping",
	} {
		if _, err := Merge(Options{}, []byte(text), "job.yaml"); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
	_, err = check(Options{Job: "weblogs", Source: "x", Lake: "y", Outputs: Outputs{"traffic": {"kinesis://a", "kinesis://a"}}})
	if err == nil || !strings.Contains(err.Error(), "it is there twice") {
		t.Errorf("a sink that is named twice: %v", err)
	}
}
