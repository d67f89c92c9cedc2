package lakequery

import (
	"context"
	"slices"
	"sync"

	"millrace/schemas/table"
	"millrace/schemas/weblog"
	"millrace/transforms/funnels"
)

var funnelColumns = funnels.Columns{
	Visitor: weblog.EventVisitorID, Time: weblog.EventTime, Source: weblog.EventSource, Position: weblog.EventPosition, Late: weblog.EventLate,
}

// Funnels counts visitors by funnel, day and step: what output funnel_steps of a run
// with these funnels would hold, as far as the events of the days that were opened
// tell. An attempt that began on the last of them may go on after it.
func (e *Events) Funnels(ctx context.Context, defs []funnels.Definition) ([]funnels.StepRow, error) {
	set, err := funnels.Compile(defs, weblog.Events, funnels.Options{})
	if err != nil {
		return nil, err
	}
	all := set.NewTally()
	err = e.visitors(ctx, set, func(evaluator *funnels.Evaluator, mu *sync.Mutex) error {
		best := funnels.BestOfDays(evaluator.Rows())
		mu.Lock()
		defer mu.Unlock()
		for i := range best {
			all.Add(&best[i])
		}
		return nil
	})
	return all.Rows(nil), err
}

// visitors reads what funnels need of the events and puts visitors together: use has
// those of one shard at a time, on each core, and takes the lock for what all share.
// Memory is that of the fragments of all events that satisfy something, and of what
// one shard is on each core.
func (e *Events) visitors(ctx context.Context, set *funnels.Set, use func(*funnels.Evaluator, *sync.Mutex) error) error {
	wanted := append(set.Reads(), funnelColumns.Visitor, funnelColumns.Time, funnelColumns.Source, funnelColumns.Position, funnelColumns.Late)
	slices.Sort(wanted)
	var fragments collected
	err := e.scan(ctx, slices.Compact(wanted), func() (func(int, *table.Batch) error, error) {
		c := set.NewCollector(funnelColumns)
		return func(piece int, b *table.Batch) error {
			c.Add(b, 0)
			for _, p := range c.Flush(shards) {
				fragments.add(piece, p.Shard, p.Blob)
			}
			return nil
		}, nil
	})
	if err != nil {
		return err
	}
	var mu sync.Mutex
	return fragments.each(ctx, e.cores, func() (func([][]byte) error, error) {
		evaluator := set.NewEvaluator(nil)
		return func(blobs [][]byte) error {
			evaluator.Reset()
			for _, b := range blobs {
				if err := evaluator.Add(b); err != nil {
					return err
				}
			}
			return use(evaluator, &mu)
		}, nil
	})
}
