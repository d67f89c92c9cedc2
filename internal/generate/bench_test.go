package generate

import (
	"io"
	"testing"
	"time"
)

func BenchmarkBenchLog(b *testing.B) {
	const n = 200_000
	for b.Loop() {
		if err := BenchLog(io.Discard, n, 1, 0, time.Time{}); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), "lines/s")
}

func BenchmarkFarm(b *testing.B) {
	const n = 500_000
	bytes := 0
	for b.Loop() {
		farm, err := Weblog(WeblogConfig{Lines: n, Rate: 500, Visitors: 100_000, Servers: 4})
		if err != nil {
			b.Fatal(err)
		}
		bytes = 0
		for line := range farm.Lines() {
			bytes += len(line.Text) + 1
		}
	}
	b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), "lines/s")
	b.ReportMetric(float64(bytes)/n, "B/line")
}
