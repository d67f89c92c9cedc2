package monitor_test

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"millrace/transforms/monitor"
)

// BenchmarkFold judges and sums up the readings of 50 series, 10 a minute of each.
func BenchmarkFold(b *testing.B) {
	var points []monitor.Point
	about := &monitor.About{Unit: "/min", Patient: true}
	for i := range 100_000 {
		points = append(points, monitor.Point{
			Key:   &monitor.Key{Subject: fmt.Sprint("tok_patient_k1_", i%10), Device: fmt.Sprint("tok_device_k1_", i%10), Code: fmt.Sprint("8867-", i%5)},
			About: about, Time: start + int64(i)*120, Position: int64(i), Value: float64(60 + i*7919%13), Low: 20, High: 300,
		})
	}
	o := options
	o.Step = 0
	sink := (&lines{}).sink()
	sink.Flag, sink.Minute, sink.Hour, sink.Score = func(*monitor.Flagged) {}, func(*monitor.Minute) {}, func(*monitor.Hour) {}, func(*monitor.Score) {}
	for b.Loop() {
		monitor.New(o).Fold(slices.Clone(points), math.MaxInt64, sink)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(points)), "ns/reading")
}
