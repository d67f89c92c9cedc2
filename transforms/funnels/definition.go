package funnels

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"millrace/internal/nearest"
)

// Definition describes a funnel. At is where it was written ("jobs.yaml:12"), for
// errors; likewise for its parts.
type Definition struct {
	Name      string
	Steps     []Step
	Within    time.Duration // from the first step to the last, both included; whole milliseconds, at most 90 days
	Order     string        // Ordered when empty, Strict or Any
	Exclude   []Exclusion
	Breakdown *Breakdown // nil for none
	At        string
}

// Step is a step by the events that make it.
type Step struct {
	Name  string
	Where string // a predicate, see package predicate
	At    string
}

// Exclusion is an event that must not come between two steps.
type Exclusion struct {
	Where   string
	Between [2]string // names of an earlier and a later step
	At      string
}

// Breakdown divides the visitors of a funnel by a column of the events.
type Breakdown struct {
	Field       string
	Attribution string // First when empty, Last, or AtStep + the name of a step
	At          string
}

// The orders of steps, and the attributions.
const (
	Ordered = "ordered" // one after another, with anything between
	Strict  = "strict"  // one after another, with no other event of the visitor between
	Any     = "any"     // in any order

	First  = "first" // the first value among the events of the steps
	Last   = "last"  // the last
	AtStep = "step:" // that of the event of the named step
)

// Limits of definitions.
const (
	MaxExclusions = 32
	MaxFunnels    = 64
	maxWithin     = 90 * 24 * time.Hour
	maxName       = 100 // bytes
)

// Validate reports everything that is wrong with definitions, other than what only
// the schema of the events can tell.
func Validate(defs []Definition) error {
	var faults []error
	if len(defs) > MaxFunnels {
		faults = append(faults, fmt.Errorf("%d funnels: a job has at most %d", len(defs), MaxFunnels))
	}
	seen := map[string]bool{}
	for i := range defs {
		d := &defs[i]
		if seen[d.Name] && d.Name != "" {
			faults = append(faults, fault(d.At, "a second funnel %s: give each a name of its own", d.Name))
		}
		seen[d.Name] = true
		v := validation{subject{what: "funnel", name: d.Name, at: d.At}, d}
		v.definition()
		faults = append(faults, v.faults...)
	}
	return errors.Join(faults...)
}

// fault is an error with its place, which may be unknown.
func fault(at, format string, a ...any) error {
	err := fmt.Errorf(format, a...)
	if at != "" {
		return fmt.Errorf("%s: %w", at, err)
	}
	return err
}

// subject is what faults are found in: a funnel, or a question.
type subject struct {
	what     string // funnel
	name, at string
	faults   []error
}

func (v *subject) fault(at, format string, a ...any) {
	if v.name != "" {
		format = v.what + " " + strings.ReplaceAll(v.name, "%", "%%") + ": " + format
	}
	if at == "" {
		at = v.at
	}
	v.faults = append(v.faults, fault(at, format, a...))
}

func (v *subject) named(at, what, name string) {
	if name == "" || len(name) > maxName || !utf8.ValidString(name) || strings.ContainsFunc(name, func(r rune) bool { return r < ' ' }) {
		v.fault(at, "%s has the name %.20q; write one of 1 to %d bytes", what, name, maxName)
	}
}

func (v *subject) within(d time.Duration) {
	if d <= 0 || d > maxWithin || d%time.Millisecond != 0 {
		v.fault("", "within is %v; write the time from the first step to the last, for example 24h, at most 90d", d)
	}
}

// steps checks names; what is "step" or another word for it.
func (v *subject) steps(list []Step, what string) {
	if len(list) == 0 || len(list) > MaxSteps {
		v.fault("", "it has %d %ss; write 1 to %d", len(list), what, MaxSteps)
	}
	for i, s := range list {
		v.named(s.At, "a "+what, s.Name)
		if slices.ContainsFunc(list[:i], func(o Step) bool { return o.Name == s.Name }) && s.Name != "" {
			v.fault(s.At, "a second %s %s: give each a name of its own", what, s.Name)
		}
	}
}

type validation struct {
	subject
	d *Definition
}

func (v *validation) definition() {
	d := v.d
	v.named("", "a funnel", d.Name)
	v.within(d.Within)
	if orders := []string{Ordered, Strict, Any}; d.Order != "" && !slices.Contains(orders, d.Order) {
		v.fault("", "order is %q%s", d.Order, suggest(d.Order, orders))
	}
	v.steps(d.Steps, "step")
	if len(d.Exclude) > MaxExclusions {
		v.fault("", "%d exclusions: at most %d", len(d.Exclude), MaxExclusions)
	}
	for _, x := range d.Exclude {
		v.exclusion(x)
	}
	if b := d.Breakdown; b != nil {
		name, atStep := strings.CutPrefix(b.Attribution, AtStep)
		switch {
		case atStep:
			v.step(b.At, "attribution", name)
		case b.Attribution != "" && b.Attribution != First && b.Attribution != Last:
			v.fault(b.At, "attribution is %q%s", b.Attribution, suggest(b.Attribution, []string{First, Last, AtStep + "NAME"}))
		}
	}
}

func (v *validation) exclusion(x Exclusion) {
	if v.d.Order == Any {
		v.fault(x.At, "an exclusion lies between two steps, and with order: any none comes before another; leave it out")
		return
	}
	a, b := v.step(x.At, "between", x.Between[0]), v.step(x.At, "between", x.Between[1])
	if a >= 0 && b >= 0 && a >= b {
		v.fault(x.At, "between: %s does not come before %s", x.Between[0], x.Between[1])
	}
}

// step is the index of a named step.
func (v *validation) step(at, what, name string) int {
	i := v.d.step(name)
	if i < 0 {
		var names []string
		for _, s := range v.d.Steps {
			names = append(names, s.Name)
		}
		v.fault(at, "%s: unknown step %s%s", what, name, suggest(name, names))
	}
	return i
}

func (d *Definition) step(name string) int {
	return slices.IndexFunc(d.Steps, func(s Step) bool { return s.Name == name })
}

// suggest ends an error about an unknown name.
func suggest(name string, valid []string) string {
	list := " (there are " + strings.Join(valid, ", ") + ")"
	if near := nearest.Name(name, valid); near != "" {
		return ", did you mean " + near + "?" + list
	}
	return list
}
