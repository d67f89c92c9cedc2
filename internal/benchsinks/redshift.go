package main

import (
	"bytes"
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"millrace/internal/testenv"
	"millrace/internal/testenv/postgres"
	"millrace/internal/testenv/redshift"
	"millrace/io/driver"
	"millrace/io/redshiftio"
	"millrace/schemas/ddl"
	"millrace/schemas/table"
	"millrace/schemas/weblog"
)

// redshiftContest compares with a script that does the same work by DuckDB, and with COPY
// FROM STDIN into the same PostgreSQL, which merges nothing. Redshift itself has no such
// COPY: it is what a client at best could do.
var redshiftContest = contest{
	name: "redshift", with: []string{"pgx " + strings.TrimPrefix(clientVersion("github.com/jackc/pgx/v5"), "v")}, start: startRedshift,
	row: func() (int, string) { return documentSize(), "JSON" },
	clients: []client{
		{"millrace-wire", "the sink with its defaults over PostgreSQL's protocol: Parquet on S3, COPY, MERGE by our stand-in of Redshift, a process beside", prepareRedshift("wire")},
		{"millrace-data", "the same over the Data API, which is asked every 100 ms and less often", prepareRedshift("data")},
		{"DuckDB-script", "a script of the same work: DuckDB reads CSV that was there before and stages it, each key once, as Parquet and manifest; COPY, DELETE and INSERT in one transaction by the same stand-in", prepareScript},
		{"pgx-CopyFrom", "pgx.CopyFrom of rows, in binary, straight into PostgreSQL; repeated rows would be there twice", prepareCopyFrom},
		{"COPY-csv", "COPY FROM STDIN of CSV that was there before, as psql's \\copy sends it; the same", prepareCopyCSV},
	},
}

// Tables of the contest: the sink makes its own.
const (
	ownTable  = "public.events"
	copyTable = "public.copied"

	loginEnv = "MILLRACE_BENCH_LOGIN"
)

type redshiftServer struct {
	*host
	s3   *testenv.S3Server
	ware *redshift.Warehouse
}

func startRedshift(ctx context.Context, log io.Writer) (server, error) {
	s := &redshiftServer{}
	var err error
	s.host, err = hosted(ctx, log, func(t testing.TB) {
		s.s3 = testenv.S3(t)
		s.ware = redshift.New(t, redshift.Options{S3: s.s3})
		redshift.NewDataAPI(t, s.ware)
		setPython(t)
		t.Setenv(loginEnv, postgres.User+":"+postgres.Password)
	})
	if err != nil {
		return nil, err
	}
	write, err := prepareRedshift("wire")(1) // its tables come with the first row
	if err == nil {
		err = write(ctx, s.Addr())
	}
	if err == nil { // as that of the sink, and with as few indexes
		copied := ddl.Table{Target: ddl.Redshift, Name: copyTable, Rows: weblog.Events, Key: []int{0}}
		create, _, _ := strings.Cut(copied.Create()[0], "\nDISTSTYLE")
		err = s.exec(ctx, create)
	}
	if err != nil {
		s.Quit()
		return nil, err
	}
	return s, nil
}

// Addr is the stand-in, the bucket, and PostgreSQL behind the stand-in.
func (s *redshiftServer) Addr() string {
	return strings.Join([]string{s.ware.Addr, s.ware.Database, s.s3.Bucket, s.ware.Node.URL(s.ware.Database)}, " ")
}

// PID is none: PostgreSQL has a process for each connection, and the stand-in is here.
func (s *redshiftServer) PID() int { return 0 }

func (s *redshiftServer) Empty(ctx context.Context) error {
	return s.exec(ctx, "TRUNCATE "+ownTable+", "+ownTable+"_loads, "+copyTable)
}

