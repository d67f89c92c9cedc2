package influxio

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"strings"
	"testing"

	"millrace/internal/testenv"
	"millrace/io/driver"
	"millrace/io/iotest"
	"millrace/schemas/pii"
	"millrace/schemas/table"
)

func TestPointsKeepWhatSinksPromise(t *testing.T) {
	server := testenv.Influx(t)
	for name, c := range map[string]struct {
		parameters string
		can        iotest.SinkCan
		child      string
	}{
		"v1":            {"calls=1&rows=100", iotest.SinkCan{Versioned: true}, "TestHelperWritesPoints"},
		"v2, gzip":      {"calls=3&rows=70&api=v2&org=any&compress=gzip", iotest.SinkCan{Versioned: true}, ""},
		"without check": {"calls=2&rows=100&check=false", iotest.SinkCan{}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			places := 0
			iotest.RunSinkTests(t, iotest.SinkHarness{
				Can: c.can, Child: c.child, Refuse: refuse(t),
				New: func(t *testing.T) iotest.SinkPlace {
					places++
					measurement := fmt.Sprint("suite", places, strings.NewReplacer(" ", "", ",", "").Replace(name))
					place := attach(t, "influx://"+server.Addr+"/"+server.Database+"?measurement="+measurement+"&"+c.parameters)
					place.Read = func(t *testing.T) []iotest.SinkRow { return readRows(t, server, measurement) }
					return place
				},
			})
		})
	}
}

// refuse is the check of a type that Open makes.
func refuse(t *testing.T) func(element reflect.Type) error {
	return func(element reflect.Type) error {
		if element.Kind() != reflect.Struct {
			return pii.Refuse(element)
		}
		schema, err := table.Of(element, "any", 1)
		if err != nil {
			return err
		}
		s, err := Open(t.Context(), "influx://127.0.0.1:1/any", schema, driver.SinkOptions{})
		if err == nil {
			err = s.Close(t.Context())
		}
		return err
	}
}

func TestHelperWritesPoints(t *testing.T) { iotest.SinkChild(t, attach) }

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
			watched.next, s.http.Transport = s.http.Transport, watched
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

// watchedWay tells of each writing before it is sent.
type watchedWay struct {
	next http.RoundTripper
	step func() error
}

func (w *watchedWay) RoundTrip(r *http.Request) (*http.Response, error) {
	if w.step != nil && strings.HasSuffix(r.URL.Path, "/write") {
		if err := w.step(); err != nil {
			return nil, err
		}
	}
	return w.next.RoundTrip(r)
}

// readRows reads points as the documentation says that readers do.
func readRows(t *testing.T, server *testenv.InfluxServer, measurement string) (rows []iotest.SinkRow) {
	t.Helper()
	for _, s := range server.Query(t, `SELECT "amount","note","version","sealed","nulls" FROM "`+measurement+`" WHERE "withdrawn" = false GROUP BY "key"`) {
		for _, v := range s.Values {
			row := iotest.SinkRow{At: table.Millis(number(t, v[0]) / 1_000_000), Key: s.Tags["key"], Version: number(t, v[3])}
			missing := strings.Split(v[5].(string), ",")
			if v[1] != nil {
				n := number(t, v[1])
				row.Amount = &n
			}
			if note := v[2].(string); missing[len(missing)-1] != "note" {
				row.Note = &note
			}
			if sealed := v[4].(bool); !sealed || (missing[0] == "amount") != (row.Amount == nil) {
				t.Errorf("the point %v", v)
			}
			rows = append(rows, row)
		}
	}
	return rows
}

func number(t *testing.T, v any) int64 {
	t.Helper()
	n, err := v.(json.Number).Int64()
	if err != nil {
		t.Fatal(err)
	}
	return n
}
