package kinesisio

import (
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/kinesis"

	"millrace/internal/testenv"
	"millrace/io/iotest"
	"millrace/schemas/table"
)

func TestAStreamKeepsWhatSinksPromise(t *testing.T) {
	server := testenv.Kinesis(t)
	streams := 0
	iotest.RunSinkTests(t, iotest.SinkHarness{
		Can: iotest.SinkCan{Appends: true}, Child: "TestHelperWritesToAStream",
		Refuse: func(element reflect.Type) error {
			if element.Kind() != reflect.Struct {
				return fmt.Errorf("%v is no row", element)
			}
			schema, err := table.Of(element, "any", 1)
			if err == nil {
				_, err = newSink(testPlace, schema, "")
			}
			return err
		},
		New: func(t *testing.T) iotest.SinkPlace {
			streams++
			name := fmt.Sprintf("rows-%d", streams)
			server.CreateStream(t, name, 2)
			place := attachStream(t, name)
			place.Read = func(t *testing.T) (rows []iotest.SinkRow) {
				for _, records := range server.Records(t, name) {
					for _, r := range records {
						rows = append(rows, sinkRow(t, r.Data))
					}
				}
				return rows
			}
			return place
		},
	})
}

func TestHelperWritesToAStream(t *testing.T) { iotest.SinkChild(t, attachStream) }

// attachStream is a place by the name of its stream.
func attachStream(_ *testing.T, name string) iotest.SinkPlace {
	watched := &watchedClient{}
	return iotest.SinkPlace{
		Address: name,
		Watch:   func(step func() error) { watched.step = step },
		Open: func(ctx context.Context, _ string) (iotest.SinkWriter, error) {
			at, err := parsePlace("kinesis://" + name)
			if err != nil {
				return nil, err
			}
			s, err := newSink(at, iotest.SinkRows, "{at}-{key}")
			if err != nil {
				return nil, err
			}
			client, err := newClient(ctx, at)
			if err != nil {
				return nil, err
			}
			watched.putter = client
			// Calls one after the other, and enough of them to be killed between.
			s.producer, err = newProducer(ctx, watched, at, defaultRecord, ProducerOptions{MaxCalls: 1, MaxBuffered: 40 << 10})
			return streamWriter{s}, err
		},
	}
}

type streamWriter struct{ *Sink }

func (w streamWriter) Finish(ctx context.Context) error { return w.Close(ctx) }

func (w streamWriter) Abort() {
	w.producer.cancel(errClosed)
	_ = w.Close(context.WithoutCancel(w.producer.ctx)) // the producer has ended: nothing to wait for
}

// watchedClient tells of each change before it is made.
type watchedClient struct {
	putter
	step func() error
}

func (c *watchedClient) PutRecords(ctx context.Context, in *kinesis.PutRecordsInput, o ...func(*kinesis.Options)) (*kinesis.PutRecordsOutput, error) {
	if c.step != nil {
		if err := c.step(); err != nil {
			return nil, err
		}
	}
	return c.putter.PutRecords(ctx, in, o...)
}

// sinkRow reads the document of a row as any reader of JSON would.
func sinkRow(t *testing.T, document []byte) (row iotest.SinkRow) {
	t.Helper()
	var d struct {
		At      time.Time
		Key     string
		Amount  *int64
		Note    *string
		Version int64
	}
	decoder := json.NewDecoder(strings.NewReader(string(document)))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&d); err != nil {
		t.Fatalf("%s: %v", document, err)
	}
	return iotest.SinkRow{At: table.Millis(d.At.UnixMilli()), Key: d.Key, Amount: d.Amount, Note: d.Note, Version: d.Version}
}
