package funnels_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/google/go-cmp/cmp"

	"millrace/schemas/table"
	"millrace/transforms/funnels"
)

const fullQuestions = `window_funnels:
  - name: buy
    steps:
      - {name: look, where: name == "a"}
      - {name: paid, where: name == "b"}
    within: 1d
    modes: [strict_order, allow_reentry]
retention:
  - name: weekly
    conditions: [{name: first, where: name == "a"}, {name: again, where: 'name in ["b", "c"]'}]
sequences:
  - name: gave_up
    conditions:
      - {name: look, where: name == "a"}
      - {name: paid, where: name == "b"}
    pattern: (?1)(?t<=3600)(?2).*(?1)
`

// questionsOf reads all questions of a YAML file.
func questionsOf(t testing.TB, text string) (out []funnels.Question, err error) {
	t.Helper()
	tree, err := parser.ParseBytes([]byte(text), 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries(tree.Docs[0].Body) {
		list, err := funnels.DecodeQuestions(e.Key.GetToken().Value, e.Value, "ask.yaml")
		if err != nil {
			return nil, err
		}
		out = append(out, list...)
	}
	return out, nil
}

func entries(n ast.Node) []*ast.MappingValueNode {
	switch body := n.(type) {
	case *ast.MappingNode:
		return body.Values
	case *ast.MappingValueNode:
		return []*ast.MappingValueNode{body}
	}
	return nil
}

func TestQuestionsAreReadFromYAML(t *testing.T) {
	got, err := questionsOf(t, fullQuestions)
	if err != nil {
		t.Fatal(err)
	}
	want := []funnels.Question{
		{
			Kind: funnels.WindowFunnels, Name: "buy", Within: 24 * time.Hour, At: "ask.yaml:2",
			Conditions: []funnels.Step{{Name: "look", Where: `name == "a"`, At: "ask.yaml:4"}, {Name: "paid", Where: `name == "b"`, At: "ask.yaml:5"}},
			Modes:      []funnels.Text{{Value: "strict_order", At: "ask.yaml:7"}, {Value: "allow_reentry", At: "ask.yaml:7"}},
		},
		{
			Kind: funnels.Retentions, Name: "weekly", At: "ask.yaml:9",
			Conditions: []funnels.Step{{Name: "first", Where: `name == "a"`, At: "ask.yaml:10"}, {Name: "again", Where: `name in ["b", "c"]`, At: "ask.yaml:10"}},
		},
		{
			Kind: funnels.Sequences, Name: "gave_up", At: "ask.yaml:12", Pattern: funnels.Text{Value: "(?1)(?t<=3600)(?2).*(?1)", At: "ask.yaml:16"},
			Conditions: []funnels.Step{{Name: "look", Where: `name == "a"`, At: "ask.yaml:14"}, {Name: "paid", Where: `name == "b"`, At: "ask.yaml:15"}},
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("questions (-want +got):\n%s", diff)
	}
	if _, err := funnels.CompileQuestions(got, visitSchema, funnels.Options{}); err != nil {
		t.Error(err)
	}
}

// TestFaultsOfQuestionsNamePlaceFieldAndCure checks whole messages.
func TestFaultsOfQuestionsNamePlaceFieldAndCure(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"keys of window funnels": {`window_funnels:
  - name: buy
    conditions: [{name: a, where: "true"}]
    within: soon
    modes: strict_order
  - 3
`, `ask.yaml:3: a window funnel: unknown key conditions (there are modes, name, steps, within)
ask.yaml:4: within: "soon" is not a duration; write for example 30m, 24h or 7d
ask.yaml:5: modes is no list; write each item on a line that begins with a dash
ask.yaml:2: a window funnel has no steps
ask.yaml:6: a window funnel is no mapping; write lines of KEY: VALUE`},
		"keys of retention": {`retention:
  - name: weekly
    conditons: []
    conditions: {name: a}
`, `ask.yaml:3: a retention: unknown key conditons, did you mean conditions? (there are conditions, name)
ask.yaml:4: conditions is no list; write each item on a line that begins with a dash`},
		"keys of sequences": {`sequences:
  - name: weekly
    conditions:
      - {nam: a, where: "true"}
    within: 1h
`, `ask.yaml:4: a condition: unknown key nam, did you mean name? (there are name, where)
ask.yaml:4: a condition has no name
ask.yaml:5: a sequence: unknown key within (there are conditions, name, pattern)
ask.yaml:2: a sequence has no pattern`},
		"meaning": {`window_funnels:
  - name: f
    within: 2400h
    steps: [{name: a, where: "true"}, {name: a, where: "true"}]
    modes: [strict_oder, strict_once]
  - name: f
    within: 1h
    steps: []
    modes:
      - strict_once
      - allow_reentry
retention:
  - name: f
    conditions: []
sequences:
  - {name: f, conditions: [{name: a, where: "true"}], pattern: (?1)(?t<3600)}
  - {name: g, conditions: [{name: a, where: "true"}], pattern: (?1).*(?2)}
  - {name: h, conditions: [{name: a, where: "true"}], pattern: '.*'}
  - {name: i, conditions: [{name: a, where: "true"}], pattern: ''}
  - {name: "", conditions: [{name: a, where: "true"}], pattern: (?1)(?t<9223372036854775)(?1)(?t>9223372036854776)(?1)}
`, `ask.yaml:4: window funnel f: a second step a: give each a name of its own
ask.yaml:2: window funnel f: within is 2400h0m0s; write the time from the first step to the last, for example 24h, at most 90d
ask.yaml:5: window funnel f: modes: unknown mode strict_oder, did you mean strict_order? (there are strict_deduplication, strict_order, strict_increase, strict_once, allow_reentry)
ask.yaml:6: a second window funnel f: give each a name of its own
ask.yaml:6: window funnel f: it has 0 steps; write 1 to 32
ask.yaml:11: window funnel f: modes: allow_reentry loosens strict_order, which is not given; write modes: [strict_order, allow_reentry], or leave it out
ask.yaml:13: retention f: it has 0 conditions; write 1 to 32
ask.yaml:16: sequence f: sequence pattern, column 14: a time condition is about the event that follows it, and none does; end with . or (?N)
ask.yaml:17: sequence g: sequence pattern, column 7: condition 2: there are 1 to 1
ask.yaml:18: sequence h: sequence pattern .* names no condition, so that any events follow it; write (?1) for the first, for example (?1).*(?2)
ask.yaml:19: sequence i: it has no pattern; write the conditions in their order, for example (?1).*(?2)
ask.yaml:20: a sequence has the name ""; write one of 1 to 100 bytes
ask.yaml:20: sequence pattern, column 30: (?t>9223372036854776): at most 9223372036854775 can be told apart`},
		"predicates": {`window_funnels:
  - name: f
    within: 1h
    steps:
      - {name: home, where: nmae == "/"}
retention:
  - name: g
    conditions:
      - {name: home, where: name.startWith("/")}
sequences:
  - name: h
    conditions:
      - {name: home, where: name == 3}
    pattern: (?1)
`, `ask.yaml:5: window funnel f: step home: where: column 1: unknown field nmae, did you mean name? (there are late, name, position, raw, site, source, time, visitor)
ask.yaml:9: retention g: condition home: where: column 15: unknown function startWith, did you mean startsWith? (there are contains, double, duration, endsWith, getDayOfWeek, getHours, int, matches, size, startsWith, string, timestamp)
ask.yaml:13: sequence h: condition home: where: column 6: found no matching overload for '_==_' applied to '(string, int)'`},
	} {
		t.Run(name, func(t *testing.T) {
			list, err := questionsOf(t, c.text)
			if err == nil {
				_, err = funnels.CompileQuestions(list, visitSchema, funnels.Options{})
			}
			if err == nil {
				t.Fatal("accepted")
			}
			if diff := cmp.Diff(strings.Split(c.want, "\n"), strings.Split(err.Error(), "\n")); diff != "" {
				t.Errorf("faults (-want +got):\n%s", diff)
			}
		})
	}
	many := make([]funnels.Question, funnels.MaxFunnels+1)
	if _, err := funnels.CompileQuestions(many, visitSchema, funnels.Options{}); err == nil || !strings.Contains(err.Error(), "65 questions: at most 64") || !strings.Contains(err.Error(), "unknown kind") {
		t.Errorf("questions of no kind: %v", err)
	}
}

// answersOf puts blobs together and asks.
func answersOf(t testing.TB, q *funnels.Questions, blobs [][]byte) []funnels.Answer {
	t.Helper()
	e := q.Set().NewEvaluator(nil)
	for _, b := range blobs {
		if err := e.Add(b); err != nil {
			t.Fatal(err)
		}
	}
	out := q.NewAnswers()
	if err := q.Answer(e, out); err != nil {
		t.Fatal(err)
	}
	return out
}

func conditionsOf(names ...string) (out []funnels.Step) {
	for _, n := range names {
		out = append(out, funnels.Step{Name: n, Where: fmt.Sprintf("name.contains(%q)", n)})
	}
	return out
}

// TestAnswersAreThoseOfThePlainFunctions, whatever the order and the partition of the
// events.
func TestAnswersAreThoseOfThePlainFunctions(t *testing.T) {
	conditions := conditionsOf("a", "b", "c")
	list := []funnels.Question{
		{Kind: funnels.Retentions, Name: "retention", Conditions: conditions},
		{Kind: funnels.Sequences, Name: "sequence", Conditions: conditions, Pattern: funnels.Text{Value: "(?1)(?t<=900)(?2).*(?3)"}},
	}
	pattern, err := funnels.ParsePattern("(?1)(?t<=900000)(?2).*(?3)", 3)
	if err != nil {
		t.Fatal(err)
	}
	for mode := range funnels.Mode(1 << len(modeNames)) {
		if mode&funnels.AllowReentry != 0 && mode&funnels.StrictOrder == 0 {
			continue
		}
		q := funnels.Question{Kind: funnels.WindowFunnels, Name: fmt.Sprint(mode), Conditions: conditions, Within: time.Hour}
		for name, bit := range modeNames {
			if mode&bit != 0 {
				q.Modes = append(q.Modes, funnels.Text{Value: name})
			}
		}
		list = append(list, q)
	}
	q, err := funnels.CompileQuestions(list, visitSchema, funnels.Options{})
	if err != nil {
		t.Fatal(err)
	}
	matches := int64(0)
	for seed := range uint64(300) {
		r := rand.New(rand.NewPCG(seed, 9))
		visits := randomVisits(r, hour, "abcx")
		got := answersOf(t, q, collect(r, q.Set(), visits))
		want := q.NewAnswers()
		var total int64
		for _, hits := range hitsByVisitor(visits, "abc") {
			union := uint64(0)
			for _, h := range hits {
				union |= h.Steps
			}
			funnels.Retention(want[0].Visitors).Add(union)
			n, err := pattern.Count(hits)
			if err != nil {
				t.Fatal(err)
			}
			if want[1].Matches += int64(n); n > 0 {
				times, err := pattern.Events(hits)
				if err != nil {
					t.Fatal(err)
				}
				want[1].Visitors[0]++
				total += times[len(times)-1] - times[0]
			}
			for i, one := range list[2:] {
				var mode funnels.Mode
				for _, m := range one.Modes {
					mode |= modeNames[m.Value]
				}
				for level := range funnels.WindowFunnel(hits, 3, hour, mode) {
					want[2+i].Visitors[level]++
				}
			}
		}
		matches += want[1].Matches
		for i := range want {
			if !slices.Equal(got[i].Visitors, want[i].Visitors) || got[i].Matches != want[i].Matches || got[i].Truncated != 0 {
				t.Fatalf("seed %d, %s %s: %+v, want %+v", seed, list[i].Kind, list[i].Name, got[i], want[i])
			}
		}
		if got[1].Total() != total {
			t.Fatalf("seed %d: %d ms, want %d", seed, got[1].Total(), total)
		}
	}
	if matches < 20 {
		t.Errorf("%d matches: too few to tell", matches)
	}
}

// hitsByVisitor are the events that count, in order, as conditions "contains this
// letter" see them.
func hitsByVisitor(visits []visit, letters string) map[string][]funnels.Hit {
	visits = slices.Clone(visits)
	slices.SortFunc(visits, func(a, b visit) int {
		return slices.Compare([]string{fmt.Sprintf("%020d", a.Time), a.Source, fmt.Sprintf("%09d", a.Position)}, []string{fmt.Sprintf("%020d", b.Time), b.Source, fmt.Sprintf("%09d", b.Position)})
	})
	out := map[string][]funnels.Hit{}
	for _, v := range visits {
		if v.Late {
			continue
		}
		h := funnels.Hit{Time: int64(v.Time)}
		for i, letter := range letters {
			if strings.ContainsRune(v.Name, letter) {
				h.Steps |= 1 << i
			}
		}
		out[v.Visitor] = append(out[v.Visitor], h)
	}
	return out
}

// TestAnswersOfDisjointVisitorsMerge to those of all.
func TestAnswersOfDisjointVisitorsMerge(t *testing.T) {
	list, err := questionsOf(t, fullQuestions)
	if err != nil {
		t.Fatal(err)
	}
	q, err := funnels.CompileQuestions(list, visitSchema, funnels.Options{})
	if err != nil {
		t.Fatal(err)
	}
	one := func(visitor string, names ...string) (out []visit) {
		for i, n := range names {
			out = append(out, visit{Visitor: visitor, Name: n, Position: int64(i), Time: table.Millis(firstDay + int64(i)*minute)})
		}
		return out
	}
	r := rand.New(rand.NewPCG(1, 1))
	first, second := one("tok_1", "a", "b", "x", "a", "b", "a"), one("tok_2", "a", "c", "b", "b", "a")
	parts := q.NewAnswers()
	for _, visits := range [][]visit{first, second} {
		funnels.MergeAnswers(parts, answersOf(t, q, collect(r, q.Set(), visits)))
	}
	all := answersOf(t, q, collect(r, q.Set(), slices.Concat(first, second)))
	for i, want := range []string{"[2 1] 0 0 0 0 false", "[2 2] 0 0 0 0 false", "[2] 2 420000 210000 210000 true"} {
		for name, got := range map[string]*funnels.Answer{"merged": &parts[i], "at once": &all[i]} {
			average, known := got.Average()
			median, _ := got.Median()
			if text := fmt.Sprint(got.Visitors, got.Matches, got.Total(), average, median, known); text != want {
				t.Errorf("%s, %s: %s, want %s", list[i].Name, name, text, want)
			}
		}
	}
}

// TestWhatIsNotLookedAtIsCounted: visitors who did more in an hour than is kept. What
// is asked of a retention needs no such bound.
func TestWhatIsNotLookedAtIsCounted(t *testing.T) {
	list, err := questionsOf(t, fullQuestions)
	if err != nil {
		t.Fatal(err)
	}
	q, err := funnels.CompileQuestions(list, visitSchema, funnels.Options{MaxEvents: 1})
	if err != nil {
		t.Fatal(err)
	}
	var visits []visit
	for i := range 40 {
		visits = append(visits, visit{Visitor: fmt.Sprint("tok_", i%2), Name: []string{"a", "a", "a", "b"}[i%4], Position: int64(i), Time: table.Millis(firstDay + int64(i)*second)})
	}
	got := answersOf(t, q, collect(rand.New(rand.NewPCG(1, 1)), q.Set(), visits))
	if got[0].Truncated != 2 || got[1].Truncated != 0 || got[2].Truncated != 2 || !slices.Equal(got[1].Visitors, []int64{2, 1}) {
		t.Errorf("%+v", got)
	}
}
