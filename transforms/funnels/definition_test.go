package funnels_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/google/go-cmp/cmp"

	"millrace/internal/mutate"
	"millrace/internal/settings"
	"millrace/transforms/funnels"
)

const full = `funnels:
  - name: purchase
    steps:
      - {name: home, where: name == "/"}
      - name: cart
        where: |
          name.startsWith("/cart") ||
          name == "/basket"
      - {name: paid, where: name == "/checkout"}
    within: 7d
    order: strict
    exclude:
      - {where: name == "/logout", between: [cart, paid]}
    breakdown: {field: site, attribution: step:cart}
  - name: login
    within: 90s
    steps:
      - {name: a, where: "true"}
`

func TestDefinitionsAreReadFromYAML(t *testing.T) {
	got, err := definitionsOf(t, full)
	if err != nil {
		t.Fatal(err)
	}
	want := []funnels.Definition{
		{
			Name: "purchase", Within: 7 * 24 * time.Hour, Order: funnels.Strict, At: "jobs.yaml:2",
			Steps: []funnels.Step{
				{Name: "home", Where: `name == "/"`, At: "jobs.yaml:4"},
				{Name: "cart", Where: "name.startsWith(\"/cart\") ||\nname == \"/basket\"", At: "jobs.yaml:5"},
				{Name: "paid", Where: `name == "/checkout"`, At: "jobs.yaml:9"},
			},
			Exclude:   []funnels.Exclusion{{Where: `name == "/logout"`, Between: [2]string{"cart", "paid"}, At: "jobs.yaml:13"}},
			Breakdown: &funnels.Breakdown{Field: "site", Attribution: "step:cart", At: "jobs.yaml:14"},
		},
		{Name: "login", Within: 90 * time.Second, At: "jobs.yaml:15", Steps: []funnels.Step{{Name: "a", Where: "true", At: "jobs.yaml:18"}}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("definitions (-want +got):\n%s", diff)
	}
	if s := compile(t, got, funnels.Options{}); s.Len() != 2 || s.Name(1) != "login" || s.MinWithin() != 90_000 {
		t.Errorf("%d funnels, %s, %d", s.Len(), s.Name(1), s.MinWithin())
	}
}

// TestFaultsNamePlaceFieldAndCure checks whole messages: all faults of a kind of
// check come at once.
func TestFaultsNamePlaceFieldAndCure(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"keys": {`funnels:
  - nam: purchase
    steps: {name: a}
    within: soon
    order: any
    exclude:
      - {where: "true", between: [a]}
      - 3
    breakdown: {attribution: first}
`, `jobs.yaml:2: a funnel: unknown key nam, did you mean name? (there are breakdown, exclude, name, order, steps, within)
jobs.yaml:3: steps is no list; write each item on a line that begins with a dash
jobs.yaml:4: within: "soon" is not a duration; write for example 30m, 24h or 7d
jobs.yaml:7: between names 1 steps; write between: [EARLIER, LATER]
jobs.yaml:8: an exclusion is no mapping; write lines of KEY: VALUE
jobs.yaml:9: breakdown has no field
jobs.yaml:2: a funnel has no name`},
		"meaning": {`funnels:
  - name: f
    order: stric
    within: 2400h
    steps:
      - {name: home, where: "true"}
      - {name: cart, where: "true"}
      - {name: cart, where: "true"}
    exclude:
      - {where: "true", between: [cart, home]}
      - {where: "true", between: [home, crat]}
    breakdown: {field: site, attribution: step:hom}
  - name: f
    order: any
    within: 1h
    steps: []
    exclude:
      - {where: "true", between: [a, b]}
    breakdown: {field: site, attribution: frist}
`, `jobs.yaml:2: funnel f: within is 2400h0m0s; write the time from the first step to the last, for example 24h, at most 90d
jobs.yaml:2: funnel f: order is "stric", did you mean strict? (there are ordered, strict, any)
jobs.yaml:8: funnel f: a second step cart: give each a name of its own
jobs.yaml:10: funnel f: between: cart does not come before home
jobs.yaml:11: funnel f: between: unknown step crat, did you mean cart? (there are home, cart, cart)
jobs.yaml:12: funnel f: attribution: unknown step hom, did you mean home? (there are home, cart, cart)
jobs.yaml:13: a second funnel f: give each a name of its own
jobs.yaml:13: funnel f: it has 0 steps; write 1 to 32
jobs.yaml:18: funnel f: an exclusion lies between two steps, and with order: any none comes before another; leave it out
jobs.yaml:19: funnel f: attribution is "frist", did you mean first? (there are first, last, step:NAME)`},
		"predicates": {`funnels:
  - name: f
    within: 1h
    steps:
      - {name: home, where: nmae == "/"}
      - {name: cart, where: name == 3 && position}
    breakdown: {field: sit}
  - name: g
    within: 1h
    steps:
      - {name: home, where: name.startWith("/")}
    breakdown: {field: raw}
`, `jobs.yaml:5: funnel f: step home: where: column 1: unknown field nmae, did you mean name? (there are late, name, position, raw, site, source, time, visitor)
jobs.yaml:6: funnel f: step cart: where: column 6: found no matching overload for '_==_' applied to '(string, int)'
jobs.yaml:6: funnel f: step cart: where: column 14: expected type 'bool' but found 'int'
jobs.yaml:7: funnel f: breakdown: unknown field sit, did you mean site? (there are visitor, source, name, site)
jobs.yaml:11: funnel g: step home: where: column 15: unknown function startWith, did you mean startsWith? (there are contains, double, duration, endsWith, getDayOfWeek, getHours, int, matches, size, startsWith, string, timestamp)
jobs.yaml:12: funnel g: breakdown: field raw is a string that cannot divide visitors (there are visitor, source, name, site)`},
	} {
		t.Run(name, func(t *testing.T) {
			defs, err := definitionsOf(t, c.text)
			if err == nil {
				_, err = funnels.Compile(defs, visitSchema, funnels.Options{})
			}
			if err == nil {
				t.Fatal("accepted")
			}
			if diff := cmp.Diff(strings.Split(c.want, "\n"), strings.Split(err.Error(), "\n")); diff != "" {
				t.Errorf("faults (-want +got):\n%s", diff)
			}
		})
	}
	if _, err := funnels.Compile(nil, visitSchema, funnels.Options{MaxEvents: -1}); err == nil {
		t.Error("a negative number of events is accepted")
	}
}

