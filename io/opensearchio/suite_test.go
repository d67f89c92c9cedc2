package opensearchio

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"millrace/internal/testenv"
	"millrace/io/driver"
	"millrace/io/iotest"
	"millrace/schemas/pii"
	"millrace/schemas/table"
)

func TestIndexesByDayKeepWhatSinksPromise(t *testing.T) {
	suite := suiteOf{node: testenv.OpenSearch(t), name: "suite-%d", in: "-{day}", schema: iotest.SinkRows, attach: attachIndex}
	iotest.RunSinkTests(t, iotest.SinkHarness{
		Can:   iotest.SinkCan{Versioned: true, Withdraws: true, Seals: true},
		Child: "TestHelperWritesToAnIndex", Refuse: refuseElement, New: suite.newPlace,
	})
}

func TestDataStreamsKeepWhatSinksPromise(t *testing.T) {
	suite := suiteOf{node: testenv.OpenSearch(t), name: "stream-%d", mode: "&mode=append", schema: streamRows, attach: attachDataStream}
	iotest.RunSinkTests(t, iotest.SinkHarness{
		Child: "TestHelperWritesToADataStream", Refuse: refuseElement, New: suite.newPlace,
	})
}

// suiteOf makes places on a node, each of a name of its own.
type suiteOf struct {
	node     *testenv.OpenSearchNode
	name     string // of what readers search, with a number
	in, mode string // what its indexes have behind their name, and its URLs behind theirs
	schema   *table.Schema
	attach   func(t *testing.T, url string) iotest.SinkPlace

	places int
}

const (
	longestKey = 32_766 // bytes of a term
	longestRow = 64 << 10
)

func (s *suiteOf) newPlace(t *testing.T) iotest.SinkPlace {
	s.places++
	name := fmt.Sprintf(s.name, s.places)
	url := func(addr, parameters string) string {
		return "opensearch://" + addr + "/" + name + s.in + "?id=at,key" + s.mode + parameters
	}
	s.refuseLongKeys(t, url(s.node.Addr, ""))
	p := s.attach(t, url(s.node.Addr, fmt.Sprint("&rows=100&calls=1&bytes=", longestRow)))
	p.Read = func(t *testing.T) (rows []iotest.SinkRow) {
		for _, hit := range s.node.Search(t, name, nil) {
			rows = append(rows, sinkRow(t, hit.Source))
		}
		return rows
	}
	p.Poison = func(n int) iotest.SinkRow {
		return iotest.SinkRow{At: 1000, Key: fmt.Sprint(strings.Repeat("x", longestKey+1), n), Version: 1}
	}
	p.TooLarge = func(n int) iotest.SinkRow {
		note := strings.Repeat("x", longestRow)
		return iotest.SinkRow{At: 1000, Key: fmt.Sprint("large-", n), Note: &note, Version: 1}
	}
	p.Server = s.node.Addr
	p.Via = func(t *testing.T, addr string) iotest.SinkPlace { return s.attach(t, url(addr, "&rows=5000")) }
	p.Throttle = func(t *testing.T) (end func()) {
		const limit = "network.breaker.inflight_requests.limit"
		s.node.Set(t, limit, "1kb")
		t.Cleanup(func() { s.node.Set(t, limit, nil) })
		return func() { s.node.Set(t, limit, nil) }
	}
	p.Forbid = func(t *testing.T) (end func()) {
		block := func(on bool) {
			s.node.Call(t, http.MethodPut, name+"*/_settings?expand_wildcards=all", object{"index.blocks.write": on}, nil)
		}
		block(true)
		return func() { block(false) }
	}
	return p
}

// refuseLongKeys has indexes refuse rows with a long key: somebody has changed their
// template, which makes all keys terms.
func (s *suiteOf) refuseLongKeys(t *testing.T, url string) {
	t.Helper()
	c, err := parse(url, s.schema)
	if err != nil {
		t.Fatal(err)
	}
	body, _, err := c.indexTemplate()
	if err != nil {
		t.Fatal(err)
	}
	changed := bytes.Replace(body, fmt.Appendf(nil, `"key":{"ignore_above":%d,"type":"keyword"}`, maxTerm), []byte(`"key":{"type":"keyword"}`), 1)
	if bytes.Equal(changed, body) {
		t.Fatalf("the template has no key to change: %s", body)
	}
	s.node.Call(t, http.MethodPut, "_index_template/"+c.index.template(), json.RawMessage(changed), nil)
}

func TestHelperWritesToAnIndex(t *testing.T)     { iotest.SinkChild(t, attachIndex) }
func TestHelperWritesToADataStream(t *testing.T) { iotest.SinkChild(t, attachDataStream) }

