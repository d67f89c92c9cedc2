package timestreamio

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/service/timestreamwrite"
	"github.com/cespare/xxhash/v2"

	"millrace/io/calls"
	"millrace/io/driver"
	"millrace/schemas/pii"
	"millrace/schemas/table"
)

// Sink writes the rows of a schema; see the package for what it guarantees.
//
// Rows gather into calls, and as many as the URL says are under way at a time. Batches
// are held until their rows are stored.
type Sink struct {
	config *config
	client *timestreamwrite.Client
	sender *calls.Sender[call]
}

// call is what goes in one WriteRecords, or in more where one is refused as a whole.
type call struct {
	items []*item
	index map[string]int // places in items by key
	size  int
}

func (c *call) reset() {
	clear(c.items)
	clear(c.index)
	c.items, c.size = c.items[:0], 0
}

var _ driver.Sink = (*Sink)(nil)

// Open opens a table for rows of a schema:
//
//	timestream://DATABASE/TABLE?region=eu-west-1
//
// Nothing is sent before the first row. A schema that is no time series and one that
// holds unmasked personal data are refused.
func Open(ctx context.Context, url string, schema *table.Schema, options driver.SinkOptions) (*Sink, error) {
	c, err := parse(url, schema)
	if err != nil {
		return nil, err
	}
	if err := pii.Refuse(schema.RowType()); err != nil {
		return nil, fmt.Errorf("write rows of %s to %s: %w", schema.ID(), c.place, err)
	}
	client, err := newClient(ctx, c)
	if err != nil {
		return nil, err
	}
	s := &Sink{config: c, client: client}
	s.sender = calls.Start(ctx, calls.Options[call]{
		Place: c.place, Lanes: c.calls, New: func() *call { return &call{index: map[string]int{}} },
		Deliver: s.deliver, Reset: (*call).reset, Refused: options.Refused,
	})
	return s, nil
}

// Write implements driver.Sink.
func (s *Sink) Write(ctx context.Context, rows table.Rows) error {
	return s.sender.Write(ctx, s.config.shape.Schema, rows, s.add)
}

// add puts a row into the current call of the lane that its record has, which goes when
// it is full. Of rows of one record in one call the newest is sent: Timestream does not
// say what it makes of two.
func (s *Sink) add(ctx context.Context, rows table.Rows, row int) error {
	it, why := s.config.itemOf(rows, row)
	if why == nil && it.size > s.config.bytes {
		why = &unfit{driver.RefusedTooLarge, fmt.Sprintf("its record takes %d bytes, and a call %d", it.size, s.config.bytes)}
	}
	if why != nil {
		return s.sender.Refuse(it.Refused(why.reason, "", s.config.fault(why.why, "")))
	}
	lane := int(xxhash.Sum64String(it.key) % uint64(s.config.calls)) //nolint:gosec // at most 64
	c, err := s.sender.Current(ctx, lane)
	if err != nil {
		return err
	}
	if c.size+it.size > s.config.bytes && len(c.items) > 0 { // it begins the next one
		if err := s.sender.Hand(ctx, lane); err != nil {
			return err
		}
		if c, err = s.sender.Current(ctx, lane); err != nil {
			return err
		}
	}
	if at, taken := c.index[it.key]; taken {
		s.sender.Count(func(st *calls.Stats) { st.Stale++ })
		if it.rank() >= c.items[at].rank() {
			c.size += it.size - c.items[at].size
			c.items[at] = it
		}
		return nil
	}
	c.index[it.key] = len(c.items)
	c.items = append(c.items, it)
	c.size += it.size
	if len(c.items) < s.config.rows {
		return nil
	}
	return s.sender.Hand(ctx, lane)
}

// rank is 0 for rows without a version.
func (it *item) rank() int64 {
	if it.record.Version == nil {
		return 0
	}
	return *it.record.Version
}

// Flush implements driver.Sink.
func (s *Sink) Flush(ctx context.Context) error { return s.sender.Flush(ctx) }

// Close implements driver.Sink. A sink that has failed ends at once, with what it
// failed with.
func (s *Sink) Close(ctx context.Context) error { return s.sender.Close(ctx) }

// Stats tells how far the sink is.
func (s *Sink) Stats() calls.Stats { return s.sender.Stats() }
