package funnels

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"millrace/schemas/table"
	"millrace/transforms/predicate"
)

// Options are what all funnels of a job share. The zero value is the default.
type Options struct {
	// MaxEvents is how many events of a visitor, a funnel and an hour (UTC) are looked
	// at; 1,000 when zero. See the package's documentation, Bounds.
	MaxEvents int
}

const defaultMaxEvents = 1000

// Set is the compiled funnels of a job. It does not change and can be shared.
type Set struct {
	funnels    []*funnel
	predicates []*predicate.Predicate
	maxEvents  int
	head       []byte // begins every encoded form: what fragments depend on
	minWithin  int64
}

// funnel is a checked definition.
type funnel struct {
	Definition
	within        int64
	steps         int
	exclusions    [][2]int // numbers of the steps between
	predicates    []int    // of steps, then of exclusions, in the set
	breakdown     int      // column; -1 for none
	attribution   int      // number of a step; firstValue, lastValue
	strict, any   bool
	starts, allOf uint64 // bits of events that start an attempt; of all steps
	all           uint64 // bits of all predicates
	inARow        bool   // the predicates have consecutive numbers, in one evaluator
	union         bool   // all that counts is which predicates the events of a visitor satisfy
}

const (
	firstValue = -1
	lastValue  = -2
)

// Compile checks funnels against the schema of the events. All faults of all
// funnels are reported together, each with its place.
func Compile(defs []Definition, schema *table.Schema, opt Options) (*Set, error) {
	if err := Validate(defs); err != nil {
		return nil, err
	}
	c, err := newSetCompiler(schema, opt)
	if err != nil {
		return nil, err
	}
	for i := range defs {
		c.funnel(&defs[i])
	}
	return c.finish(defs)
}

func newSetCompiler(schema *table.Schema, opt Options) (*setCompiler, error) {
	if opt.MaxEvents < 0 {
		return nil, fmt.Errorf("events of a visitor and an hour that funnels look at: %d is negative", opt.MaxEvents)
	}
	if opt.MaxEvents == 0 {
		opt.MaxEvents = defaultMaxEvents
	}
	compiler, err := predicate.NewCompiler(schema)
	if err != nil {
		return nil, err
	}
	return &setCompiler{
		Set: &Set{maxEvents: opt.MaxEvents}, compiler: compiler, schema: schema, known: map[string]int{}, what: "funnel", step: "step",
	}, nil
}

// finish is the set of the funnels that were compiled, or all their faults.
func (c *setCompiler) finish(defs []Definition) (*Set, error) {
	if n := len(c.predicates); n > predicate.MaxPredicates*maxEvaluators {
		c.faults = append(c.faults, fmt.Errorf("%d different predicates: a job has at most %d", n, predicate.MaxPredicates*maxEvaluators))
	}
	if len(c.faults) > 0 {
		return nil, errors.Join(c.faults...)
	}
	return c.Set, c.digest(defs, c.schema)
}

// maxEvaluators bounds how many predicates a job has.
const maxEvaluators = 16

type setCompiler struct {
	*Set
	compiler *predicate.Compiler
	schema   *table.Schema
	known    map[string]int // predicate by text
	faults   []error

	what, step string // what is compiled and its parts, as errors call them
}

func (c *setCompiler) funnel(d *Definition) *funnel {
	f := &funnel{
		Definition: *d, within: d.Within.Milliseconds(), steps: len(d.Steps), breakdown: -1,
		strict: d.Order == Strict, any: d.Order == Any, allOf: 1<<len(d.Steps) - 1,
	}
	f.starts = 1
	if f.any {
		f.starts = f.allOf
	}
	if len(c.funnels) == 0 || f.within < c.minWithin {
		c.minWithin = f.within
	}
	for _, s := range d.Steps {
		c.predicate(f, s.At, c.step+" "+s.Name, s.Where)
	}
	for _, x := range d.Exclude {
		f.exclusions = append(f.exclusions, [2]int{d.step(x.Between[0]), d.step(x.Between[1])})
		c.predicate(f, x.At, "exclude", x.Where)
	}
	if d.Breakdown != nil {
		c.breakdown(f, d.Breakdown)
	}
	f.number()
	c.funnels = append(c.funnels, f)
	return f
}

