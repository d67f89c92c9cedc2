package transforms

import (
	"context"
	"time"

	"millrace/schemas/record"
	"millrace/schemas/table"
	"millrace/schemas/weblog"
	"millrace/transforms/funnels"
)

// funnelLogFn is accessLogFn with one output more, of funnels. Without funnels a
// pipeline is what it would be if there were none in the world, so that it goes on
// from savepoints of such.
type funnelLogFn struct{ Logs accessLogFn }

func (fn *funnelLogFn) Setup(ctx context.Context) error { return fn.Logs.Setup(ctx) }

func (fn *funnelLogFn) Teardown() { fn.Logs.Teardown() }

func (fn *funnelLogFn) ProcessElement(ctx context.Context, block record.Block, events, bad, late, raw func(table.Rows), fragments, partials func(string, []byte), ledgers func([]byte), funnels func(string, []byte)) error {
	return fn.Logs.cores.process(ctx, &block, &emitters{events: events, bad: bad, late: late, raw: raw, fragments: fragments, partials: partials, funnels: funnels, ledgers: ledgers})
}

func (fn *funnelLogFn) FinishBundle(events, bad, late, raw func(table.Rows), fragments, partials func(string, []byte), ledgers func([]byte), funnels func(string, []byte)) error {
	return fn.Logs.cores.finish(&emitters{events: events, bad: bad, late: late, raw: raw, fragments: fragments, partials: partials, funnels: funnels, ledgers: ledgers})
}

// newFunnelCollector is nil without funnels.
func newFunnelCollector(defs []funnels.Definition) (*funnels.Collector, error) {
	if len(defs) == 0 {
		return nil, nil
	}
	set, err := funnelSet{Definitions: defs}.compile()
	if err != nil {
		return nil, err
	}
	return set.NewCollector(funnels.Columns{
		Visitor: weblog.EventVisitorID, Time: weblog.EventTime, Source: weblog.EventSource, Position: weblog.EventPosition, Late: weblog.EventLate,
	}), nil
}

// daysAfter is how many days the longest window reaches beyond the day it begins on.
func daysAfter(defs []funnels.Definition) (days int64) {
	for i := range defs {
		days = max(days, int64((defs[i].Within+day-1)/day))
	}
	return days
}

const day = 24 * time.Hour

// collect hands the events that are about to go on to the funnels, and with them
// those that belong to no output.
func (c *core) collect(events *table.Batch) {
	if c.funnels == nil {
		return
	}
	c.funnels.Add(events, 0)
	if beyond := c.worker.TakeBeyond(); beyond != nil {
		c.funnels.Add(beyond, 0)
	}
}
