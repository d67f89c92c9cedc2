package run

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"millrace/transforms/funnels"
)

const (
	questionsYAML = `sequences:
  - {name: back, conditions: [{name: home, where: path == "/"}], pattern: (?1)(?1)}
window_funnels:
  - name: buy
    steps: [{name: home, where: path == "/"}]
    within: 1h
` + retentionYAML
	retentionYAML = `retention:
  - {name: seen, conditions: [{name: home, where: path == "/"}]}
`
)

func TestQuestionsStandBesideFunnels(t *testing.T) {
	for name, c := range map[string]struct {
		content string
		funnels int
		want    string
	}{
		"all":            {funnelsYAML + questionsYAML, 1, "buy seen back"},
		"questions":      {questionsYAML, 0, "buy seen back"},
		"funnels":        {funnelsYAML, 1, ""},
		"a list alone":   {strings.TrimPrefix(funnelsYAML, "funnels:\n"), 1, ""},
		"retention only": {retentionYAML, 0, "seen"},
	} {
		defs, questions, err := ReadQuestions([]byte(c.content), "f.yaml")
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		var names []string
		for _, q := range questions {
			names = append(names, q.Name)
		}
		if got := strings.Join(names, " "); len(defs) != c.funnels || got != c.want {
			t.Errorf("%s: %d funnels, questions %s", name, len(defs), got)
		}
	}
	for content, want := range map[string]string{
		strings.Replace(questionsYAML, "retention:", "retentions:", 1):      "f.yaml:7: unknown key retentions, did you mean retention",
		strings.Replace(questionsYAML, "pattern", "patern", 1):              "f.yaml:2: a sequence: unknown key patern, did you mean pattern",
		strings.Replace(questionsYAML, "within: 1h", "within: 1x", 1):       `f.yaml:6: within: "1x" is not a duration`,
		strings.Replace(funnelsYAML+questionsYAML, "between", "betwixt", 1): "f.yaml:8: an exclusion: unknown key betwixt (there are between, where)",
		"":                                "f.yaml: the file is empty",
		"sequences: 3\n":                  "f.yaml:1: sequences is no list",
		"job: weblogs\n":                  "f.yaml:1: unknown key job",
		questionsYAML + "retention: []\n": "f.yaml:9",
	} {
		_, _, err := ReadQuestions([]byte(content), "f.yaml")
		if u := new(UsageError); !errors.As(err, &u) || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: want %q, got %v", content, want, err)
		}
	}
}

// TestARunSaysWhoseQuestionsAre rather than to leave them out.
func TestARunSaysWhoseQuestionsAre(t *testing.T) {
	want := []string{"f.yaml:1: key sequences is asked of a lake", "f.yaml:3: key window_funnels is", "f.yaml:7: key retention is", "millrace funnels --lake LAKE --funnels FILE"}
	for name, read := range map[string]func() error{
		"--funnels": func() error { _, err := ReadFunnels([]byte(questionsYAML+funnelsYAML), "f.yaml"); return err },
		"--config":  func() error { _, err := Merge(liveOptions(), []byte(questionsYAML+funnelsYAML), "f.yaml"); return err },
	} {
		err := read()
		if u := new(UsageError); !errors.As(err, &u) {
			t.Errorf("%s: %v", name, err)
			continue
		}
		for _, w := range want {
			if !strings.Contains(err.Error(), w) {
				t.Errorf("%s: %q is missing in\n%v", name, w, err)
			}
		}
	}
}

// TestFaultsOfALakeQuestionComeBeforeTheLake is looked at: those of funnels and of
// questions together.
func TestFaultsOfALakeQuestionComeBeforeTheLake(t *testing.T) {
	defs, questions, err := ReadQuestions([]byte(strings.ReplaceAll(funnelsYAML+questionsYAML, `path == "/"`, `pth == "/"`)), "f.yaml")
	if err != nil {
		t.Fatal(err)
	}
	err = AskLake(t.Context(), LakeQuestion{Lake: "nowhere", Funnels: defs, Questions: questions}, &bytes.Buffer{})
	if u := new(UsageError); !errors.As(err, &u) {
		t.Fatal(err)
	}
	for _, want := range []string{
		"f.yaml:4: funnel purchase: step home: where: column 1: unknown field pth, did you mean path?", "window funnel buy: step home: where",
		"retention seen: condition home: where", "f.yaml:11: sequence back: condition home: where: column 1: unknown field pth",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is missing in\n%v", want, err)
		}
	}
	questions = []funnels.Question{{Kind: funnels.Sequences, Name: "x", At: "f.yaml:1", Conditions: []funnels.Step{{Name: "a", Where: "true"}}, Pattern: funnels.Text{Value: "(?2)", At: "f.yaml:3"}}}
	if err := AskLake(t.Context(), LakeQuestion{Lake: "nowhere", Questions: questions}, &bytes.Buffer{}); err == nil || !strings.Contains(err.Error(), "f.yaml:3: sequence x: sequence pattern, column 1: condition 2: there are 1 to 1") {
		t.Error(err)
	}
}
