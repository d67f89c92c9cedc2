package timestreamio

import (
	"context"
	"fmt"
	"net/http"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/timestreamwrite"

	"millrace/internal/testenv/timestream"
	"millrace/io/driver"
	"millrace/io/iotest"
	"millrace/schemas/pii"
	"millrace/schemas/table"
)

// The rules are those of our stand-in: what this suite shows of Timestream itself is
// that the sink's calls are right if those are.
func TestRecordsKeepWhatSinksPromise(t *testing.T) {
	var servers []*timestream.Server
	iotest.RunSinkTests(t, iotest.SinkHarness{
		Can: iotest.SinkCan{Versioned: true}, Child: "TestHelperWritesRecords", Refuse: refuseType(t),
		New: func(t *testing.T) iotest.SinkPlace {
			s := timestream.New(t)
			servers = append(servers, s)
			place := attach(t, s.URL+"&calls="+fmt.Sprint(1+len(servers)%3))
			place.Read = func(t *testing.T) []iotest.SinkRow { return readRows(t, s) }
			return place
		},
	})
}

func refuseType(t *testing.T) func(element reflect.Type) error {
	return func(element reflect.Type) error {
		if element.Kind() != reflect.Struct {
			return pii.Refuse(element)
		}
		schema, err := table.Of(element, "any", 1)
		if err != nil {
			return err
		}
		s, err := Open(t.Context(), "timestream://web/rows?region=eu-west-1", schema, driver.SinkOptions{})
		if err == nil {
			err = s.Close(t.Context())
		}
		return err
	}
}

func TestHelperWritesRecords(t *testing.T) { iotest.SinkChild(t, attach) }

// attach is a place by its URL.
func attach(_ *testing.T, url string) iotest.SinkPlace {
	watched := &watchedWay{}
	return iotest.SinkPlace{
		Address: url,
		Watch:   func(step func() error) { watched.step = step },
		Open: func(ctx context.Context, _ string) (iotest.SinkWriter, error) {
			s, err := Open(ctx, url, iotest.SinkRows, driver.SinkOptions{})
			if err != nil {
				return nil, err
			}
			watched.next = s.client.Options().HTTPClient
			s.client = timestreamwrite.New(s.client.Options(), func(o *timestreamwrite.Options) { o.HTTPClient = watched })
			return suiteWriter{s}, nil
		},
	}
}

type suiteWriter struct{ *Sink }

func (w suiteWriter) Write(ctx context.Context, b *table.Batch) error {
	return w.Sink.Write(ctx, table.Rows{Batch: b})
}
func (w suiteWriter) Finish(ctx context.Context) error { return w.Close(ctx) }
func (w suiteWriter) Abort()                           { w.sender.Abort() }

// watchedWay tells of each call before it is sent.
type watchedWay struct {
	next timestreamwrite.HTTPClient
	step func() error
}

func (w *watchedWay) Do(r *http.Request) (*http.Response, error) {
	if w.step != nil {
		if err := w.step(); err != nil {
			return nil, err
		}
	}
	return w.next.Do(r)
}

// readRows reads records as the documentation says that readers do.
func readRows(t *testing.T, s *timestream.Server) (rows []iotest.SinkRow) {
	t.Helper()
	for _, r := range s.Rows() {
		row := iotest.SinkRow{At: table.Millis(r.Time), Key: r.Dimensions["key"]}
		value := func(name, kind string) (string, bool) {
			text, ok := r.Values[name]
			text, right := strings.CutPrefix(text, kind+":")
			if ok != right {
				t.Errorf("%s of %+v is no %s", name, r, kind)
			}
			return text, ok
		}
		number := func(name string) *int64 {
			text, ok := value(name, "BIGINT")
			if !ok {
				return nil
			}
			n, err := strconv.ParseInt(text, 10, 64)
			if err != nil {
				t.Error(err)
			}
			return &n
		}
		row.Amount, row.Version = number("amount"), *number("version")
		if note, ok := value("note", "VARCHAR"); ok {
			row.Note = &note
		} else if r.Values["empty"] == "VARCHAR:note" {
			row.Note = new(string)
		}
		if sealed, _ := value("sealed", "BOOLEAN"); sealed != "true" || r.Values["withdrawn"] != "BOOLEAN:false" {
			t.Errorf("%+v is not a sealed row", r)
		}
		rows = append(rows, row)
	}
	return rows
}
