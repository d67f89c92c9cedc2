package opensearchio

import (
	"context"
	"fmt"
	"slices"
	"sync/atomic"

	"millrace/io/calls"
	"millrace/io/driver"
	"millrace/schemas/pii"
	"millrace/schemas/table"
)

// Sink writes the rows of a schema; see the package for what it guarantees.
//
// Rows gather into bulks, and as many bulks as the URL says are on their way at a
// time, in any order: versions decide. Batches are held until their rows are stored.
type Sink struct {
	config  *config
	client  *client
	sender  *calls.Sender[bulk]
	path    string // of bulks
	encoder *encoder
	ready   bool // the template is there
	retried atomic.Int64
}

// Stats count rows unless they say otherwise.
type Stats struct {
	calls.Stats
	Retried int64 // put off by OpenSearch and sent again
}

var _ driver.Sink = (*Sink)(nil)

// Open opens an index, or one for each day, or a data stream, for rows of a schema:
//
//	opensearch://HOST:PORT/INDEX
//	opensearch+https://HOST/INDEX-{day}?compress=gzip&login_env=OPENSEARCH_LOGIN
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
	client, err := newClient(ctx, c)
	if err != nil {
		return nil, err
	}
	s := &Sink{config: c, client: client, encoder: newEncoder(c), path: "/_bulk?" + answerFilter}
	if !c.index.daily {
		s.path = "/" + c.index.before + s.path
	}
	s.sender = calls.Start(ctx, calls.Options[bulk]{
		Place: c.place, Lanes: 1, Each: c.calls, New: func() *bulk { return &bulk{} },
		Deliver: s.deliver, Reset: (*bulk).reset, Refused: options.Refused,
	})
	return s, nil
}

// Write implements driver.Sink.
func (s *Sink) Write(ctx context.Context, rows table.Rows) error {
	if rows.Batch.Len() > 0 && !s.ready {
		if err := s.prepare(ctx); err != nil {
			return err
		}
	}
	return s.sender.Write(ctx, s.config.schema, rows, s.add)
}

// prepare sees to the template, once.
func (s *Sink) prepare(ctx context.Context) error {
	merged, cancel := s.sender.Context(ctx)
	defer cancel()
	if err := s.sender.Insist(merged, func() error { return s.client.prepare(merged) }); err != nil {
		s.sender.End(err)
		return s.sender.Failure(ctx)
	}
	s.ready = true
	return nil
}

// lane is the only one.
const lane = 0

// add puts a row into the current bulk, which goes when it is full.
func (s *Sink) add(ctx context.Context, rows table.Rows, row int) error {
	b, err := s.sender.Current(ctx, lane)
	if err != nil {
		return err
	}
	it := item{Row: calls.Row{Rows: rows, Row: uint32(row)}} //nolint:gosec // a batch has less than 2^32 rows
	if why := s.unfit(rows, row); why != "" {
		return s.sender.Refuse(it.Refused(driver.RefusedInvalid, "", s.config.fault(why, "")))
	}
	it.from = len(b.text)
	b.text = s.encoder.append(b.text, rows, row)
	it.to = len(b.text)
	if size := it.to - it.from; size > s.config.bytes {
		b.text = b.text[:it.from]
		why := fmt.Sprintf("a row is a document of %d bytes, and a call takes %d", size, s.config.bytes)
		return s.sender.Refuse(it.Refused(driver.RefusedTooLarge, "", s.config.fault(why, "raise bytes=")))
	}
	if it.to > s.config.bytes { // it begins the next bulk
		begun := slices.Clone(b.text[it.from:])
		b.text = b.text[:it.from]
		if err := s.sender.Hand(ctx, lane); err != nil {
			return err
		}
		if b, err = s.sender.Current(ctx, lane); err != nil {
			return err
		}
		b.text = append(b.text, begun...)
		it.from, it.to = 0, len(begun)
	}
	b.items = append(b.items, it)
	if len(b.items) < s.config.rows {
		return nil
	}
	return s.sender.Hand(ctx, lane)
}

// unfit tells what of a row no index can take, empty when nothing.
func (s *Sink) unfit(rows table.Rows, row int) string {
	if v := s.encoder.version; v >= 0 {
		if version := rows.Batch.Int(v, row); version < 0 || version > maxVersion {
			return fmt.Sprintf("the version %d is not between 0 and 2^62", version)
		}
	}
	if day := rows.Batch.DayOf(row); s.config.index.daily && (day < firstDay || day > lastDay) {
		return "the day of a row is not between 1900 and 2099, and has no index"
	}
	return ""
}

// Flush implements driver.Sink.
func (s *Sink) Flush(ctx context.Context) error { return s.sender.Flush(ctx) }

// Close implements driver.Sink. A sink that has failed ends at once, with what it
// failed with.
func (s *Sink) Close(ctx context.Context) error {
	defer s.client.http.CloseIdleConnections()
	return s.sender.Close(ctx)
}

// Stats tells how far the sink is.
func (s *Sink) Stats() Stats { return Stats{Stats: s.sender.Stats(), Retried: s.retried.Load()} }
