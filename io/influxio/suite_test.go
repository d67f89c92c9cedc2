package influxio

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"

	"millrace/internal/testenv"
	"millrace/io/driver"
	"millrace/io/iotest"
	"millrace/schemas/pii"
	"millrace/schemas/table"
)

func TestPointsKeepWhatSinksPromise(t *testing.T) {
	newest := iotest.SinkCan{Versioned: true, Withdraws: true, Seals: true}
	suite := suiteOf{server: testenv.Influx(t, testenv.InfluxLogins)}
	suite.makeWriter(t)
	for name, c := range map[string]struct {
		parameters, size string // size is left out where memory is looked at
		can              iotest.SinkCan
		child            string
	}{
		"v1":            {"login_env=WRITER", "&calls=1&rows=100", newest, "TestHelperWritesPoints"},
		"v2, gzip":      {"key_env=WRITER&api=v2&org=any&compress=gzip", "&calls=3&rows=70", newest, ""},
		"without check": {"login_env=WRITER&check=false", "&calls=2&rows=100", iotest.SinkCan{}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			iotest.RunSinkTests(t, iotest.SinkHarness{
				Can: c.can, Child: c.child, Refuse: refuse(t),
				New: func(t *testing.T) iotest.SinkPlace { return suite.newPlace(t, c.parameters, c.size) },
			})
		})
	}
}

// suiteOf makes places in a database, each a measurement of its own.
type suiteOf struct {
	server *testenv.InfluxServer
	places int
}

// makeWriter makes a user who may write and read, whose login is in WRITER.
func (s *suiteOf) makeWriter(t *testing.T) {
	t.Setenv("WRITER", "writer:canary-word")
	s.server.Query(t, "CREATE USER writer WITH PASSWORD 'canary-word'")
	s.allow(t, "ALL")
}

func (s *suiteOf) allow(t *testing.T, what string) {
	t.Helper()
	s.server.Query(t, "GRANT "+what+" ON "+s.server.Database+" TO writer")
}

// otherType is a point whose amount is a text. What has another type in its shard is
// refused: types are those of a shard.
type otherType struct {
	At     table.Millis `col:"at,sort1,day" doc:"a time"`
	Key    string       `col:"key,sort2" mask:"none" doc:"a name"`
	Amount string       `col:"amount" mask:"none" doc:"no number"`
}

var otherTypes = table.MustOf[otherType]("influxio.othertype", 1)

// far is in another shard than the suite's rows.
const far = table.Millis(400 * 86_400_000)

func (s *suiteOf) newPlace(t *testing.T, parameters, size string) iotest.SinkPlace {
	s.places++
	measurement := fmt.Sprint("suite", s.places)
	gate := testenv.NewHTTPGate(t, s.server.Addr)
	url := func(addr, more string) string {
		return "influx://" + addr + "/" + s.server.Database + "?measurement=" + measurement + "&" + parameters + more
	}
	t.Setenv("BOSS", testenv.InfluxLogin)
	open(t, at(s.server, "login_env=BOSS&measurement="+measurement), otherTypes, driver.SinkOptions{}).mustWrite(t, table.Sealed, otherType{At: far, Key: "text"})

	place := attach(t, url(gate.Addr, size))
	place.Read = func(t *testing.T) []iotest.SinkRow { return readRows(t, s.server, measurement) }
	place.Poison = func(n int) iotest.SinkRow {
		return iotest.SinkRow{At: far, Key: fmt.Sprint("poison-", n), Amount: pointer(int64(n)), Version: 1}
	}
	place.TooLarge = func(n int) iotest.SinkRow {
		return iotest.SinkRow{At: 1000, Key: fmt.Sprint("large-", n), Note: pointer(strings.Repeat("x", maxText+1)), Version: 1}
	}
	place.Server = s.server.Addr
	place.Via = func(t *testing.T, addr string) iotest.SinkPlace { return attach(t, url(addr, "")) }
	// InfluxDB 1.8 throttles nobody; later ones, and what stands before them, do.
	place.Throttle = func(*testing.T) (end func()) {
		gate.Between(func(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusTooManyRequests)
			fmt.Fprint(w, `{"code":"too many requests","message":"limit of writes"}`)
		})
		return func() { gate.Between(nil) }
	}
	place.Forbid = func(t *testing.T) (end func()) {
		s.allow(t, "READ")
		return func() { s.allow(t, "ALL") }
	}
	return place
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
		OpenWith: func(ctx context.Context, _ string, options driver.SinkOptions) (iotest.SinkWriter, error) {
			return iotest.WriterOf(ctx, func(ctx context.Context) (driver.Sink, error) {
				s, err := Open(ctx, url, iotest.SinkRows, options)
				if err != nil {
					return nil, err
				}
				watched.next, s.http.Transport = s.http.Transport, watched
				return s, nil
			})
		},
	}
}

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
	for _, s := range server.Query(t, `SELECT "amount","note","version","nulls" FROM "`+measurement+`" WHERE "withdrawn" = false GROUP BY "key"`) {
		for _, v := range s.Values {
			row := iotest.SinkRow{At: table.Millis(number(t, v[0]) / 1_000_000), Key: s.Tags["key"], Version: number(t, v[3])}
			missing := strings.Split(v[4].(string), ",")
			if !slices.Contains(missing, "amount") {
				row.Amount = pointer(number(t, v[1]))
			}
			if note := v[2].(string); !slices.Contains(missing, "note") {
				row.Note = &note
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
