package redshiftio

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/redshiftdata"

	"millrace/internal/testenv"
	"millrace/internal/testenv/redshift"
	"millrace/io/driver"
	"millrace/io/iotest"
	"millrace/io/lakeio"
	"millrace/schemas/pii"
	"millrace/schemas/table"
)

func TestTablesKeepWhatSinksPromise(t *testing.T) {
	t.Setenv("AWS_MAX_ATTEMPTS", "1") // the store's own patience would lengthen the test
	w := newWorld(t, redshift.Options{})
	stage := testenv.NewHTTPGate(t, w.s3.Addr)
	t.Setenv("AWS_ENDPOINT_URL_S3", "http://"+stage.Addr)
	inBothWays(t, w, func(t *testing.T, via string) {
		iotest.RunSinkTests(t, iotest.SinkHarness{
			Can: iotest.SinkCan{Versioned: true, Withdraws: true, Seals: true}, Child: "TestHelperWritesToATable",
			Refuse: func(element reflect.Type) error { return refuses(t, w, via, element) },
			New:    func(t *testing.T) iotest.SinkPlace { return w.place(t, via, stage) },
		})
	})
}

// place is an empty one.
func (w *world) place(t *testing.T, via string, stage *testenv.HTTPGate) iotest.SinkPlace {
	name := w.name()
	url := w.url(name, via, "&id=at,key&rows=250")
	p := attachTable(t, url)
	p.Read = func(t *testing.T) []iotest.SinkRow { return w.sinkRows(t, name) }
	var rule sync.Once
	p.Poison = func(n int) iotest.SinkRow {
		rule.Do(func() {
			if err := open(t, url, iotest.SinkRows, driver.SinkOptions{}).prepare(t.Context()); err != nil {
				t.Fatal(err)
			}
			// Redshift has no such rules; this one stands for whatever it refuses a row by.
			w.exec(t, "ALTER TABLE "+name+" ADD CHECK (key NOT LIKE 'poison%')")
		})
		return iotest.SinkRow{At: 1000, Key: fmt.Sprint("poison-", n), Version: 1}
	}
	p.TooLarge = func(n int) iotest.SinkRow {
		note := strings.Repeat("x", 1<<16)
		return iotest.SinkRow{At: 1000, Key: fmt.Sprint("large-", n), Note: &note, Version: 1}
	}
	p.Server = w.api.Addr
	if via == viaWire {
		p.Server = w.ware.Addr
	}
	p.Via = func(t *testing.T, addr string) iotest.SinkPlace {
		far := w.url(name, via, "&id=at,key&timeout=5s")
		if via == viaWire {
			return attachTable(t, strings.Replace(far, w.ware.Addr, addr, 1))
		}
		return attachAt(far, addr)
	}
	p.Throttle = func(t *testing.T) (end func()) { return w.throttle(t, via, stage) }
	p.Forbid = func(t *testing.T) (end func()) {
		only := "ALTER DATABASE " + w.ware.Database + " SET default_transaction_read_only = "
		w.exec(t, only+"on")
		return func() { w.exec(t, only+"off") }
	}
	return p
}

// throttle has the Data API refuse calls, or where it takes no part, the stage.
func (w *world) throttle(t *testing.T, via string, stage *testenv.HTTPGate) (end func()) {
	if via == viaData {
		w.api.Disturb(func(string) *redshift.Fault { return &redshift.Fault{Type: "ThrottlingException"} })
		end = func() { w.api.Disturb(nil) }
	} else {
		stage.Between(func(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
			w.WriteHeader(http.StatusServiceUnavailable)
			_, _ = io.WriteString(w, "<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>")
		})
		end = func() { stage.Between(nil) }
	}
	t.Cleanup(end)
	return end
}

func TestHelperWritesToATable(t *testing.T) { iotest.SinkChild(t, attachTable) }

func refuses(t *testing.T, w *world, via string, element reflect.Type) error {
	if element.Kind() != reflect.Struct {
		return pii.Refuse(element)
	}
	schema, err := table.Of(element, "any", 1)
	if err != nil {
		return err
	}
	s, err := Open(t.Context(), w.url("public.any", via, ""), schema, driver.SinkOptions{})
	if err == nil {
		err = s.Close(t.Context())
	}
	return err
}

// attachTable is a place by its URL.
func attachTable(_ *testing.T, url string) iotest.SinkPlace { return attachAt(url, "") }

// attachAt is a place by its URL, whose Data API is asked at an address, unless that is
// empty.
func attachAt(url, addr string) iotest.SinkPlace {
	watch := &watched{}
	return iotest.SinkPlace{
		Address: url,
		Watch:   func(step func() error) { watch.step = step },
		OpenWith: func(ctx context.Context, _ string, options driver.SinkOptions) (iotest.SinkWriter, error) {
			return iotest.WriterOf(ctx, func(ctx context.Context) (driver.Sink, error) {
				s, err := Open(ctx, url, iotest.SinkRows, options)
				if err != nil {
					return nil, err
				}
				if d, ok := s.house.(*dataAPI); ok && addr != "" {
					d.client = redshiftdata.New(d.client.Options(), func(o *redshiftdata.Options) { o.BaseEndpoint = aws.String("http://" + addr) })
				}
				s.house, s.store = &watchedHouse{s.house, watch}, &watchedStore{s.store, watch}
				return s, nil
			})
		},
	}
}

// watched tells of each change before it is made.
type watched struct{ step func() error }

func (w *watched) ask() error {
	if w.step == nil {
		return nil
	}
	return w.step()
}

type watchedHouse struct {
	warehouse
	*watched
}

func (h *watchedHouse) run(ctx context.Context, token string, statements []string) ([]int64, error) {
	if err := h.ask(); err != nil {
		return nil, err
	}
	return h.warehouse.run(ctx, token, statements)
}

type watchedStore struct {
	lakeio.Store
	*watched
}

func (s *watchedStore) Create(ctx context.Context, key string, o lakeio.PutOptions) (lakeio.Writer, error) {
	return nil, errors.New("the sink puts whole objects")
}

func (s *watchedStore) Delete(ctx context.Context, keys ...string) error {
	if err := s.ask(); err != nil {
		return err
	}
	return s.Store.Delete(ctx, keys...)
}

// sinkRows reads what readers of the table see.
func (w *world) sinkRows(t *testing.T, name string) (list []iotest.SinkRow) {
	t.Helper()
	if w.all(t, "SELECT count(*) FROM pg_views WHERE schemaname || '.' || viewname = '"+name+"_current'")[0][0] == "0" {
		return nil // nothing was written
	}
	if twice := w.all(t, "SELECT at, key FROM "+name+" GROUP BY 1, 2 HAVING count(*) > 1"); len(twice) > 0 {
		t.Errorf("rows that are there twice: %v", twice)
	}
	rows, err := w.conn.Query(t.Context(), "SELECT at, key, amount, note, version FROM "+name+"_current")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var r iotest.SinkRow
		var at time.Time
		if err := rows.Scan(&at, &r.Key, &r.Amount, &r.Note, &r.Version); err != nil {
			t.Fatal(err)
		}
		r.At = table.Millis(at.UnixMilli())
		list = append(list, r)
	}
	if rows.Err() != nil {
		t.Fatal(rows.Err())
	}
	return list
}
