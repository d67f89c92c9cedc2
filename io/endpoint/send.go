package endpoint

import (
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"

	"millrace/internal/failure"
	"millrace/io/driver"
	"millrace/io/kinesisio"
	"millrace/schemas/table"
)

func init() { beam.RegisterType(reflect.TypeFor[sendFn]()) }

// Sending says where an output goes besides the lake.
type Sending struct {
	Run    string
	Output string
	Schema string // table.Schema.ID
	URL    string
}

// Send puts the rows of an output, which are those of its schema in
// PCollection<table.Rows>, into a sink. What a bundle brought is stored when it
// ends.
//
// The result, KV<string, []byte>, says how many rows were sent.
func Send(s beam.Scope, to Sending, rows beam.PCollection) beam.PCollection {
	return beam.ParDo(s.Scope("endpoint.Send"), &sendFn{Sending: to}, rows)
}

type sendFn struct {
	Sending Sending

	sink driver.Sink
	sent int64
}

func (fn *sendFn) Setup(ctx context.Context) error {
	schema, ok := table.Lookup(fn.Sending.Schema)
	if !ok {
		return failure.Note(fn.Sending.Run, fmt.Errorf("sending %s: unknown schema %s", fn.Sending.Output, fn.Sending.Schema))
	}
	sink, err := OpenSink(context.WithoutCancel(ctx), fn.Sending.URL, schema)
	fn.sink = sink
	return failure.Note(fn.Sending.Run, err)
}

func (fn *sendFn) StartBundle(context.Context, func(string, []byte)) { fn.sent = 0 }

func (fn *sendFn) ProcessElement(ctx context.Context, rows table.Rows, _ func(string, []byte)) error {
	if rows.Batch.Schema().ID() != fn.Sending.Schema {
		return nil // of another output
	}
	fn.sent += int64(rows.Batch.Len())
	return failure.Note(fn.Sending.Run, refused("the sink", fn.sink.Write(ctx, rows)))
}

func (fn *sendFn) FinishBundle(ctx context.Context, emit func(string, []byte)) error {
	if fn.sent == 0 {
		return nil
	}
	if err := fn.sink.Flush(ctx); err != nil {
		return failure.Note(fn.Sending.Run, refused("the sink", err))
	}
	rowsSent.Inc(ctx, fn.sent)
	b, err := json.Marshal(Closing{Sent: map[string]int64{fn.Sending.Output: fn.sent}})
	if err != nil {
		return failure.Note(fn.Sending.Run, err)
	}
	emit(closingKey, b)
	return nil
}

func (fn *sendFn) Teardown(ctx context.Context) error {
	if fn.sink == nil {
		return nil
	}
	return fn.sink.Close(ctx)
}

var rowsSent = beam.NewCounter("millrace", "sent")

// kinesisSink puts rows into a stream. Those that overwrite each other say so, by
// their column version.
type kinesisSink struct {
	*kinesisio.Sink
	version int // column; -1 for none
}

func openKinesisSink(ctx context.Context, url string, schema *table.Schema) (driver.Sink, error) {
	sink, err := kinesisio.OpenSink(ctx, url, schema, kinesisio.ProducerOptions{})
	if err != nil {
		return nil, err
	}
	return &kinesisSink{sink, slices.IndexFunc(schema.Columns, func(c table.Column) bool { return c.Name == "version" })}, nil
}

// Write implements driver.Sink.
func (s *kinesisSink) Write(ctx context.Context, rows table.Rows) error {
	if s.version < 0 {
		return s.Sink.Write(ctx, rows.Batch)
	}
	versions := make([]int64, rows.Batch.Len())
	for i := range versions {
		versions[i] = rows.Batch.Int(s.version, i)
	}
	return s.WriteMarked(ctx, rows.Batch, kinesisio.Marks{Kind: rows.Kind, Versions: versions})
}