func (s *redshiftServer) Count(ctx context.Context) (n int, err error) {
	conn, err := pgx.Connect(ctx, s.ware.Node.URL(s.ware.Database))
	if err != nil {
		return 0, err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	err = conn.QueryRow(ctx, "SELECT (SELECT count(*) FROM "+ownTable+") + (SELECT count(*) FROM "+copyTable+")").Scan(&n)
	return n, err
}

func (s *redshiftServer) exec(ctx context.Context, sql string) error {
	conn, err := pgx.Connect(ctx, s.ware.Node.URL(s.ware.Database))
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	_, err = conn.Exec(ctx, sql)
	return err
}

func prepareRedshift(via string) func(rows int) (func(context.Context, string) error, error) {
	return func(rows int) (func(context.Context, string) error, error) {
		list := batches(rows)
		return func(ctx context.Context, addr string) error {
			at := strings.Fields(addr)
			url := "redshift://team/"
			if via == "wire" {
				url = "redshift://" + at[0] + "/"
			}
			url += at[1] + "/" + ownTable + "?stage=s3://" + at[2] + "/stage&via=" + via
			if via == "wire" {
				url += "&login_env=" + loginEnv
			}
			sink, err := redshiftio.Open(ctx, url, weblog.Events, driver.SinkOptions{})
			if err != nil {
				return err
			}
			return writeAll(ctx, sink, list)
		}, nil
	}
}

func prepareCopyFrom(rows int) (func(context.Context, string) error, error) {
	var names []string
	for _, c := range weblog.Events.Columns {
		names = append(names, c.Name)
	}
	list := batches(rows)
	return func(ctx context.Context, addr string) error {
		conn, err := pgx.Connect(ctx, strings.Fields(addr)[3])
		if err != nil {
			return err
		}
		defer conn.Close(ctx)
		for _, b := range list {
			values := pgx.CopyFromSlice(b.Len(), func(row int) ([]any, error) { return anyRow(b, row), nil })
			if _, err := conn.CopyFrom(ctx, strings.Split(copyTable, "."), names, values); err != nil {
				return err
			}
		}
		return nil
	}, nil
}

// anyRow is a row as a client of pgx has it.
func anyRow(b *table.Batch, row int) []any {
	var values []any
	for i, c := range b.Schema().Columns {
		switch {
		case b.Null(i, row):
			values = append(values, nil)
		case c.Kind == table.String:
			values = append(values, string(b.Text(i, row)))
		case c.Kind == table.UUID:
			values = append(values, uuid.UUID(b.UUID(i, row)).String())
		case c.Kind == table.Time:
			values = append(values, time.UnixMilli(b.Int(i, row)).UTC())
		case c.Kind == table.Bool:
			values = append(values, b.Bool(i, row))
		default:
			values = append(values, b.Int(i, row))
		}
	}
	return values
}

// eventsCSV is rows as CSV, without a header.
func eventsCSV(rows int) ([]byte, error) {
	var text bytes.Buffer
	w := csv.NewWriter(&text)
	for _, b := range batches(rows) {
		for row := range b.Len() {
			var fields []string
			for _, v := range anyRow(b, row) {
				switch v := v.(type) {
				case nil:
					fields = append(fields, "")
				case time.Time:
					fields = append(fields, v.Format("2006-01-02 15:04:05.000"))
				default:
					fields = append(fields, fmt.Sprint(v))
				}
			}
			if err := w.Write(fields); err != nil {
				return nil, err
			}
		}
	}
	w.Flush()
	return text.Bytes(), w.Error()
}

func prepareCopyCSV(rows int) (func(context.Context, string) error, error) {
	text, err := eventsCSV(rows)
	return func(ctx context.Context, addr string) error {
		conn, err := pgconn.Connect(ctx, strings.Fields(addr)[3])
		if err != nil {
			return err
		}
		defer conn.Close(ctx)
		_, err = conn.CopyFrom(ctx, bytes.NewReader(text), "COPY "+copyTable+" FROM STDIN (FORMAT csv)")
		return err
	}, err
}
