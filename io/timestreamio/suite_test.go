package timestreamio

import (
	"context"
	"fmt"
	"net/http"
	"reflect"
	"strconv"
	"strings"
	"sync/atomic"
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
	places := 0
	iotest.RunSinkTests(t, iotest.SinkHarness{
		Can:   iotest.SinkCan{Versioned: true, Withdraws: true, Seals: true},
		Child: "TestHelperWritesRecords", Refuse: refuseType(t),
		New: func(t *testing.T) iotest.SinkPlace {
			places++
			return newPlace(t, fmt.Sprint("&calls=", 1+places%3))
		},
	})
}

// newPlace is a stand-in of its own; size is left out where memory is looked at.
func newPlace(t *testing.T, size string) iotest.SinkPlace {
	s := timestream.New(t)
	var refusal atomic.Value // the kind of error that all calls are answered with
	refusal.Store("")
	s.Fault = func(w http.ResponseWriter, _ *http.Request) bool {
		kind := refusal.Load().(string)
		if kind != "" {
			timestream.Refuse(w, kind, "no")
		}
		return kind != ""
	}
	refuse := func(kind string) func(*testing.T) func() {
		return func(*testing.T) (end func()) {
			refusal.Store(kind)
			return func() { refusal.Store("") }
		}
	}
	place := attach(t, s.URL+size)
	place.Read = func(t *testing.T) []iotest.SinkRow { return readRows(t, s) }
	noted := func(key, note string) func(int) iotest.SinkRow {
		return func(n int) iotest.SinkRow {
			return iotest.SinkRow{At: 1000, Key: fmt.Sprint(key, n), Note: &note, Version: 1}
		}
	}
	place.Poison, place.TooLarge = noted("bad-", "poison"), noted("large-", strings.Repeat("x", maxValue+1))
	place.Throttle, place.Forbid = refuse("ThrottlingException"), refuse("AccessDeniedException")
	base, addr, _ := strings.Cut(s.URL, "http://")
	place.Server = addr
	place.Via = func(t *testing.T, addr string) iotest.SinkPlace { return attach(t, base+"http://"+addr) }
	return place
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
		OpenWith: func(ctx context.Context, _ string, options driver.SinkOptions) (iotest.SinkWriter, error) {
			return iotest.WriterOf(ctx, func(ctx context.Context) (driver.Sink, error) {
				s, err := Open(ctx, url, iotest.SinkRows, options)
				if err != nil {
					return nil, err
				}
				watched.next = s.client.Options().HTTPClient
				s.client = timestreamwrite.New(s.client.Options(), func(o *timestreamwrite.Options) { o.HTTPClient = watched })
				return s, nil
			})
		},
	}
}

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
		switch withdrawn, _ := value("withdrawn", "BOOLEAN"); withdrawn {
		case "true":
			continue
		case "false":
		default:
			t.Errorf("%+v is neither withdrawn nor not", r)
		}
		rows = append(rows, row)
	}
	return rows
}
