package redshiftio

import (
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/jackc/pgx/v5"

	"millrace/internal/testenv"
	"millrace/internal/testenv/postgres"
	"millrace/internal/testenv/redshift"
	"millrace/io/driver"
	"millrace/schemas/table"
)

// loginEnv is the variable that holds the login of the wire.
const loginEnv = "REDSHIFT_LOGIN"

// world is a warehouse of a test with what it needs.
type world struct {
	s3   *testenv.S3Server
	ware *redshift.Warehouse
	api  *redshift.DataAPI
	conn *pgx.Conn // straight to PostgreSQL

	tables atomic.Int64
}

// newWorld starts an S3 server, a warehouse that reads from it and a Data API.
func newWorld(t *testing.T, o redshift.Options) *world {
	t.Helper()
	w := &world{s3: testenv.S3(t)}
	o.S3 = w.s3
	w.ware = redshift.New(t, o)
	w.api = redshift.NewDataAPI(t, w.ware)
	w.conn = w.ware.Node.Connect(t, w.ware.Database)
	t.Setenv(loginEnv, benchLogin)
	return w
}

// name is that of a table nobody has.
func (w *world) name() string { return fmt.Sprint("public.rows", w.tables.Add(1)) }

// url is the address of a table, by either way.
func (w *world) url(name, via, more string) string {
	stage := "stage=s3://" + w.s3.Bucket + "/stage&role=arn:aws:iam::123456789012:role/reader"
	if via == viaWire {
		return "redshift://" + w.ware.Addr + "/" + w.ware.Database + "/" + name + "?via=wire&login_env=" + loginEnv + "&" + stage + more
	}
	return "redshift://team/" + w.ware.Database + "/" + name + "?poll=2ms&" + stage + more
}

var ways = []string{viaData, viaWire}

// inBothWays runs a test for each way to the warehouse.
func inBothWays(t *testing.T, w *world, test func(t *testing.T, via string)) {
	t.Helper()
	for _, via := range ways {
		t.Run(via, func(t *testing.T) { test(t, via) })
	}
}

func pointer[T any](v T) *T { return &v }

func open(t *testing.T, url string, schema *table.Schema, options driver.SinkOptions) *Sink {
	t.Helper()
	s, err := Open(t.Context(), url, schema, options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.house.close)
	return s
}

// write writes rows of the sink's schema and flushes.
func (s *Sink) write(t *testing.T, kind table.RowKind, rows ...any) error {
	t.Helper()
	b := table.NewBatch(s.config.schema)
	for _, row := range rows {
		b.Append(row)
	}
	if err := s.Write(t.Context(), table.Rows{Batch: b, Kind: kind}); err != nil {
		return err
	}
	return s.Flush(t.Context())
}

func (s *Sink) mustWrite(t *testing.T, kind table.RowKind, rows ...any) {
	t.Helper()
	if err := s.write(t, kind, rows...); err != nil {
		t.Fatal(err)
	}
}

// collect gathers refused rows.
func collect(into *[]driver.RefusedRow) driver.SinkOptions {
	return driver.SinkOptions{Refused: func(r driver.RefusedRow) { *into = append(*into, r) }}
}

func id(n byte) table.ID { return table.ID{15: n} }

// all gives the rows of a query as texts, NULL for null.
func (w *world) all(t *testing.T, sql string) (rows [][]string) {
	t.Helper()
	results, err := w.conn.PgConn().Exec(t.Context(), sql).ReadAll()
	if err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	for _, values := range results[len(results)-1].Rows {
		var row []string
		for _, v := range values {
			text := "NULL"
			if v != nil {
				text = string(v)
			}
			row = append(row, text)
		}
		rows = append(rows, row)
	}
	return rows
}

func (w *world) exec(t *testing.T, sql string) {
	t.Helper()
	if _, err := w.conn.Exec(t.Context(), sql); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}

func listing(bucket string) *s3.ListObjectsV2Input { return &s3.ListObjectsV2Input{Bucket: &bucket} }

// benchLogin is the login of the wire.
const benchLogin = postgres.User + ":" + postgres.Password
