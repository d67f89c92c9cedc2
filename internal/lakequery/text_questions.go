package lakequery

import (
	"strconv"

	"millrace/transforms/funnels"
)

// answerTable says how answers of a kind are written.
type answerTable struct {
	text, csv []string // heads
	rows      func(*Table, *funnels.Answer)
}

var answerTables = map[string]answerTable{
	funnels.WindowFunnels: {
		[]string{"window funnel", "level", "step", "visitors", "of all", "of the level before", "truncated"},
		[]string{"window_funnel", "level", "step_name", "visitors", "previous", "truncated"},
		levels,
	},
	funnels.Retentions: {
		[]string{"retention", "condition", "name", "visitors", "of the first"},
		[]string{"retention", "condition", "condition_name", "visitors", "first"},
		retained,
	},
	funnels.Sequences: {
		[]string{"sequence", "visitors", "matches", "average", "median", "truncated"},
		[]string{"sequence", "visitors", "matches", "total_ms", "average_ms", "median_ms", "truncated"},
		matched,
	},
}

// AnswerTables gives the answers of each kind that was asked a table.
func AnswerTables(answers []funnels.Answer) (tables []Table) {
	for _, kind := range funnels.Kinds {
		form := answerTables[kind]
		t := Table{text: [][]string{form.text}, csv: [][]string{form.csv}}
		for i := range answers {
			if answers[i].Question.Kind == kind {
				form.rows(&t, &answers[i])
			}
		}
		if len(t.csv) > 1 {
			tables = append(tables, t)
		}
	}
	return tables
}

func levels(t *Table, a *funnels.Answer) {
	for i, n := range a.Visitors {
		name, level, step, previous := a.Question.Name, strconv.Itoa(i+1), a.Question.Conditions[i].Name, a.Visitors[max(i-1, 0)]
		t.text = append(t.text, []string{name, level, step, count(n), percent(n, a.Visitors[0]), percent(n, previous), count(a.Truncated)})
		t.csv = append(t.csv, []string{name, level, step, count(n), count(previous), count(a.Truncated)})
	}
}

func retained(t *Table, a *funnels.Answer) {
	for i, n := range a.Visitors {
		name, condition, what := a.Question.Name, strconv.Itoa(i+1), a.Question.Conditions[i].Name
		t.text = append(t.text, []string{name, condition, what, count(n), percent(n, a.Visitors[0])})
		t.csv = append(t.csv, []string{name, condition, what, count(n), count(a.Visitors[0])})
	}
}

func matched(t *Table, a *funnels.Answer) {
	name, n, matches, truncated := a.Question.Name, count(a.Visitors[0]), count(a.Matches), count(a.Truncated)
	average, known := a.Average()
	median, _ := a.Median()
	t.text = append(t.text, []string{name, n, matches, seconds(average, known), seconds(median, known), truncated})
	t.csv = append(t.csv, []string{name, n, matches, count(a.Total()), number(average, known), number(median, known), truncated})
}
