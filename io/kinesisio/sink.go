package kinesisio

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"millrace/io/driver"
	"millrace/schemas/pii"
	"millrace/schemas/table"
)

// maxRowsBuffered is the weight of rows on their way. A sink holds each twice, as
// document and in its batch, and once more, a third longer, in a call, whose buffer may
// be twice as long: with all that it stays within 64 MiB.
const maxRowsBuffered = 10 << 20

// Sink puts rows into a stream as JSON documents, one a row.
//
// It appends: a row that is written again, because a bundle was repeated or the
// answer to a call was lost, is in the stream again, with the same bytes. Readers
// who need each row once recognise it by its columns of identity; documents of rows
// that overwrite each other, which are those with a column version, begin with _op
// ("upsert" or "withdraw"), _version, of which the greatest counts, and _sealed. Rows of
// equal partition key keep their order. A row that the service can never accept is
// refused and the others go on.
//
// Batches are held until their rows are stored.
type Sink struct {
	place    place
	schema   *table.Schema
	document document
	key      keyTemplate
	buf, out []byte

	ctx      context.Context // of the producer, which the first row starts
	options  ProducerOptions
	producer *Producer           // nil before
	wrap     func(putter) putter // of tests; nil for none
	refused  func(driver.RefusedRow)

	mu       sync.Mutex
	refusals []driver.RefusedRow // not told yet
}

var _ driver.Sink = (*Sink)(nil)

// Open opens a stream for rows of a schema. Of its URL, key says what their partition
// key is: a column (key=visitor_id), or a text with columns in braces
// (key={visitor_id}/{day}); {day} is the UTC day of the row unless there is a column of
// that name. Without it, the key is the first column of an id, or else the columns that
// order the rows.
//
// Nothing is sent before the first row, and a stream that cannot be reached then is
// waited for. What is under way ends with ctx. A schema that holds unmasked personal
// data is refused.
func Open(ctx context.Context, url string, schema *table.Schema, options driver.SinkOptions) (*Sink, error) {
	s, err := parseSink(url, schema)
	if err != nil {
		return nil, err
	}
	s.ctx, s.refused = ctx, options.Refused
	if options.Refused != nil {
		s.options.refused = s.refuse
	}
	return s, nil
}

// ValidateSink tells what is wrong with a sink's URL for rows of a schema, without
// asking anybody.
func ValidateSink(url string, schema *table.Schema) error {
	_, err := parseSink(url, schema)
	return err
}

func parseSink(url string, schema *table.Schema) (*Sink, error) {
	at, err := parsePlace(url)
	if err != nil {
		return nil, err
	}
	options := readProducer(at, ProducerOptions{MaxBuffered: maxRowsBuffered})
	expression := at.Text("key", "")
	if err := at.Done(); err != nil {
		return nil, err
	}
	s, err := newSink(at, schema, expression)
	if err != nil {
		return nil, err
	}
	s.options = options
	return s, nil
}

// newSink checks what needs no connection.
func newSink(at place, schema *table.Schema, expression string) (*Sink, error) {
	if err := pii.Refuse(schema.RowType()); err != nil {
		return nil, fmt.Errorf("write rows of %s to %s: %w", schema.ID(), at, err)
	}
	key, err := parseKey(expression, schema)
	if err != nil {
		return nil, badPlace(at.String(), err.Error(), "write key=COLUMN or key=text{COLUMN}text")
	}
	return &Sink{place: at, schema: schema, document: newDocument(schema), key: key}, nil
}

// Write implements driver.Sink. It returns when the rows are accepted, not when they
// are stored: Flush does that.
func (s *Sink) Write(ctx context.Context, rows table.Rows) error {
	b := rows.Batch
	if b.Schema() != s.schema {
		return fmt.Errorf("write to %s: rows of %s, but it was opened for %s", s.place, b.Schema().ID(), s.schema.ID())
	}
	if b.Len() == 0 {
		return nil
	}
	if err := s.start(ctx); err != nil {
		return err
	}
	defer s.tell()
	for row := range b.Len() {
		s.buf = s.document.append(s.buf[:0], &rows, row)
		s.out = s.key.append(s.out[:0], b, row)
		q := queued{Record: Record{Key: partitionKey(s.out), Data: s.buf}, rows: &rows, row: uint32(row)}
		if err := s.producer.accept(ctx, q); err != nil {
			return err
		}
	}
	return nil
}

// start sees to the producer, once.
func (s *Sink) start(ctx context.Context) error {
	if s.producer != nil {
		return nil
	}
	// Calls of the beginning are the caller's, and told of as those of the sink are.
	asking, cancel := context.WithCancelCause(s.ctx)
	defer cancel(nil)
	defer context.AfterFunc(ctx, func() { cancel(context.Cause(ctx)) })()
	for tries := 1; ; tries++ {
		p, err := openProducer(s.ctx, asking, s.place, s.options, s.wrap)
		switch {
		case err == nil:
			s.producer = p
			return nil
		case asking.Err() != nil:
			return errors.Join(context.Cause(asking), err)
		case !passes(err):
			return err
		}
		driver.Retried(s.ctx, err)
		if !rest(asking, backoff(tries)) {
			return errors.Join(context.Cause(asking), err)
		}
	}
}

// Flush implements driver.Sink.
func (s *Sink) Flush(ctx context.Context) error {
	if s.producer == nil {
		return nil
	}
	defer s.tell()
	return s.producer.Flush(ctx)
}

// Close implements driver.Sink; see Producer.Close.
func (s *Sink) Close(ctx context.Context) error {
	if s.producer == nil {
		return nil
	}
	defer s.tell()
	return s.producer.Close(ctx)
}

// Stats tells how far the sink is.
func (s *Sink) Stats() ProducerStats {
	if s.producer == nil {
		return ProducerStats{}
	}
	return s.producer.Stats()
}

// refuse keeps a row until it can be told of. The producer calls it from anywhere.
func (s *Sink) refuse(q *queued, err error) {
	alone := table.NewBatch(q.rows.Batch.Schema())
	alone.Gather(q.rows.Batch, []uint32{q.row})
	row := driver.RefusedRow{
		Rows:   table.Rows{Batch: alone, Kind: q.rows.Kind, Group: q.rows.Group},
		Reason: driver.RefusedInvalid, Code: errorCode(err), Err: err, Attempts: int(q.attempts),
	}
	if tooLarge := sizeError(""); errors.As(err, &tooLarge) {
		row.Reason = driver.RefusedTooLarge
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refusals = append(s.refusals, row)
}

// tell tells of refused rows, on the goroutine of the sink's caller.
func (s *Sink) tell() {
	s.mu.Lock()
	rows := s.refusals
	s.refusals = nil
	s.mu.Unlock()
	for _, row := range rows {
		s.refused(row)
	}
}