// number looks at the numbers of the predicates: most funnels share none.
func (f *funnel) number() {
	n := len(f.predicates)
	f.all = 1<<n - 1 // for 64 it wraps to all bits
	f.inARow = n > 0 && f.predicates[0]/predicate.MaxPredicates == f.predicates[n-1]/predicate.MaxPredicates
	for i, p := range f.predicates {
		f.inARow = f.inARow && p == f.predicates[0]+i
	}
}

// predicate compiles one, or finds it: funnels of a site share many.
func (c *setCompiler) predicate(f *funnel, at, what, text string) {
	n, ok := c.known[text]
	if !ok {
		p, err := c.compiler.Compile(text)
		if err != nil {
			for line := range strings.Lines(err.Error()) {
				c.fault(f, at, "%s: where: %s", what, strings.TrimSuffix(line, "\n"))
			}
			return
		}
		n = len(c.predicates)
		c.known[text] = n
		c.predicates = append(c.predicates, p)
	}
	f.predicates = append(f.predicates, n)
}

func (c *setCompiler) fault(f *funnel, at, format string, a ...any) {
	if at == "" {
		at = f.At
	}
	c.faults = append(c.faults, fault(at, "%s %s: %w", c.what, f.Name, fmt.Errorf(format, a...)))
}

func (c *setCompiler) breakdown(f *funnel, b *Breakdown) {
	var names []string
	for _, col := range c.schema.Columns {
		if breaksDown(col) {
			names = append(names, col.Name)
		}
	}
	col, ok := c.schema.Index(b.Field)
	switch {
	case !ok:
		c.fault(f, b.At, "breakdown: unknown field %s%s", b.Field, suggest(b.Field, names))
	case !breaksDown(c.schema.Columns[col]):
		c.fault(f, b.At, "breakdown: field %s is a %s that cannot divide visitors%s", b.Field, c.schema.Columns[col].Kind, suggest(b.Field, names))
	default:
		f.breakdown = col
	}
	switch name, atStep := strings.CutPrefix(b.Attribution, AtStep); {
	case atStep:
		f.attribution = f.step(name)
	case b.Attribution == Last:
		f.attribution = lastValue
	default:
		f.attribution = firstValue
	}
}

// breaksDown tells whether the values of a column may stand in the rows of a funnel:
// text that is masked already.
func breaksDown(c table.Column) bool {
	return c.Kind == table.String && c.Mask != table.MaskPlain && c.Mask != table.MaskSealed
}

// digest makes the head of encoded forms: a version, and a digest of what they were
// made by. Fragments of other funnels do not merge.
func (s *Set) digest(defs []Definition, schema *table.Schema) error {
	plain := make([]Definition, len(defs))
	for i, d := range defs {
		d.At = ""
		d.Steps = append([]Step{}, d.Steps...)
		for k := range d.Steps {
			d.Steps[k].At = ""
		}
		d.Exclude = append([]Exclusion{}, d.Exclude...)
		for k := range d.Exclude {
			d.Exclude[k].At = ""
		}
		if d.Breakdown != nil {
			b := *d.Breakdown
			b.At = ""
			d.Breakdown = &b
		}
		plain[i] = d
	}
	b, err := json.Marshal(struct {
		Schema    string
		MaxEvents int
		Funnels   []Definition
	}{schema.ID(), s.maxEvents, plain})
	if err != nil {
		return err
	}
	sum := sha256.Sum256(b)
	s.head = append([]byte{encodingVersion}, sum[:8]...)
	return nil
}

// Reads are the numbers of the columns of the events, in their order, that the funnels
// read beside those that a Collector is told of.
func (s *Set) Reads() []int {
	var all []int
	for _, p := range s.predicates {
		all = append(all, p.Columns()...)
	}
	for _, f := range s.funnels {
		if f.breakdown >= 0 {
			all = append(all, f.breakdown)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// Len is the number of funnels.
func (s *Set) Len() int { return len(s.funnels) }

// Name is the name of a funnel.
func (s *Set) Name(funnel int) string { return s.funnels[funnel].Name }

// Definition is what a funnel was made from.
func (s *Set) Definition(funnel int) Definition { return s.funnels[funnel].Definition }
