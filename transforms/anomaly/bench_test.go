package anomaly_test

import (
	"math/rand/v2"
	"testing"

	"millrace/transforms/anomaly"
)

func BenchmarkAdd(b *testing.B) {
	for name, o := range bothOptions {
		b.Run(name, func(b *testing.B) {
			points := random(rand.New(rand.NewPCG(1, 1)), 20_000)
			for i := range points {
				points[i].Time = int64(i) * 5 * minute
			}
			d := anomaly.New(o)
			feed(d, points)
			b.ReportAllocs()
			i := 0
			last := points[len(points)-1].Time
			for b.Loop() {
				last += 5 * minute
				p := points[i%len(points)]
				p.Time = last
				d.Add(p)
				i++
			}
			b.ReportMetric(float64(i)/b.Elapsed().Seconds(), "points/s")
		})
	}
}

func BenchmarkState(b *testing.B) {
	for name, o := range bothOptions {
		d := anomaly.New(o)
		feed(d, random(rand.New(rand.NewPCG(1, 1)), 20_000))
		state := d.AppendEncoded(nil)
		b.Run("encode "+name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				state = d.AppendEncoded(state[:0])
			}
		})
		b.Run("decode "+name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := anomaly.Decode(state, o); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
