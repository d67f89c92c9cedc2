package kinesisio

import (
	"context"
	"fmt"

	"millrace/schemas/pii"
	"millrace/schemas/table"
)

// Sink puts rows into a stream as JSON documents, one a row.
//
// It appends: a row that is written again, because a bundle was repeated or the
// answer to a call was lost, is in the stream again, with the same bytes. Readers
// who need each row once recognise it by its columns of identity; for rows that
// overwrite each other, WriteMarked puts what they need into the document. Rows
// of equal partition key keep their order.
type Sink struct {
	producer *Producer
	place    place
	schema   *table.Schema
	document document
	key      keyTemplate
	buf, out []byte
}

// OpenSink opens a stream for rows of a schema. Of its URL, key says what their
// partition key is: a column (key=visitor_id), or a text with columns in braces
// (key={visitor_id}/{day}); {day} is the UTC day of the row unless there is a
// column of that name. Without it, the key is the first column of an id, or else
// the columns that order the rows. The parameters aggregate and order win over
// the options.
//
// A schema that holds unmasked personal data is refused.
func OpenSink(ctx context.Context, url string, schema *table.Schema, opt ProducerOptions) (*Sink, error) {
	place, err := parsePlace(url)
	if err != nil {
		return nil, err
	}
	opt = readProducer(place, opt)
	expression := place.Text("key", "")
	if err := place.Done(); err != nil {
		return nil, err
	}
	s, err := newSink(place, schema, expression)
	if err != nil {
		return nil, err
	}
	s.producer, err = openProducer(ctx, ctx, place, opt, nil)
	return s, err
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

// Write puts the rows of a batch. It returns when they are accepted, not when
// they are stored: Flush does that.
func (s *Sink) Write(ctx context.Context, rows *table.Batch) error {
	return s.write(ctx, table.Rows{Batch: rows}, nil)
}

// Marks are what readers need to apply rows that overwrite each other.
type Marks struct {
	Kind table.RowKind
	// Versions is a number for each row: of the rows of one identity, the greatest
	// version counts. Nil leaves it out.
	Versions []int64
}

// WriteMarked puts rows whose documents begin with _op ("upsert" or "withdraw"),
// _version, if there are versions, and _sealed.
func (s *Sink) WriteMarked(ctx context.Context, rows *table.Batch, marks Marks) error {
	return s.write(ctx, table.Rows{Batch: rows, Kind: marks.Kind}, &marks)
}

func (s *Sink) write(ctx context.Context, rows table.Rows, marks *Marks) error {
	b := rows.Batch
	if b.Schema() != s.schema {
		return fmt.Errorf("write to %s: rows of %s, but it was opened for %s", s.place, b.Schema().ID(), s.schema.ID())
	}
	for row := range b.Len() {
		s.buf = s.document.append(s.buf[:0], b, row, marks)
		s.out = s.key.append(s.out[:0], b, row)
		q := queued{Record: Record{Key: partitionKey(s.out), Data: s.buf}, rows: &rows, row: uint32(row)}
		if err := s.producer.accept(ctx, q); err != nil {
			return err
		}
	}
	return nil
}

// Flush returns when all rows written are stored, or refused.
func (s *Sink) Flush(ctx context.Context) error { return s.producer.Flush(ctx) }

// Close flushes and ends the sink; see Producer.Close.
func (s *Sink) Close(ctx context.Context) error { return s.producer.Close(ctx) }

// Stats tells how far the sink is.
func (s *Sink) Stats() ProducerStats { return s.producer.Stats() }
