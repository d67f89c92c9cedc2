package influxio

import (
	"fmt"
	"syscall"
	"testing"
	"time"

	"millrace/internal/testenv"
	"millrace/io/driver"
	"millrace/schemas/table"
	"millrace/schemas/weblog"
)

const benchRows = 5000

// benchTraffic are rows of a minute each, of five classes, later with each call.
func benchTraffic(call int) *table.Batch {
	b := table.NewBatch(weblog.TrafficRows)
	for i := range benchRows {
		b.Append(weblog.Traffic{WindowStart: table.Millis(1_741_003_200_000 + (call*benchRows+i)/5*60_000), WindowSeconds: 60, StatusClass: fmt.Sprint(1+i%5, "xx"), Views: int64(i), Bytes: int64(i * 5120), Version: int64(i)})
	}
	return b
}

// cpu is what this process has used. The server is another one.
func cpu() time.Duration {
	var usage syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &usage) // fails for none of our arguments
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// BenchmarkSink writes into one real server with the ways of this sink, 5,000 rows a
// call, in rows and CPU of the sink. Beside the official client it is measured by
// internal/benchsinks.
func BenchmarkSink(b *testing.B) {
	server := testenv.Influx(b)
	news, unused := 0, time.Duration(0)
	run := func(name string, send func(b *testing.B, batch *table.Batch), done func(b *testing.B)) {
		b.Run(name, func(b *testing.B) {
			var batches []*table.Batch
			for i := range 8 {
				batches = append(batches, benchTraffic(i))
			}
			rows, used := 0, cpu()
			unused = 0
			for b.Loop() {
				send(b, batches[rows/benchRows%len(batches)])
				rows += benchRows
			}
			done(b)
			b.ReportMetric(float64(rows)/b.Elapsed().Seconds(), "rows/s")
			b.ReportMetric(float64((cpu()-used-unused).Nanoseconds())/float64(rows), "cpu-ns/row")
		})
	}
	for name, parameters := range map[string]string{"sink": "check=false", "sink, two calls": "check=false&calls=2", "sink, checked, all there": "", "sink, checked, all new": "", "sink, gzip": "check=false&compress=gzip"} {
		measurement := "&calls=1&measurement=" + fmt.Sprintf("m%x", name)
		if name == "sink, two calls" {
			measurement = measurement[len("&calls=1"):]
		}
		s := open(b, at(server, parameters+measurement), weblog.TrafficRows, driver.SinkOptions{})
		run(name, func(b *testing.B, batch *table.Batch) {
			if name == "sink, checked, all new" {
				b.StopTimer()
				before := cpu()
				batch = benchTraffic(100 + news)
				news++
				unused += cpu() - before
				b.StartTimer()
			}
			if err := s.Write(b.Context(), table.Rows{Batch: batch}); err != nil {
				b.Fatal(err)
			}
		}, func(b *testing.B) {
			if err := s.Flush(b.Context()); err != nil {
				b.Fatal(err)
			}
		})
	}
}

// BenchmarkLine measures the encoder alone.
func BenchmarkLine(b *testing.B) {
	batch := benchTraffic(0)
	b.Run("sink", func(b *testing.B) {
		s := offline(b, "", weblog.TrafficRows)
		b.ReportAllocs()
		var line []byte
		for i := 0; b.Loop(); i++ {
			row := i % benchRows
			series, slot := s.encoder.series(line[:0], batch, row)
			line = s.encoder.appendFields(series, table.Rows{Batch: batch}, row, s.encoder.time(s.config.shape.Millis(batch, row), slot))
		}
		b.SetBytes(int64(len(line)))
	})
}
