package kinesisio

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/kinesis"

	"millrace/internal/testenv"
	"millrace/io/driver"
	"millrace/io/iotest"
	"millrace/schemas/table"
)

func TestAStreamKeepsWhatSinksPromise(t *testing.T) {
	suite := suiteOf{server: testenv.Kinesis(t), name: "rows-%d"}
	suite.gate = testenv.NewHTTPGate(t, suite.server.Addr)
	iotest.RunSinkTests(t, iotest.SinkHarness{
		Can: iotest.SinkCan{Appends: true}, Child: "TestHelperWritesToAStream", Refuse: refuseElement,
		New: func(t *testing.T) iotest.SinkPlace {
			place, stream := suite.newPlace(t)
			place.Read = func(t *testing.T) (rows []iotest.SinkRow) {
				for _, d := range suite.documents(t, stream) {
					rows = append(rows, d.row)
				}
				return rows
			}
			return place
		},
	})
}

// Readers who apply rows by their marks have what other sinks keep.
func TestReadersOfAStreamApplyItsRows(t *testing.T) {
	suite := suiteOf{server: testenv.Kinesis(t), name: "applied-%d"}
	suite.gate = testenv.NewHTTPGate(t, suite.server.Addr)
	iotest.RunSinkTests(t, iotest.SinkHarness{
		Can: iotest.SinkCan{Versioned: true, Withdraws: true, Seals: true}, Refuse: refuseElement,
		New: func(t *testing.T) iotest.SinkPlace {
			place, stream := suite.newPlace(t)
			return iotest.SinkPlace{OpenWith: place.OpenWith, Read: func(t *testing.T) (rows []iotest.SinkRow) {
				for _, d := range applied(suite.documents(t, stream)) {
					rows = append(rows, d.row)
				}
				return rows
			}}
		},
	})
}

func TestHelperWritesToAStream(t *testing.T) { iotest.SinkChild(t, attachStream) }

func refuseElement(element reflect.Type) error {
	if element.Kind() != reflect.Struct {
		return fmt.Errorf("%v is no row", element)
	}
	schema, err := table.Of(element, "any", 1)
	if err == nil {
		_, err = newSink(testPlace, schema, "")
	}
	return err
}

// suiteOf makes places on a server, each a stream, behind a gate.
type suiteOf struct {
	server *testenv.KinesisServer
	gate   *testenv.HTTPGate
	name   string // of streams, with a number

	places int
}

func (s *suiteOf) newPlace(t *testing.T) (p iotest.SinkPlace, stream string) {
	s.places++
	stream = fmt.Sprintf(s.name, s.places)
	s.server.CreateStream(t, stream, 2)
	const poison = "poison"
	s.gate.Between(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		if slices.ContainsFunc(readPut(t, r).Records, func(e entry) bool { return strings.Contains(string(e.Data), poison) }) {
			testenv.RefuseKinesis(w, testenv.Refusal{Status: http.StatusBadRequest, Type: "InvalidArgumentException"})
			return
		}
		next.ServeHTTP(w, r)
	})
	t.Setenv(endpointVariable, "http://"+s.gate.Addr)
	p = attachStream(t, stream)
	p.Poison = func(n int) iotest.SinkRow {
		note := poison
		return iotest.SinkRow{At: 1000, Key: fmt.Sprint("poison-", n), Note: &note, Version: 1}
	}
	p.TooLarge = func(n int) iotest.SinkRow {
		note := strings.Repeat("x", defaultRecord)
		return iotest.SinkRow{At: 1000, Key: fmt.Sprint("large-", n), Note: &note, Version: 1}
	}
	p.Server = s.gate.Addr
	p.Via = func(t *testing.T, addr string) iotest.SinkPlace {
		t.Setenv(endpointVariable, "http://"+addr)
		return attachStream(t, stream)
	}
	p.Throttle = func(t *testing.T) (end func()) {
		s.gate.Between((&throttle{t: t}).between)
		return func() { s.gate.Between(nil) }
	}
	p.Forbid = func(t *testing.T) (end func()) {
		s.gate.Between(func(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
			testenv.RefuseKinesis(w, testenv.Refusal{Status: http.StatusBadRequest, Type: "AccessDeniedException"})
		})
		return func() { s.gate.Between(nil) }
	}
	return p, stream
}

const endpointVariable = "AWS_ENDPOINT_URL_KINESIS"

// attachStream is a place by the name of its stream.
func attachStream(_ *testing.T, stream string) iotest.SinkPlace {
	watched := &watchedClient{}
	return iotest.SinkPlace{
		Address: stream,
		Watch:   func(step func() error) { watched.step = step },
		OpenWith: func(ctx context.Context, _ string, options driver.SinkOptions) (iotest.SinkWriter, error) {
			return iotest.WriterOf(ctx, func(ctx context.Context) (driver.Sink, error) {
				s, err := Open(ctx, "kinesis://"+stream+"?key={at}-{key}", iotest.SinkRows, options)
				if err != nil {
					return nil, err
				}
				s.wrap = func(client putter) putter {
					watched.putter = client
					return watched
				}
				if watched.step != nil { // calls one after the other, and enough of them to be killed between
					s.options.MaxCalls, s.options.MaxBuffered = 1, 40<<10
				}
				return s, nil
			})
		},
	}
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

// sinkDocument is a row with its marks.
type sinkDocument struct {
	row       iotest.SinkRow
	withdrawn bool
	sealed    bool
}

// documents are those of a stream, in the order of each shard.
func (s *suiteOf) documents(t *testing.T, stream string) (list []sinkDocument) {
	t.Helper()
	for _, records := range s.server.Records(t, stream) {
		for _, r := range records {
			list = append(list, readDocument(t, r.Data))
		}
	}
	return list
}

// readDocument reads the document of a row as any reader of JSON would.
func readDocument(t *testing.T, document []byte) sinkDocument {
	t.Helper()
	var d struct {
		Op      string `json:"_op"`
		Rank    int64  `json:"_version"`
		Sealed  bool   `json:"_sealed"`
		At      time.Time
		Key     string
		Amount  *int64
		Note    *string
		Version int64
	}
	decoder := json.NewDecoder(strings.NewReader(string(document)))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&d); err != nil || d.Rank != d.Version {
		t.Fatalf("%s: %v", document, err)
	}
	return sinkDocument{iotest.SinkRow{At: table.Millis(d.At.UnixMilli()), Key: d.Key, Amount: d.Amount, Note: d.Note, Version: d.Version}, d.Op == "withdraw", d.Sealed}
}

// applied does what docs/sinks/kinesis.md asks readers to do: of the rows of one
// identity the greatest version counts, of equal ones the sealed, and one that is
// withdrawn is not there.
func applied(documents []sinkDocument) (list []sinkDocument) {
	type identity struct {
		at  table.Millis
		key string
	}
	rows := map[identity]sinkDocument{}
	for _, d := range documents {
		id := identity{d.row.At, d.row.Key}
		old, known := rows[id]
		if !known || d.row.Version > old.row.Version || d.row.Version == old.row.Version && d.sealed && !old.sealed {
			rows[id] = d
		}
	}
	for _, d := range rows {
		if !d.withdrawn {
			list = append(list, d)
		}
	}
	return list
}
