package transforms

import (
	"reflect"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"

	"millrace/internal/failure"
	"millrace/schemas/clickstream"
	"millrace/schemas/late"
	"millrace/schemas/table"
	"millrace/transforms/funnels"
	"millrace/transforms/sessions"
)

func init() {
	beam.RegisterType(reflect.TypeFor[clickUseFn]())
}

// ClickUseConfig configures ClickUse.
type ClickUseConfig struct {
	Common   Common
	Sessions sessions.Options
	Funnels  []funnels.Definition
	Shop     ShopOptions
}

// ClickUseOutputs are what the events come to: table.Rows of the days to write, and for
// Sessions, Funnels, Visits and Tables what they put together.
type ClickUseOutputs struct{ Events, Late, Fragments, Funnels, Steps, Partials beam.PCollection }

// ClickUse takes events that are no duplicates, PCollection<table.Rows> of
// clickstream.Events, and pre-aggregates them. Events of days that are not to be written
// count for visits alone; those that came late for nothing.
func ClickUse(s beam.Scope, cfg ClickUseConfig, events beam.PCollection) ClickUseOutputs {
	s = s.Scope("ClickUse")
	out := beam.ParDoN(s, &clickUseFn{Config: cfg}, events)
	return ClickUseOutputs{Events: out[0], Late: out[1], Fragments: out[2], Funnels: out[3], Steps: out[4], Partials: out[5]}
}

// putLateClicks puts the rows of late events among clickstream.Events.
func putLateClicks(b, events *table.Batch) {
	for row := range events.Len() {
		if !events.Bool(clickstream.EventLate, row) {
			continue
		}
		r := late.Row{
			EventID: events.UUID(clickstream.EventID, row), EventTime: table.Millis(events.Int(clickstream.EventTime, row)),
			Source: string(events.Text(clickstream.EventSource, row)), Position: events.Int(clickstream.EventPosition, row), DelayMs: events.Int(clickstream.EventLateByMs, row),
		}
		if !events.Null(clickstream.EventSequence, row) {
			sequence := string(events.Text(clickstream.EventSequence, row))
			r.Sequence = &sequence
		}
		b.Append(&r)
	}
}

type clickUseFn struct {
	Config ClickUseConfig

	use *clickUse
}

func (fn *clickUseFn) Setup() (err error) {
	fn.use, err = newClickUse(fn.Config)
	return err
}

func (fn *clickUseFn) Teardown() {
	if fn.use != nil {
		fn.use.packer.close()
	}
}

// useRows is how many rows are pre-aggregated before what they come to goes on.
const useRows = 128 << 10

func (fn *clickUseFn) ProcessElement(rows table.Rows, events, late func(table.Rows), fragments, funnels, steps, partials func(string, []byte)) error {
	out := output{group: rows.Group}
	if out.err = fn.use.add(rows.Batch, &out); out.err == nil && fn.use.rows >= useRows {
		out.err = fn.use.flush(&out)
	}
	return failure.Note(fn.Config.Common.Run, (&emitters{events: events, late: late, fragments: fragments, funnels: funnels, steps: steps, partials: partials}).emit(out))
}

func (fn *clickUseFn) FinishBundle(events, late func(table.Rows), fragments, funnels, steps, partials func(string, []byte)) error {
	var out output
	out.err = fn.use.flush(&out)
	return failure.Note(fn.Config.Common.Run, (&emitters{events: events, late: late, fragments: fragments, funnels: funnels, steps: steps, partials: partials}).emit(out))
}
