package kinesisio

import (
	"context"
	"errors"
	"sync"

	"millrace/io/driver"
	"millrace/schemas/table"
)

// maxRowsBuffered is the weight of rows on their way. A sink holds each twice, as
// document and in its batch, and once more, a third longer, in a call, whose buffer may
// be twice as long: with all that it stays within 64 MiB.
const maxRowsBuffered = 10 << 20

// RowSink is a Sink of rows of any kind. Documents of rows that overwrite each other,
// which are those with a column version, are marked; see WriteMarked. A row that the
// service can never accept is refused and the others go on.
//
// Batches are held until their rows are stored.
type RowSink struct {
	sink    *Sink
	options driver.SinkOptions
	version int // column; -1 for none
	marks   Marks

	ctx      context.Context // of the producer, which the first row starts
	producer ProducerOptions
	wrap     func(putter) putter // of tests; nil for none

	mu       sync.Mutex
	refusals []driver.RefusedRow // not told yet
}

var _ driver.Sink = (*RowSink)(nil)

// Open is OpenSink for rows of any kind. Nothing is sent before the first row, and a
// stream that cannot be reached then is waited for. What is under way ends with ctx.
func Open(ctx context.Context, url string, schema *table.Schema, options driver.SinkOptions) (*RowSink, error) {
	at, err := parsePlace(url)
	if err != nil {
		return nil, err
	}
	opt := readProducer(at, ProducerOptions{MaxBuffered: maxRowsBuffered})
	expression := at.Text("key", "")
	if err := at.Done(); err != nil {
		return nil, err
	}
	sink, err := newSink(at, schema, expression)
	if err != nil {
		return nil, err
	}
	s := &RowSink{sink: sink, options: options, ctx: ctx, version: -1}
	if i, ok := schema.Index("version"); ok && schema.Columns[i].Kind == table.Int64 {
		s.version = i
	}
	if options.Refused != nil {
		opt.refused = s.refuse
	}
	s.producer = opt
	return s, nil
}

// Write implements driver.Sink.
func (s *RowSink) Write(ctx context.Context, rows table.Rows) error {
	if rows.Batch.Len() == 0 {
		return nil
	}
	if err := s.start(ctx); err != nil {
		return err
	}
	err := s.sink.write(ctx, rows, s.marked(rows))
	s.tell()
	return err
}

// marked are the marks of rows; nil for rows without a version.
func (s *RowSink) marked(rows table.Rows) *Marks {
	if s.version < 0 {
		return nil
	}
	s.marks.Kind, s.marks.Versions = rows.Kind, s.marks.Versions[:0]
	for row := range rows.Batch.Len() {
		s.marks.Versions = append(s.marks.Versions, rows.Batch.Int(s.version, row))
	}
	return &s.marks
}

// start sees to the producer, once.
func (s *RowSink) start(ctx context.Context) error {
	if s.sink.producer != nil {
		return nil
	}
	// Calls of the beginning are the caller's, and told of as those of the sink are.
	asking, cancel := context.WithCancelCause(s.ctx)
	defer cancel(nil)
	defer context.AfterFunc(ctx, func() { cancel(context.Cause(ctx)) })()
	for tries := 1; ; tries++ {
		p, err := openProducer(s.ctx, asking, s.sink.place, s.producer, s.wrap)
		switch {
		case err == nil:
			s.sink.producer = p
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
func (s *RowSink) Flush(ctx context.Context) error {
	if s.sink.producer == nil {
		return nil
	}
	err := s.sink.Flush(ctx)
	s.tell()
	return err
}

// Close implements driver.Sink; see Producer.Close.
func (s *RowSink) Close(ctx context.Context) error {
	if s.sink.producer == nil {
		return nil
	}
	err := s.sink.Close(ctx)
	s.tell()
	return err
}

// Stats tells how far the sink is.
func (s *RowSink) Stats() ProducerStats {
	if s.sink.producer == nil {
		return ProducerStats{}
	}
	return s.sink.Stats()
}

// refuse keeps a row until it can be told of. The producer calls it from anywhere.
func (s *RowSink) refuse(q *queued, err error) {
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
func (s *RowSink) tell() {
	s.mu.Lock()
	rows := s.refusals
	s.refusals = nil
	s.mu.Unlock()
	for _, row := range rows {
		s.options.Refused(row)
	}
}