func refuseElement(element reflect.Type) error {
	if element.Kind() != reflect.Struct {
		return pii.Refuse(element)
	}
	schema, err := table.Of(element, "any", 1)
	if err != nil {
		return err
	}
	_, err = Open(context.Background(), "opensearch://127.0.0.1:1/any", schema, driver.SinkOptions{}) // sends nothing
	return err
}

// attachIndex is a place by its URL.
func attachIndex(_ *testing.T, url string) iotest.SinkPlace {
	watched := &watchedWay{}
	return iotest.SinkPlace{
		Address: url,
		Watch:   func(step func() error) { watched.step = step },
		OpenWith: func(ctx context.Context, _ string, options driver.SinkOptions) (iotest.SinkWriter, error) {
			return iotest.WriterOf(ctx, func(ctx context.Context) (driver.Sink, error) {
				return watched.open(ctx, url, iotest.SinkRows, options)
			})
		},
	}
}

// watchedWay tells of each bulk before it is sent.
type watchedWay struct {
	next http.RoundTripper
	step func() error
}

func (w *watchedWay) open(ctx context.Context, url string, schema *table.Schema, options driver.SinkOptions) (driver.Sink, error) {
	s, err := Open(ctx, url, schema, options)
	if err != nil {
		return nil, err
	}
	w.next, s.client.http.Transport = s.client.http.Transport, w
	return s, nil
}

func (w *watchedWay) RoundTrip(r *http.Request) (*http.Response, error) {
	if w.step != nil && r.Method == http.MethodPost {
		if err := w.step(); err != nil {
			return nil, err
		}
	}
	return w.next.RoundTrip(r)
}

// streamRow is a row of the suite without the version, which data streams have not.
type streamRow struct {
	At      table.Millis `col:"at,sort1,day" doc:"time of the row, UTC"`
	Key     string       `col:"key,sort2" mask:"none" doc:"identity among the rows of the time"`
	Amount  *int64       `col:"amount,null" doc:"a number"`
	Note    *string      `col:"note,null" mask:"none" doc:"a text"`
	Version int64        `col:"number" doc:"the version, which means nothing here"`
}

var streamRows = table.MustOf[streamRow]("opensearchio.stream", 1)

func attachDataStream(_ *testing.T, url string) iotest.SinkPlace {
	watched := &watchedWay{}
	return iotest.SinkPlace{
		Address: url,
		Watch:   func(step func() error) { watched.step = step },
		OpenWith: func(ctx context.Context, _ string, options driver.SinkOptions) (iotest.SinkWriter, error) {
			if refused := options.Refused; refused != nil {
				options.Refused = func(r driver.RefusedRow) {
					r.Rows.Batch = translated[streamRow, iotest.SinkRow](r.Rows.Batch, iotest.SinkRows)
					refused(r)
				}
			}
			return iotest.WriterOf(ctx, func(ctx context.Context) (driver.Sink, error) {
				s, err := watched.open(ctx, url, streamRows, options)
				return streamSink{s}, err
			})
		},
	}
}

// streamSink takes rows of the suite.
type streamSink struct{ driver.Sink }

func (s streamSink) Write(ctx context.Context, rows table.Rows) error {
	rows.Batch = translated[iotest.SinkRow, streamRow](rows.Batch, streamRows)
	return s.Sink.Write(ctx, rows)
}

// translated are rows as those of another schema, whose fields are of the same types.
func translated[From, To any](b *table.Batch, schema *table.Schema) *table.Batch {
	made := table.NewBatch(schema)
	for i := range b.Len() {
		var from From
		b.Row(i, &from)
		made.Append(reflect.ValueOf(from).Convert(reflect.TypeFor[To]()).Interface())
	}
	return made
}

// sinkRow reads a document as any reader of JSON would.
func sinkRow(t *testing.T, document []byte) iotest.SinkRow {
	t.Helper()
	var d struct {
		Timestamp         *time.Time `json:"@timestamp"`
		At                time.Time
		Key               string
		Amount            *int64
		Note              *string
		Version, Number   int64
		Sealed, Withdrawn bool
	}
	decoder := json.NewDecoder(bytes.NewReader(document))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&d); err != nil {
		t.Fatalf("%s: %v", document, err)
	}
	if d.Withdrawn || d.Timestamp != nil && !d.Timestamp.Equal(d.At) {
		t.Errorf("found is %s", document)
	}
	return iotest.SinkRow{At: table.Millis(d.At.UnixMilli()), Key: d.Key, Amount: d.Amount, Note: d.Note, Version: d.Version + d.Number}
}
