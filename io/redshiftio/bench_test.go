package redshiftio

import (
	"context"
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"millrace/internal/testenv"
	"millrace/internal/testenv/redshift"
	"millrace/io/driver"
	"millrace/io/lakeio"
	"millrace/schemas/ddl"
	"millrace/schemas/table"
	"millrace/schemas/weblog"
)

const (
	benchRows  = 1000 // of a batch
	benchBatch = 50
)

func benchEvents(batch int) *table.Batch {
	b := table.NewBatch(weblog.Events)
	for i := range benchRows {
		b.Append(weblog.Event{
			EventID: table.ID{byte(i), byte(i >> 8), byte(batch), byte(batch >> 8), byte(batch >> 16)}, EventTime: table.Millis(noon + i*977), VisitorID: fmt.Sprintf("tok_visitor_k1_%032d", i%100),
			ClientIP: pointer("203.0.113.0"), Method: pointer("GET"), Path: pointer(fmt.Sprint("/shop/item-", i%200)), Query: pointer("page=2&sort=price"), Protocol: pointer("HTTP/1.1"),
			Status: 200, Bytes: pointer(int64(5120 + i)), Referrer: pointer("https://www.example.org/search?q=shoes"),
			UserAgent: pointer("Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0"), Source: strings.Repeat("0a", 16), Position: int64(200 * i), PageView: true,
		})
	}
	return b
}

// nowhere takes loads at no cost.
type nowhere struct{ lakeio.Store }

func (nowhere) run(context.Context, string, []string) ([]int64, error)     { return nil, nil }
func (nowhere) query(context.Context, string) (rows [][]string, err error) { return nil, nil }
func (nowhere) close()                                                     {}

// BenchmarkSink measures what the sink does besides the network and the database, in
// rows: gathering, dedup, sorting, Parquet.
func BenchmarkSink(b *testing.B) {
	b.Setenv("AWS_REGION", "eu-west-1")
	s, err := Open(b.Context(), place, weblog.Events, driver.SinkOptions{})
	if err != nil {
		b.Fatal(err)
	}
	store, err := lakeio.OpenStore(b.Context(), b.TempDir())
	if err != nil {
		b.Fatal(err)
	}
	s.house, s.store = nowhere{}, store
	batches := make([]*table.Batch, benchBatch)
	for i := range batches {
		batches[i] = benchEvents(i)
	}
	b.ReportAllocs()
	left, n, cpu := 0, 0, ownCPU(b)
	for b.Loop() {
		if left == 0 {
			if err := s.Write(b.Context(), table.Rows{Batch: batches[n%benchBatch]}); err != nil {
				b.Fatal(err)
			}
			left = benchRows
			n++
		}
		left--
	}
	if err := s.Close(b.Context()); err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64((ownCPU(b)-cpu).Nanoseconds())/float64(b.N)/1000, "cpu-us/row")
}

// BenchmarkLoad loads the same rows into the same PostgreSQL in one run: by the sink, over
// both ways, and by COPY FROM STDIN as psql and pgx do it, which merges nothing. Figures
// are of the client's process: rows a second, and its CPU for a row. For the sink that
// holds the stand-in of Redshift, too, except DuckDB.
func BenchmarkLoad(b *testing.B) {
	s3 := testenv.S3(b)
	ware := redshift.New(b, redshift.Options{S3: s3})
	api := redshift.NewDataAPI(b, ware)
	w := &world{s3: s3, ware: ware, api: api, conn: ware.Node.Connect(b, ware.Database)}
	b.Setenv(loginEnv, benchLogin)
	batches := make([]*table.Batch, benchBatch)
	for i := range batches {
		batches[i] = benchEvents(i)
	}
	measure := func(name string, load func(b *testing.B, to string)) {
		b.Run(name, func(b *testing.B) {
			rows, began, cpu := 0, time.Now(), ownCPU(b)
			for b.Loop() {
				load(b, w.name())
				rows += benchRows * benchBatch
			}
			b.ReportMetric(float64(rows)/time.Since(began).Seconds(), "rows/s")
			b.ReportMetric(float64((ownCPU(b)-cpu).Microseconds())/float64(rows), "cpu-us/row")
			b.ReportMetric(0, "ns/op")
		})
	}
	for _, via := range ways {
		measure("sink-"+via, func(b *testing.B, to string) {
			s, err := Open(b.Context(), w.url(to, via, ""), weblog.Events, driver.SinkOptions{})
			if err != nil {
				b.Fatal(err)
			}
			for _, batch := range batches {
				if err := s.Write(b.Context(), table.Rows{Batch: batch}); err != nil {
					b.Fatal(err)
				}
			}
			if err := s.Close(b.Context()); err != nil {
				b.Fatal(err)
			}
		})
	}
	measure("pgx-copy", func(b *testing.B, to string) {
		conn := ware.Node.Connect(b, ware.Database)
		t := ddl.Table{Target: ddl.Redshift, Name: to, Rows: weblog.Events, Key: []int{0}}
		if _, err := conn.Exec(b.Context(), strings.Split(t.Create()[0], "\nDISTSTYLE")[0]); err != nil {
			b.Fatal(err)
		}
		var names []string
		for _, c := range weblog.Events.Columns {
			names = append(names, c.Name)
		}
		for _, batch := range batches {
			if _, err := conn.CopyFrom(b.Context(), pgx.Identifier(strings.Split(to, ".")), names, pgx.CopyFromSlice(batch.Len(), func(row int) ([]any, error) { return anyRow(batch, row), nil })); err != nil {
				b.Fatal(err)
			}
		}
	})
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
			id := b.UUID(i, row)
			values = append(values, fmt.Sprintf("%x-%x-%x-%x-%x", id[:4], id[4:6], id[6:8], id[8:10], id[10:]))
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

func ownCPU(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(os.NewSyscallError("getrusage", err))
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
