package funnels

import (
	"errors"

	"millrace/schemas/table"
)

// Questions are compiled questions. They do not change and can be shared.
type Questions struct {
	list []asked
	set  *Set
}

// CompileQuestions checks questions against the schema of the events. All faults are
// reported together, each with its place.
func CompileQuestions(list []Question, schema *table.Schema, opt Options) (*Questions, error) {
	checked, err := checkQuestions(list)
	if err != nil {
		return nil, err
	}
	c, err := newSetCompiler(schema, opt)
	if err != nil {
		return nil, err
	}
	var defs []Definition
	for i := range checked {
		a := &checked[i]
		defs = append(defs, a.carrier())
		c.what, c.step = kinds[a.Kind].what, kinds[a.Kind].condition
		c.funnel(&defs[i]).union = a.Kind == Retentions
	}
	set, err := c.finish(defs)
	return &Questions{checked, set}, err
}

// carrier is the funnel whose fragments hold of the events what the question needs:
// those that satisfy something, and all of them where others count as well.
func (a *asked) carrier() Definition {
	d := Definition{Name: a.Name, Steps: a.Conditions, Within: a.Within, At: a.At}
	if a.mode&StrictOrder != 0 {
		d.Order = Strict
	}
	return d
}

// Set is the funnels whose fragments the questions are answered from: they are made by
// its collectors and put together by its evaluators.
func (q *Questions) Set() *Set { return q.set }

// NewAnswers counts nobody yet.
func (q *Questions) NewAnswers() []Answer {
	out := make([]Answer, len(q.list))
	for i := range q.list {
		out[i] = Answer{Question: q.list[i].Question, Visitors: make([]int64, q.list[i].counts())}
	}
	return out
}

// counts is how many numbers of visitors an answer has.
func (a *asked) counts() int {
	if a.Kind == Sequences {
		return 1
	}
	return len(a.Conditions)
}

// Answer adds the visitors that were added to an evaluator of the set.
func (q *Questions) Answer(e *Evaluator, to []Answer) error {
	var faults []error
	var hits []Hit
	for f := range q.list {
		for v := range e.ids {
			own := &e.visits[v*len(q.list)+f]
			if len(own.events) == 0 && len(own.hours) == 0 {
				continue
			}
			if !e.set.funnels[f].union {
				own.tidy(e.set.maxEvents)
			}
			hits = own.hits(hits[:0])
			if err := q.list[f].answer(hits, &to[f]); err != nil {
				faults = append(faults, fault(q.list[f].At, "%s %s: %w", kinds[q.list[f].Kind].what, q.list[f].Name, err))
				break // one visitor is enough to tell
			}
			if own.cut() {
				to[f].Truncated++
			}
		}
	}
	return errors.Join(faults...)
}

// hits are the events as conditions see them.
func (v *visits) hits(out []Hit) []Hit {
	for i := range v.events {
		out = append(out, Hit{v.events[i].time, v.events[i].bits})
	}
	return out
}

// cut tells whether there were events that are not looked at.
func (v *visits) cut() bool {
	for i := range v.hours {
		if v.hours[i].rest > 0 {
			return true
		}
	}
	return false
}
