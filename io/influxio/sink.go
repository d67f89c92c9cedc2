package influxio

import (
	"context"
	"fmt"
	"net/http"

	"github.com/cespare/xxhash/v2"

	"millrace/io/calls"
	"millrace/io/driver"
	"millrace/io/timeseries"
	"millrace/schemas/pii"
	"millrace/schemas/table"
)

// Sink writes the rows of a schema; see the package for what it guarantees.
//
// Rows gather into batches, and as many as the URL says are on their way at a time,
// those of one point one after the other. Batches are held until their rows are stored.
type Sink struct {
	config   *config
	http     *http.Client
	encoder  *encoder
	sender   *calls.Sender[batch]
	frontier *frontier
	line     []byte
}

var _ driver.Sink = (*Sink)(nil)

// Open opens a database, or a bucket, for rows of a schema:
//
//	influx://HOST:PORT/DATABASE
//	influx+https://HOST:8086/BUCKET?api=v2&org=NAME&key_env=INFLUX_TOKEN
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
	s := &Sink{config: c, encoder: newEncoder(c), frontier: newFrontier(c.calls)}
	if s.http, err = calls.NewHTTP(c.calls, c.ca); err != nil {
		return nil, c.fault(err.Error(), "put the file where the workers run")
	}
	s.sender = calls.Start(ctx, calls.Options[batch]{
		Place: c.place, Lanes: c.calls, New: func() *batch { return &batch{} },
		Deliver: s.deliver, Reset: (*batch).reset, Refused: options.Refused,
	})
	return s, nil
}

// Write implements driver.Sink.
func (s *Sink) Write(ctx context.Context, rows table.Rows) error {
	return s.sender.Write(ctx, s.config.shape.Schema, rows, s.add)
}

// add puts a row into the current batch of the lane that its point has, which goes when
// it is full.
func (s *Sink) add(ctx context.Context, rows table.Rows, row int) error {
	e, c := s.encoder, s.config
	it := item{Row: calls.Row{Rows: rows, Row: uint32(row)}} //nolint:gosec // a batch has less than 2^32 rows
	if why := e.unfit(rows, row); why != "" {
		return s.sender.Refuse(it.Refused(driver.RefusedInvalid, "", c.fault(why, "")))
	}
	if why := e.unfitText(rows.Batch, row); why != "" {
		return s.sender.Refuse(it.Refused(driver.RefusedTooLarge, "", c.fault(why, "")))
	}
	line, slot := e.series(s.line[:0], rows.Batch, row)
	it.key, it.time = uint32(len(line)), e.time(c.shape.Millis(rows.Batch, row), slot) //nolint:gosec // is checked below
	if s.line = e.appendFields(line, rows, row, it.time); int(it.key) > maxKey || len(s.line) > c.bytes {
		why := fmt.Sprintf("a row is a line of %d bytes with a key of %d; a call takes %d, a key %d", len(s.line), it.key, c.bytes, maxKey)
		return s.sender.Refuse(it.Refused(driver.RefusedTooLarge, "", c.fault(why, "raise bytes=")))
	}
	if v := c.shape.Version; v >= 0 {
		it.rank = timeseries.Rank(rows.Batch.Int(v, row), rows.Kind)
	}
	lane := int(pointHash(xxhash.Sum64(line), it.time) % uint64(c.calls)) //nolint:gosec // at most 64
	b, err := s.sender.Current(ctx, lane)
	if err != nil {
		return err
	}
	if len(b.text)+len(s.line) > c.bytes { // it begins the next one
		if err := s.sender.Hand(ctx, lane); err != nil {
			return err
		}
		if b, err = s.sender.Current(ctx, lane); err != nil {
			return err
		}
	}
	b.lane = lane
	it.from = len(b.text)
	b.text = append(b.text, s.line...)
	it.to = len(b.text)
	b.items = append(b.items, it)
	if len(b.items) < c.rows {
		return nil
	}
	return s.sender.Hand(ctx, lane)
}

// Flush implements driver.Sink.
func (s *Sink) Flush(ctx context.Context) error { return s.sender.Flush(ctx) }

// Close implements driver.Sink. A sink that has failed ends at once, with what it
// failed with.
func (s *Sink) Close(ctx context.Context) error {
	defer s.http.CloseIdleConnections()
	return s.sender.Close(ctx)
}

// Stats tells how far the sink is.
func (s *Sink) Stats() calls.Stats { return s.sender.Stats() }
