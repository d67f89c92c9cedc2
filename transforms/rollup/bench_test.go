package rollup_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"millrace/transforms/rollup"
	"millrace/transforms/sketch"
)

func benchRequests() ([]request, [][]byte) {
	r := rand.New(rand.NewPCG(1, 2))
	who := rand.NewZipf(r, 1.2, 50, 99_999)
	page := rand.NewZipf(r, 1.1, 10, 4_999)
	all := make([]request, 1<<18)
	paths := make([][]byte, len(all))
	for i := range all {
		v := who.Uint64()
		all[i] = request{t: base + int64(i)*2 - r.Int64N(2_000), status: 200, bytes: r.Int64N(50_000), visitor: sketch.Hash(fmt.Append(nil, v))}
		if v%5 == 4 {
			all[i].bot = []string{"curl", "Googlebot"}[v%2]
		}
		paths[i] = fmt.Appendf(nil, "/product/%d", page.Uint64())
	}
	return all, paths
}

func BenchmarkAdd(b *testing.B) {
	all, paths := benchRequests()
	x := newTables(b, time.Hour)
	x.visitors, x.bots = rollup.NewVisitors(0), rollup.NewBots(0)
	minutes := rollup.NewMinutes()
	for name, add := range map[string]func(i int){
		"traffic":  func(i int) { x.traffic.Add(all[i].t, all[i].status, all[i].bytes) },
		"toppages": func(i int) { x.pages.Add(all[i].t, paths[i], all[i].visitor, all[i].bytes, all[i].took) },
		"visitors": func(i int) { x.visitors.Add(all[i].t, all[i].visitor, all[i].bot != "") },
		"minutes":  func(i int) { minutes.Add(all[i].t, all[i].visitor, nil) },
		"bots": func(i int) {
			if q := &all[i]; q.bot != "" {
				x.bots.Add(q.t, q.bot, q.visitor)
			}
		},
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for i := range b.N {
				add(i & (len(all) - 1))
			}
		})
	}
}

func BenchmarkPartsAndMerge(b *testing.B) {
	all, paths := benchRequests()
	x := newTables(b, time.Hour)
	x.visitors, x.bots = rollup.NewVisitors(0), rollup.NewBots(0)
	for i, q := range all {
		q.path = string(paths[i])
		x.add(q)
	}
	for name, parts := range map[string]func() []rollup.Part{
		"traffic": x.traffic.Parts, "toppages": x.pages.Parts, "visitors": x.visitors.Parts, "bots": x.bots.Parts,
	} {
		b.Run(name, func(b *testing.B) {
			size := 0
			for range b.N {
				y := newTables(b, time.Hour)
				y.visitors, y.bots = rollup.NewVisitors(0), rollup.NewBots(0)
				merge := map[string]func([]byte) error{
					"traffic": y.traffic.Merge, "toppages": y.pages.Merge, "visitors": y.visitors.Merge, "bots": y.bots.Merge,
				}[name]
				for _, p := range parts() {
					size += len(p.Blob)
					if err := merge(p.Blob); err != nil {
						b.Fatal(err)
					}
				}
			}
			b.ReportMetric(float64(size)/float64(b.N), "B")
		})
	}
}
