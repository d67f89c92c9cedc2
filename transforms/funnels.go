package transforms

import (
	"context"
	"fmt"
	"reflect"
	"time"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"

	"millrace/schemas/funnel"
	"millrace/schemas/table"
	"millrace/schemas/weblog"
	"millrace/transforms/funnels"
)

func init() {
	beam.RegisterType(reflect.TypeFor[funnelsFn]())
	beam.RegisterType(reflect.TypeFor[funnelStepsFn]())
}

// FunnelOutputs are collections of table.Rows: the best attempts of visitors, of
// funnel.Attempts, and what they come to, of funnel.Steps. Provisional are those of
// a live run: of attempts rows that can still change, and after them the sealed
// ones; of steps the sealed ones.
type FunnelOutputs struct {
	Attempts, Steps beam.PCollection
	Provisional     []beam.PCollection
}

// Funnels puts visitors' fragments together, KV<visitor shard, encoded fragments>
// in the global window, a shard at a time; schema is that of the events. The days' counts of the shards go on to
// where they are added up, by funnel and day. In batch all rows are sealed.
func Funnels(s beam.Scope, c Common, schema *table.Schema, defs []funnels.Definition, fragments beam.PCollection) FunnelOutputs {
	s = s.Scope("Funnels")
	steps := s.Scope("Steps")
	of := funnelSet{defs, schema.ID()}
	if c.Live != nil {
		attempts, open, tallies := beam.ParDo3(s, newLiveFunnelsFn(c, of), fragments)
		rows, sealed := beam.ParDo2(steps, newLiveFunnelStepsFn(c, of), tallies)
		return FunnelOutputs{Attempts: attempts, Steps: rows, Provisional: []beam.PCollection{open, sealed}}
	}
	attempts, tallies := beam.ParDo2(s, &funnelsFn{Common: c, Definitions: defs, Events: of.Events}, beam.GroupByKey(s, fragments))
	return FunnelOutputs{Attempts: attempts, Steps: beam.ParDo(steps, &funnelStepsFn{Common: c, Definitions: defs, Events: of.Events}, beam.GroupByKey(steps, tallies))}
}

// funnelSet is funnels over events of a schema, by its id, as they travel with a
// pipeline. Savepoints from before there were other events than those of access logs
// name no schema.
type funnelSet struct {
	Definitions []funnels.Definition
	Events      string
}

func (f funnelSet) compile() (*funnels.Set, error) {
	schema := weblog.Events
	if f.Events != "" {
		var ok bool
		if schema, ok = table.Lookup(f.Events); !ok {
			return nil, fmt.Errorf("compiling funnels: there are no events %s", f.Events)
		}
	}
	set, err := funnels.Compile(f.Definitions, schema, funnels.Options{})
	if err != nil {
		return nil, fmt.Errorf("compiling funnels: %w", err)
	}
	return set, nil
}

// CheckFunnels reports everything that is wrong with funnels over events of a schema.
func CheckFunnels(defs []funnels.Definition, schema *table.Schema) error {
	_, err := funnels.Compile(defs, schema, funnels.Options{})
	return err
}

// FunnelStepsWindow is how long after the beginning of a day its steps are sealed.
func FunnelStepsWindow(defs []funnels.Definition) time.Duration {
	longest := time.Duration(0)
	for i := range defs {
		longest = max(longest, defs[i].Within)
	}
	return 24*time.Hour + longest.Truncate(time.Hour) + time.Hour
}

// CheckQuestions reports everything that is wrong with questions about such events.
func CheckQuestions(list []funnels.Question, schema *table.Schema) error {
	_, err := funnels.CompileQuestions(list, schema, funnels.Options{})
	return err
}

type funnelsFn struct {
	Common      Common
	Definitions []funnels.Definition
	Events      string // schema

	set    *funnels.Set
	packer packer
}

func (fn *funnelsFn) Setup() (err error) {
	fn.packer.dir = fn.Common.Spill
	fn.set, err = funnelSet{fn.Definitions, fn.Events}.compile()
	return err
}

func (fn *funnelsFn) Teardown() { fn.packer.close() }

func (fn *funnelsFn) ProcessElement(_ context.Context, shard string, next func(*[]byte) bool, attempts func(table.Rows), tallies func(string, []byte)) error {
	e := fn.set.NewEvaluator(fn.Common.revision)
	for b := []byte(nil); next(&b); b = nil {
		blob, err := unpack(b)
		if err == nil {
			err = e.Add(blob)
		}
		if err != nil {
			return fmt.Errorf("funnels of visitor shard %s: %w", shard, err)
		}
	}
	all := e.Rows()
	within := all[:0]
	rows := table.NewBatch(funnel.Attempts)
	for _, one := range all {
		if fn.Common.within(one.Day()) {
			putAttempt(rows, fn.set.Name(one.Funnel), &one)
			within = append(within, one)
		}
	}
	if rows.Len() > 0 {
		attempts(table.Rows{Batch: rows})
	}
	return tallied(fn.set, &fn.packer, funnels.BestOfDays(within), tallies)
}

// tallied counts the rows of visitors' days, for each funnel and day by itself.
func tallied(set *funnels.Set, p *packer, rows []funnels.Row, emit func(string, []byte)) error {
	var keys []funnelDay
	tallies := map[funnelDay]*funnels.Tally{}
	for i := range rows {
		key := funnelDay{rows[i].Funnel, rows[i].Day()}
		if tallies[key] == nil {
			tallies[key] = set.NewTally()
			keys = append(keys, key)
		}
		tallies[key].Add(&rows[i])
	}
	for _, key := range keys {
		blob, err := p.pack(tallies[key].Encode())
		if err != nil {
			return err
		}
		emit(key.String(), blob)
	}
	return nil
}

// funnelDay is a funnel by its number and a UTC day.
type funnelDay struct {
	funnel int
	day    int64
}

func (k funnelDay) String() string { return fmt.Sprintf("%d/%d", k.funnel, k.day) }

func parseFunnelDay(key string) (k funnelDay, err error) {
	if _, err = fmt.Sscanf(key, "%d/%d", &k.funnel, &k.day); err != nil {
		return k, fmt.Errorf("%q is no funnel and day: %w", key, err)
	}
	return k, nil
}

// funnelStepsFn adds the shards' counts of a funnel and a day up.
type funnelStepsFn struct {
	Common      Common
	Definitions []funnels.Definition
	Events      string // schema

	set *funnels.Set
}

func (fn *funnelStepsFn) Setup() (err error) {
	fn.set, err = funnelSet{fn.Definitions, fn.Events}.compile()
	return err
}

func (fn *funnelStepsFn) ProcessElement(_ context.Context, key string, next func(*[]byte) bool, steps func(table.Rows)) error {
	t := fn.set.NewTally()
	for b := []byte(nil); next(&b); b = nil {
		if err := mergeTally(t, b); err != nil {
			return fmt.Errorf("counts of funnel and day %s: %w", key, err)
		}
	}
	if rows := stepRows(fn.set, t, fn.Common.revision); rows.Len() > 0 {
		steps(table.Rows{Batch: rows})
	}
	return nil
}

func mergeTally(t *funnels.Tally, packed []byte) error {
	blob, err := unpack(packed)
	if err != nil {
		return err
	}
	return t.Merge(blob)
}

func stepRows(set *funnels.Set, t *funnels.Tally, revision funnels.Revision) *table.Batch {
	b := table.NewBatch(funnel.Steps)
	for _, r := range t.Rows(revision) {
		putStep(b, set.Name(r.Funnel), &r)
	}
	return b
}
