package alertrules_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"millrace/internal/alertrules"
	"millrace/internal/mutate"
	"millrace/transforms/alerts"
)

func f(v float64) *float64 { return &v }

func TestRulesAreReadWithEveryField(t *testing.T) {
	got, err := alertrules.Decode([]byte(`# all of it
rules:
  - name: server-errors
    input: traffic
    field: errors
    where: {status_class: 5xx, method: GET}
    by: [host, path]
    every: 30s
    aggregate: sum
    within: 5m
    above: 100
    clear_above: 50.5
    while_field: views
    while_at_least: 1e3
    while_within: 1m
    at_least: 3
    of: 5
    clear_for: 2
    cooldown: 1h30m
    missing: keep
    severity: critical
  - name: gone
    input: traffic
    absent_for: 10m
    give_up: 24h
  - name: slump
    input: traffic
    field: views
    below: -0.5
    clear_below: -0.2
    change_over: 10m
    change_relative: true
  - name: conversion
    input: events
    where: {name: purchase}
    per: {name: begin_checkout}
    aggregate: count
    within: 1h
    below: 0.2
    while_at_least: 20
`), "rules.yaml")
	if err != nil {
		t.Fatal(err)
	}
	want := []alerts.Rule{
		{
			Name: "server-errors", Input: "traffic", Field: "errors", Where: []alerts.Match{{Column: "method", Value: "GET"}, {Column: "status_class", Value: "5xx"}},
			By: []string{"host", "path"}, Every: 30_000, Aggregate: "sum", Within: 300_000, Above: f(100), ClearAbove: f(50.5), WhileField: "views",
			WhileAtLeast: 1000, WhileWithin: 60_000, AtLeast: 3, Of: 5, ClearFor: 2, Cooldown: 5_400_000, Missing: "keep", Severity: "critical",
		},
		alerts.Rule{Name: "gone", Input: "traffic", AbsentFor: 600_000, GiveUp: 86_400_000}.WithDefaults(),
		alerts.Rule{Name: "slump", Input: "traffic", Field: "views", Below: f(-0.5), ClearBelow: f(-0.2), ChangeOver: 600_000, ChangeRelative: true}.WithDefaults(),
		{
			Name: "conversion", Input: "events", Where: []alerts.Match{{Column: "name", Value: "purchase"}}, Per: []alerts.Match{{Column: "name", Value: "begin_checkout"}},
			Every: 60_000, Aggregate: "count", Within: 3_600_000, Below: f(0.2), ClearBelow: f(0.2), WhileAtLeast: 20, WhileWithin: 3_600_000, AtLeast: 1, Of: 1, ClearFor: 1, Missing: "clear", Severity: "warning",
		},
	}
	if at := got[1].At; at != "rules.yaml:22" {
		t.Errorf("the second rule is at %s", at)
	}
	for i := range got {
		got[i].At = ""
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("rules (-want +got):\n%s", diff)
	}
}

func TestFaultsNameFileLineAndField(t *testing.T) {
	for content, want := range map[string]string{
		"rule:\n":                      "r.yaml:1: unknown key rule, did you mean rules?",
		"rules: 5\n":                   "r.yaml:1: rules is a list",
		"- a\n":                        "r.yaml:1: the file begins with rules:",
		"rules:\n  - a\n":              "r.yaml:2: a rule is lines of KEY: VALUE",
		"rules:\n  - abov: 1\n":        "r.yaml:2: unknown key abov, did you mean above?",
		"rules:\n  - above: high\n":    `r.yaml:2: above: "high" is no number`,
		"rules:\n  - every: 5\n":       `r.yaml:2: every: "5" is no duration`,
		"rules:\n  - at_least: 0\n":    `r.yaml:2: at_least: "0" is no whole number`,
		"rules:\n  - by: host\n":       "r.yaml:2: by: a list of columns",
		"rules:\n  - by: [a, a]\n":     "r.yaml:2: by: column a is named twice",
		"rules:\n  - where: x\n":       "r.yaml:2: where: columns with their values",
		"rules:\n  - name: [a]\n":      "r.yaml:2: name: a single value",
		"rules:\n  - name: a\n   x: 1": "r.yaml:",
		"rules:\n  - name: a\n    input: i\n    field: f\n    above: 1\n    severity: bad\n":                                `r.yaml:6: rule a, severity: "bad" is not one of info, warning, critical`,
		"rules:\n  - name: a\n    input: i\n    field: f\n":                                                                 "r.yaml:2: rule a, above: give above, below or both",
		"rules:\n  - name: a\n    input: i\n    field: f\n    above: .nan\n":                                                "r.yaml:5: ",
		"rules:\n  - {name: a, input: i, field: f, above: 1}\n  - {name: a, input: i, field: f, above: 1}\n":                "r.yaml:3: rule a exists already, in line 2",
		"rules:\n  - name: a\n    input: i\n    field: f\n    above: 1\n    change_relative: yes\n":                         "r.yaml:6: change_relative: ",
		"rules:\n  - name: a\n    input: i\n    field: f\n    above: 1\n    at_least: 2\n    of: 65\n    cooldown: 1000h\n": "r.yaml:8: rule a, cooldown: ",
	} {
		_, err := alertrules.Decode([]byte(content), "r.yaml")
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error %v, want %s", content, err, want)
		}
	}
}

// Whatever the file is: rules that are valid and named apart, or an error that
// names the file.
func FuzzDecode(tf *testing.F) {
	fz := mutate.Of(tf)
	fz.Add("rules:\n  - {name: a, input: i, field: f, above: 1}\n")
	fz.Add("rules:\n  - name: a\n    input: i\n    where: {a: b}\n    by: [c]\n    absent_for: 5m\n")
	fz.Add("rules: [{}]\n---\nrules: &a [*a]\n")
	fz.Fuzz(func(t *testing.T, content string) {
		rules, err := alertrules.Decode([]byte(content), "r.yaml")
		if err != nil {
			if !strings.Contains(err.Error(), "r.yaml") {
				t.Errorf("an error without the file's name: %v", err)
			}
			return
		}
		names := map[string]bool{}
		for _, r := range rules {
			if err := r.Validate(); err != nil || names[r.Name] || len(r.Version()) != 12 {
				t.Errorf("%+v: %v", r, err)
			}
			names[r.Name] = true
		}
	})
}
