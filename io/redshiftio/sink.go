package redshiftio

import (
	"context"
	"errors"
	"fmt"
	"net/url"

	"millrace/io/driver"
	"millrace/io/lakeio"
	"millrace/schemas/pii"
	"millrace/schemas/table"
)

// Sink writes the rows of a schema; see the package for what it guarantees.
//
// Rows gather until they are a load, which goes on the goroutine of the caller: loads of
// a table follow each other in any case. Batches are held until their rows are stored.
type Sink struct {
	config  *config
	options driver.SinkOptions
	store   lakeio.Store // of the stage
	house   warehouse
	pending *pending
	limits  *limits // nil until the table is known
	name    string  // that no other sink has

	stats  Stats
	fault  error // the latest that may pass; nil once all went well
	ended  error // what the sink failed with; it stays so
	closed bool
}

// Stats count rows unless they say otherwise.
type Stats struct {
	Written    int64 // taken by Write
	Stored     int64
	Stale      int64 // there already, in their version or a later one
	Duplicates int64 // overwritten by others of their load
	Refused    int64
	Faults     int64 // calls that failed and were made again
	Loads      int64 // transactions that came to an end
	Replays    int64 // of them, those that had been there
}

var _ driver.Sink = (*Sink)(nil)

// errClosed is what a closed sink says.
var errClosed = errors.New("the sink is closed")

// Open opens a table for rows of a schema:
//
//	redshift://WORKGROUP/DATABASE/SCHEMA.TABLE?stage=s3://BUCKET/PREFIX&role=ARN
//	redshift://HOST:5439/DATABASE/SCHEMA.TABLE?via=wire&login_env=REDSHIFT_LOGIN&stage=s3://BUCKET/PREFIX
//
// Nothing is sent before the first row. A schema that holds unmasked personal data
// is refused.
func Open(ctx context.Context, url string, schema *table.Schema, options driver.SinkOptions) (*Sink, error) {
	c, err := parse(url, schema)
	if err != nil {
		return nil, err
	}
	if err := pii.Refuse(schema.RowType()); err != nil {
		return nil, fmt.Errorf("write rows of %s to %s: %w", schema.ID(), c.place, err)
	}
	s := &Sink{config: c, options: options, pending: newPending(c), name: randomText()}
	if s.store, err = lakeio.OpenStore(ctx, c.location()); err != nil {
		return nil, err
	}
	if c.wire {
		s.house, err = newWire(c)
	} else {
		s.house, err = newDataAPI(ctx, c)
	}
	return s, err
}

// location is the stage as the store takes it.
func (c *config) location() string {
	q := url.Values{}
	for name, value := range map[string]string{"region": c.region, "sse": c.sse, "kms_key_id": c.kmsKey} {
		if value != "" {
			q.Set(name, value)
		}
	}
	if len(q) == 0 {
		return c.stage
	}
	return c.stage + "?" + q.Encode()
}

// Write implements driver.Sink.
func (s *Sink) Write(ctx context.Context, rows table.Rows) error {
	if rows.Batch.Schema() != s.config.schema {
		return fmt.Errorf("write to %s: rows of %s, but it was opened for %s", s.config.place, rows.Batch.Schema().ID(), s.config.schema.ID())
	}
	if err := s.failure(ctx); err != nil || rows.Batch.Len() == 0 {
		return err
	}
	if err := s.prepare(ctx); err != nil {
		return s.end(ctx, err)
	}
	s.pending.hold(rows.Batch)
	s.limits.look(rows.Batch)
	for row := range rows.Batch.Len() {
		it := item{rows: rows, row: uint32(row)} // a batch has less than 2^32 rows
		if why := s.limits.unfit(rows.Batch, row); why != nil {
			if err := s.refuse(it.refused(why.reason, "", s.config.fault(why.text, why.cure))); err != nil {
				return s.end(ctx, err)
			}
			continue
		}
		s.pending.add(it)
		if len(s.pending.items) < s.config.rows {
			continue
		}
		if err := s.flush(ctx); err != nil {
			return s.end(ctx, err)
		}
		s.pending.hold(rows.Batch)
	}
	s.stats.Written += int64(rows.Batch.Len())
	if s.pending.bytes < s.config.bytes {
		return nil
	}
	return s.end(ctx, s.flush(ctx))
}

// Flush implements driver.Sink.
func (s *Sink) Flush(ctx context.Context) error {
	if err := s.failure(ctx); err != nil {
		return err
	}
	return s.end(ctx, s.flush(ctx))
}

// flush loads what has gathered.
func (s *Sink) flush(ctx context.Context) error {
	items, duplicates := s.pending.take()
	s.stats.Duplicates += duplicates
	if len(items) == 0 {
		return nil
	}
	return s.load(ctx, items)
}

// Close implements driver.Sink. A sink that has failed ends at once, with what it
// failed with.
func (s *Sink) Close(ctx context.Context) error {
	if s.closed {
		return nil
	}
	s.closed = true
	err := s.failure(ctx)
	if err == nil {
		err = s.end(ctx, s.flush(ctx))
	}
	if s.ended == nil {
		s.ended = errClosed
	}
	s.house.close()
	return err
}

// failure is why the sink has ended, or ends as ctx does; nil when it has not.
func (s *Sink) failure(ctx context.Context) error {
	if s.ended == nil && ctx.Err() != nil {
		return s.end(ctx, context.Cause(ctx))
	}
	return s.ended
}

// end keeps what the sink failed with, if anything.
func (s *Sink) end(ctx context.Context, err error) error {
	var known *driver.Error
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil && s.fault != nil:
		err = fmt.Errorf("write to %s: %w; before that: %w", s.config.place, err, s.fault)
	case !errors.As(err, &known):
		err = fmt.Errorf("write to %s: %w", s.config.place, err)
	}
	s.ended = err
	return err
}

// refuse tells of a refused row.
func (s *Sink) refuse(row driver.RefusedRow) error {
	if s.options.Refused == nil {
		return &driver.Error{
			Doing: "write to", Object: s.config.place, Class: driver.ErrInvalid,
			Cause: fmt.Errorf("a row is refused (%s), and nobody takes refused rows: %w", row.Reason, row.Err),
			Cure:  "mend the table or what makes such rows; none was dropped",
		}
	}
	s.stats.Refused++
	s.options.Refused(row)
	return nil
}

// noteFault keeps and tells a fault that may pass.
func (s *Sink) noteFault(ctx context.Context, err error) {
	s.stats.Faults++
	s.fault = err
	driver.Retried(ctx, err)
}

// Stats tells how far the sink is.
func (s *Sink) Stats() Stats { return s.stats }