// FuzzFunnels reads any YAML that the check of files lets through, funnels and
// questions, alone or under keys.
func FuzzFunnels(tf *testing.F) {
	f := mutate.Of(tf)
	f.Add([]byte(full))
	f.Add([]byte(weblogFunnels))
	f.Add([]byte(fullQuestions))
	f.Add([]byte("funnels:\n  - {name: a, within: 1h, steps: [{name: a, where: 'nam == 1'}]}\n"))
	f.Add([]byte("window_funnels:\n  - {name: a, within: 1h, steps: [{name: a, where: 'true'}], modes: [strict, allow_reentry]}\n"))
	f.Add([]byte("sequences:\n  - {name: a, conditions: [{name: a, where: 'true'}], pattern: '(?2)(?t<-1)(?'}\n"))
	f.Add([]byte("- {name: a, conditions: [{name: a, where: 'true'}]}\n"))
	f.Add([]byte("funnels: {steps: [*a]}"))
	f.Fuzz(func(t *testing.T, content []byte) {
		if settings.CheckFile(content, "jobs.yaml") != nil {
			return
		}
		tree, err := parser.ParseBytes(content, 0)
		if err != nil || len(tree.Docs) == 0 || tree.Docs[0].Body == nil {
			return
		}
		lists := []ast.Node{tree.Docs[0].Body}
		for _, e := range entries(tree.Docs[0].Body) {
			lists = append(lists, e.Value)
		}
		for _, list := range lists {
			defs, err := funnels.Decode(list, "jobs.yaml")
			if err == nil {
				_, err = funnels.Compile(defs, visitSchema, funnels.Options{})
			}
			placed(t, err)
			for _, kind := range funnels.Kinds {
				questions, err := funnels.DecodeQuestions(kind, list, "jobs.yaml")
				if err == nil {
					_, err = funnels.CompileQuestions(questions, visitSchema, funnels.Options{})
				}
				placed(t, err)
			}
		}
	})
}

// placed holds that each fault says where it is.
func placed(t *testing.T, err error) {
	t.Helper()
	if joined := interface{ Unwrap() []error }(nil); errors.As(err, &joined) {
		for _, one := range joined.Unwrap() {
			if !strings.Contains(one.Error(), "jobs.yaml") && !strings.Contains(one.Error(), "at most") {
				t.Errorf("a fault without a place: %v", one)
			}
		}
	}
}
