package redshiftio

import (
	"context"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"millrace/internal/testenv/redshift"
	"millrace/io/driver"
	"millrace/io/iotest"
	"millrace/io/lakeio"
	"millrace/schemas/pii"
	"millrace/schemas/table"
)

func TestTablesKeepWhatSinksPromise(t *testing.T) {
	w := newWorld(t, redshift.Options{})
	inBothWays(t, w, func(t *testing.T, via string) {
		iotest.RunSinkTests(t, iotest.SinkHarness{
			Can: iotest.SinkCan{Versioned: true}, Child: "TestHelperWritesToATable",
			Refuse: func(element reflect.Type) error { return refuses(t, w, via, element) },
			New: func(t *testing.T) iotest.SinkPlace {
				name := w.name()
				place := attachTable(t, w.url(name, via, "&id=at,key&rows=250"))
				place.Read = func(t *testing.T) []iotest.SinkRow { return w.sinkRows(t, name) }
				return place
			},
		})
	})
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
func attachTable(_ *testing.T, url string) iotest.SinkPlace {
	watch := &watched{}
	return iotest.SinkPlace{
		Address: url,
		Watch:   func(step func() error) { watch.step = step },
		Open: func(ctx context.Context, _ string) (iotest.SinkWriter, error) {
			s, err := Open(ctx, url, iotest.SinkRows, driver.SinkOptions{})
			if err != nil {
				return nil, err
			}
			s.house, s.store = &watchedHouse{s.house, watch}, &watchedStore{s.store, watch}
			return suiteWriter{s}, nil
		},
	}
}

type suiteWriter struct{ *Sink }

func (w suiteWriter) Write(ctx context.Context, b *table.Batch) error {
	return w.Sink.Write(ctx, table.Rows{Batch: b})
}

func (w suiteWriter) Finish(ctx context.Context) error { return w.Close(ctx) }

func (w suiteWriter) Abort() {
	w.ended = errClosed
	_ = w.Close(context.Background())
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
	rows, err := w.conn.Query(t.Context(), "SELECT at, key, amount, note, version, sealed FROM "+name+"_current")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var r iotest.SinkRow
		var at time.Time
		var sealed bool
		if err := rows.Scan(&at, &r.Key, &r.Amount, &r.Note, &r.Version, &sealed); err != nil {
			t.Fatal(err)
		}
		r.At = table.Millis(at.UnixMilli())
		if !sealed || strings.HasPrefix(r.Key, "~") {
			t.Errorf("%+v is not sealed", r)
		}
		list = append(list, r)
	}
	if rows.Err() != nil {
		t.Fatal(rows.Err())
	}
	return list
}
