package endpoint

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"time"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"

	"millrace/internal/failure"
	"millrace/io/driver"
	"millrace/io/refusal"
	"millrace/schemas/refused"
	"millrace/schemas/table"
)

func init() { beam.RegisterType(reflect.TypeFor[sendFn]()) }

// Sending says where an output goes besides the lake.
type Sending struct {
	Run    string
	Sink   string // its name, by which rows are counted
	Output string
	Schema string // table.Schema.ID
	URL    string
	// Lake is where a live run notes that the sink does not take rows; empty for a
	// batch run.
	Lake string
	// Bucket is that of refused rows in a live run: the span of their time whose rows
	// become files together.
	Bucket time.Duration
}

// Send puts the rows of an output, which are those of its schema in
// PCollection<table.Rows>, into a sink. What a bundle brought is stored or refused
// when it ends.
//
// The first result, KV<string, []byte>, says how many rows were sent. The second,
// PCollection<table.Rows>, has what the sink refused, as rows of the output refused.
func Send(s beam.Scope, to Sending, rows beam.PCollection) (said, refused beam.PCollection) {
	return beam.ParDo2(s.Scope("endpoint.Send"), &sendFn{Sending: to}, rows)
}

type sendFn struct {
	Sending Sending

	sink  driver.Sink
	calls *calls
	sent  Closing      // in this bundle
	kept  *table.Batch // of refused rows that were not handed on yet
}

func (fn *sendFn) Setup(ctx context.Context) error {
	schema, ok := table.Lookup(fn.Sending.Schema)
	if !ok {
		return failure.Note(fn.Sending.Run, fmt.Errorf("sending %s: unknown schema %s", fn.Sending.Output, fn.Sending.Schema))
	}
	fn.calls, fn.kept = newSinkCalls(fn.Sending.Lake, fn.Sending.Run, fn.Sending.Sink), table.NewBatch(refused.Rows)
	// Calls outlive the bundle that began them, and tell of retries all the same.
	sink, err := OpenSink(fn.calls.watch(context.WithoutCancel(ctx)), fn.Sending.URL, schema, driver.SinkOptions{Refused: fn.refused})
	fn.sink = sink
	return failure.Note(fn.Sending.Run, fn.calls.over(ctx, err))
}

// refused keeps a row that the sink will not take.
func (fn *sendFn) refused(r driver.RefusedRow) {
	if (refusal.Sink{Output: fn.Sending.Output, URL: fn.Sending.URL}).Append(fn.kept, r) {
		fn.sent.Refused[fn.Sending.Sink]++
	}
}

func (fn *sendFn) StartBundle(context.Context, func(string, []byte), func(table.Rows)) {
	fn.begin()
}

func (fn *sendFn) begin() {
	fn.sent = Closing{Sent: map[string]int64{}, Refused: map[string]int64{}}
	fn.kept.Reset()
}

// maxKept bounds the refused rows that are held, in bytes.
const maxKept = 1 << 20

func (fn *sendFn) ProcessElement(ctx context.Context, rows table.Rows, _ func(string, []byte), handOn func(table.Rows)) error {
	if rows.Batch.Schema().ID() != fn.Sending.Schema || rows.Batch.Len() == 0 {
		return nil // of another output
	}
	fn.sent.Sent[fn.Sending.Sink] += int64(rows.Batch.Len())
	if err := fn.calls.over(ctx, fn.sink.Write(fn.calls.watch(ctx), rows)); err != nil {
		return failure.Note(fn.Sending.Run, err)
	}
	if fn.kept.Size() > maxKept {
		fn.handOn(handOn)
	}
	return nil
}

func (fn *sendFn) FinishBundle(ctx context.Context, emit func(string, []byte), handOn func(table.Rows)) error {
	if len(fn.sent.Sent) == 0 {
		return nil
	}
	if err := fn.calls.over(ctx, fn.sink.Flush(fn.calls.watch(ctx))); err != nil {
		return failure.Note(fn.Sending.Run, err)
	}
	fn.calls.waiting.over(ctx)
	fn.handOn(handOn)
	name := fn.Sending.Sink
	beam.NewCounter("millrace", "sent-"+name).Inc(ctx, fn.sent.Sent[name])
	if n := fn.sent.Refused[name]; n > 0 {
		beam.NewCounter("millrace", "refused-"+name).Inc(ctx, n)
		fn.calls.log.WarnContext(ctx, "the sink refuses rows; they are in the output refused", "rows", n)
	}
	b, err := json.Marshal(fn.sent)
	if err != nil {
		return failure.Note(fn.Sending.Run, err)
	}
	emit(closingKey, b)
	return nil
}

// handOn emits the refused rows, in a live run each with its bucket.
func (fn *sendFn) handOn(emit func(table.Rows)) {
	if fn.kept.Len() == 0 {
		return
	}
	defer func() { fn.kept = table.NewBatch(refused.Rows) }()
	if fn.Sending.Bucket == 0 {
		emit(table.Rows{Batch: fn.kept})
		return
	}
	buckets := map[int64][]uint32{}
	for row := range fn.kept.Len() {
		end := time.UnixMilli(fn.kept.Int(refused.RowTime, row)).Truncate(fn.Sending.Bucket).Add(fn.Sending.Bucket).UnixMilli()
		buckets[end] = append(buckets[end], uint32(row))
	}
	for _, end := range slices.Sorted(maps.Keys(buckets)) {
		b := table.NewBatch(refused.Rows)
		b.Gather(fn.kept, buckets[end])
		emit(table.Rows{Batch: b, Group: strconv.FormatInt(end, 10)})
	}
}

func (fn *sendFn) Teardown(ctx context.Context) error {
	if fn.sink == nil {
		return nil
	}
	defer fn.calls.waiting.over(context.WithoutCancel(ctx))
	return fn.sink.Close(ctx)
}
