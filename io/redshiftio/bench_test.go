package redshiftio

import (
	"context"
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"millrace/io/driver"
	"millrace/io/lakeio"
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

func ownCPU(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(os.NewSyscallError("getrusage", err))
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
