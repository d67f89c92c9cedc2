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
	node, indexes := testenv.OpenSearch(t), 0
	iotest.RunSinkTests(t, iotest.SinkHarness{
		Can: iotest.SinkCan{Versioned: true}, Child: "TestHelperWritesToAnIndex",
		Refuse: func(element reflect.Type) error {
			if element.Kind() != reflect.Struct {
				return pii.Refuse(element)
			}
			schema, err := table.Of(element, "any", 1)
			if err != nil {
				return err
			}
			s, err := Open(t.Context(), "opensearch://127.0.0.1:1/any", schema, driver.SinkOptions{})
			if err == nil {
				err = s.Close(t.Context())
			}
			return err
		},
		New: func(t *testing.T) iotest.SinkPlace {
			indexes++
			index := fmt.Sprintf("suite-%d-{day}", indexes)
			place := attachIndex(t, "opensearch://"+node.Addr+"/"+index+"?id=at,key&rows=100&calls=1")
			place.Read = func(t *testing.T) (rows []iotest.SinkRow) {
				for _, hit := range node.Search(t, strings.ReplaceAll(index, "{day}", "*"), nil) {
					rows = append(rows, sinkRow(t, hit.Source))
				}
				return rows
			}
			return place
		},
	})
}

func TestHelperWritesToAnIndex(t *testing.T) { iotest.SinkChild(t, attachIndex) }

// attachIndex is a place by its URL.
func attachIndex(_ *testing.T, url string) iotest.SinkPlace {
	watched := &watchedWay{}
	return iotest.SinkPlace{
		Address: url,
		Watch:   func(step func() error) { watched.step = step },
		Open: func(ctx context.Context, _ string) (iotest.SinkWriter, error) {
			s, err := Open(ctx, url, iotest.SinkRows, driver.SinkOptions{})
			if err == nil {
				watched.next = s.client.http.Transport
				s.client.http.Transport = watched
			}
			return suiteWriter{s}, err
		},
	}
}

type suiteWriter struct{ *Sink }

func (w suiteWriter) Write(ctx context.Context, b *table.Batch) error {
	return w.Sink.Write(ctx, table.Rows{Batch: b})
}

func (w suiteWriter) Finish(ctx context.Context) error { return w.Close(ctx) }

func (w suiteWriter) Abort() {
	w.end(errClosed)
	_ = w.Close(w.ctx) // what it failed with is known
}

// watchedWay tells of each bulk before it is sent.
type watchedWay struct {
	next http.RoundTripper
	step func() error
}

func (w *watchedWay) RoundTrip(r *http.Request) (*http.Response, error) {
	if w.step != nil && r.Method == http.MethodPost {
		if err := w.step(); err != nil {
			return nil, err
		}
	}
	return w.next.RoundTrip(r)
}

// sinkRow reads a document as any reader of JSON would.
func sinkRow(t *testing.T, document []byte) iotest.SinkRow {
	t.Helper()
	var d struct {
		At                time.Time
		Key               string
		Amount            *int64
		Note              *string
		Version           int64
		Sealed, Withdrawn bool
	}
	decoder := json.NewDecoder(bytes.NewReader(document))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&d); err != nil {
		t.Fatalf("%s: %v", document, err)
	}
	if !d.Sealed || d.Withdrawn {
		t.Errorf("%s is not a sealed row", document)
	}
	return iotest.SinkRow{At: table.Millis(d.At.UnixMilli()), Key: d.Key, Amount: d.Amount, Note: d.Note, Version: d.Version}
}
