package transforms

import (
	"reflect"
	"strconv"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"

	"millrace/internal/failure"
	"millrace/schemas/clickstream"
	"millrace/schemas/late"
	"millrace/schemas/table"
	"millrace/transforms/clickevents"
	"millrace/transforms/funnels"
	"millrace/transforms/sessions"
	"millrace/transforms/shop"
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

// useRows is how many rows are pre-aggregated before what they come to goes on.
const useRows = 128 << 10

type clickUseFn struct {
	Config ClickUseConfig

	packer   packer
	sessions *sessions.Collector
	funnels  *funnels.Collector // nil without funnels
	steps    *shop.Collector
	rollups  *shopRollups
	rows     int // since the last flush
	touch    []byte
	items    []clickevents.ItemOf
}

func (fn *clickUseFn) Setup() (err error) {
	fn.packer.dir = fn.Config.Common.Spill
	fn.steps, fn.rollups = shop.NewCollector(), newShopRollups(fn.Config.Shop)
	if fn.sessions, err = sessions.NewCollector(fn.Config.Sessions); err != nil {
		return err
	}
	if len(fn.Config.Funnels) == 0 {
		return nil
	}
	set, err := funnelSet{fn.Config.Funnels, clickstream.Events.ID()}.compile()
	if err != nil {
		return err
	}
	fn.funnels = set.NewCollector(funnels.Columns{
		Visitor: clickstream.EventVisitorID, Time: clickstream.EventTime, Source: clickstream.EventSource, Position: clickstream.EventPosition, Late: clickstream.EventLate,
	})
	return nil
}

func (fn *clickUseFn) Teardown() { fn.packer.close() }

func (fn *clickUseFn) ProcessElement(rows table.Rows, events, late func(table.Rows), fragments, funnels, steps, partials func(string, []byte)) error {
	return failure.Note(fn.Config.Common.Run, fn.use(rows, events, late, fragments, funnels, steps, partials))
}

func (fn *clickUseFn) use(rows table.Rows, events, lates func(table.Rows), fragments, funnels, steps, partials func(string, []byte)) error {
	b := rows.Batch
	var inside []uint32
	for row := range b.Len() {
		within := fn.Config.Common.within(b.DayOf(row))
		if within {
			inside = append(inside, uint32(row))
		}
		if !b.Bool(clickstream.EventLate, row) {
			if err := fn.count(b, row, within); err != nil {
				return err
			}
		}
	}
	if fn.funnels != nil {
		fn.funnels.Add(b, 0)
	}
	fn.rows += b.Len()
	if len(inside) > 0 {
		if len(inside) < b.Len() {
			rows = picked(rows, inside)
		}
		events(rows)
		late := table.NewBatch(late.Rows)
		if putLateClicks(late, rows.Batch); late.Len() > 0 {
			lates(table.Rows{Batch: late, Group: rows.Group})
		}
	}
	if fn.rows < useRows {
		return nil
	}
	return fn.flush(fragments, funnels, steps, partials)
}

// count adds an event that came in time to what it belongs to.
func (fn *clickUseFn) count(b *table.Batch, row int, within bool) error {
	e := shopEvent{
		time: b.Int(clickstream.EventTime, row), name: string(b.Text(clickstream.EventName, row)),
		currency: textOf(b, clickstream.EventCurrency, row), channel: textOf(b, clickstream.EventTrafficChannel, row),
		visitor: textOf(b, clickstream.EventVisitorID, row), user: textOf(b, clickstream.EventUserID, row),
	}
	if !b.Null(clickstream.EventValue, row) {
		e.value = b.Int(clickstream.EventValue, row)
	}
	if !b.Null(clickstream.EventItems, row) {
		var err error
		if e.items, err = clickevents.ParseItems(b.Text(clickstream.EventItems, row), fn.items); err != nil {
			return err
		}
	}
	if e.visitor != "" {
		fn.visit(b, row, &e)
	}
	if within {
		fn.rollups.add(&e)
	}
	return nil
}

// visit adds an event of a visitor to his visits. Days further away than a day before
// and after do not matter to sessions, but do to what goes together.
func (fn *clickUseFn) visit(b *table.Batch, row int, e *shopEvent) {
	source, position := textOf(b, clickstream.EventSource, row), b.Int(clickstream.EventPosition, row)
	if !b.Null(clickstream.EventSequence, row) {
		source += "/" + textOf(b, clickstream.EventSequence, row)
	}
	if kind := shop.KindOf(e.name); kind != shop.None {
		fn.steps.Add(e.visitor, shop.Step{Time: e.time, Source: source, Position: position, Kind: kind, Currency: e.currency, Items: append([]clickevents.ItemOf(nil), e.items...)})
	}
	if !fn.Config.Common.near(table.FloorDay(e.time), 1, 1) || isServer(b, row) {
		return
	}
	fn.touch = fn.touch[:0]
	if e.channel != "" {
		fn.touch = sessions.AppendTouch(fn.touch, b.Text(clickstream.EventTrafficSource, row), b.Text(clickstream.EventTrafficMedium, row), b.Text(clickstream.EventTrafficCampaign, row), []byte(e.channel))
	}
	fn.sessions.Add(sessions.VisitorOf(e.visitor), &sessions.Event{
		Time: e.time, Source: source, Position: position, Page: b.Bool(clickstream.EventPageView, row), Path: b.Text(clickstream.EventPagePath, row),
		Campaign: b.Text(clickstream.EventTrafficCampaign, row), Touch: fn.touch, Direct: e.channel == "Direct", Conversion: e.name == "purchase",
	})
}

// isServer tells whether a server sent the event: it is part of no visit.
func isServer(b *table.Batch, row int) bool {
	return string(b.Text(clickstream.EventPlatform, row)) == "server"
}

// textOf is a text, empty for null.
func textOf(b *table.Batch, col, row int) string { return string(b.Text(col, row)) }

func (fn *clickUseFn) FinishBundle(_, _ func(table.Rows), fragments, funnels, steps, partials func(string, []byte)) error {
	return failure.Note(fn.Config.Common.Run, fn.flush(fragments, funnels, steps, partials))
}

func (fn *clickUseFn) flush(fragments, funnels, steps, partials func(string, []byte)) error {
	fn.rows = 0
	send := func(emit func(string, []byte), key string, blob []byte) error {
		packed, err := fn.packer.pack(blob)
		if err == nil {
			emit(key, packed)
		}
		return err
	}
	for _, p := range fn.sessions.Flush(visitorShards) {
		if err := send(fragments, strconv.Itoa(p.Shard), p.Blob); err != nil {
			return err
		}
	}
	if fn.funnels != nil {
		for _, p := range fn.funnels.Flush(visitorShards) {
			if err := send(funnels, strconv.Itoa(p.Shard), p.Blob); err != nil {
				return err
			}
		}
	}
	for _, p := range fn.steps.Flush(visitorShards) {
		if err := send(steps, strconv.Itoa(p.Shard), p.Blob); err != nil {
			return err
		}
	}
	return fn.rollups.take(func(key string, blob []byte) error { return send(partials, key, blob) })
}
