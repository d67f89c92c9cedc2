package funnels_test

import (
	"fmt"
	"math/rand/v2"
	"syscall"
	"testing"
	"time"

	"millrace/schemas/table"
	"millrace/schemas/weblog"
	"millrace/transforms/funnels"
)

const benchFunnel = `
funnels:
  - name: purchase
    within: 1h
    steps:
      - {name: home, where: path == "/" && method == "GET"}
      - {name: product, where: path.startsWith("/product/") && status < 400}
      - {name: cart, where: 'path in ["/cart", "/basket"] && !bot'}
      - {name: checkout, where: path == "/checkout"}
      - {name: paid, where: path == "/checkout/done" && method == "POST"}
`

// benchBatches are requests as a log holds them: in order of time, visitors and
// products by Zipf. Of step events there are so many in a hundred.
func benchBatches(events, percent int) (batches []*table.Batch) {
	r := rand.New(rand.NewPCG(1, 2))
	who := rand.NewZipf(r, 1.2, 50, 99_999)
	page := rand.NewZipf(r, 1.1, 10, 4_999)
	steps := []string{"/", "", "", "/cart", "/checkout", "/checkout/done"}
	for done := 0; done < events; {
		b := table.NewBatch(weblog.Events)
		for range min(1<<16, events-done) {
			path := fmt.Sprintf("/static/%d.css", page.Uint64())
			if r.IntN(100) < percent {
				if path = steps[r.IntN(len(steps))]; path == "" {
					path = fmt.Sprintf("/product/%d", page.Uint64())
				}
			}
			method := "GET"
			if path == "/checkout/done" {
				method = "POST"
			}
			for col := range weblog.Events.Columns {
				switch col {
				case weblog.EventID:
					b.PutUUID(col, table.ID{})
				case weblog.EventTime:
					b.PutInt(col, firstDay+int64(done)/2)
				case weblog.EventVisitorID:
					b.PutString(col, fmt.Sprintf("tok_visitor_k1_%032x", who.Uint64()*0x9e3779b97f4a7c15))
				case weblog.EventMethod:
					b.PutString(col, method)
				case weblog.EventPath:
					b.PutString(col, path)
				case weblog.EventSource:
					b.PutString(col, "0123456789abcdef0123456789abcdef")
				case weblog.EventPosition:
					b.PutInt(col, int64(done)*200)
				case weblog.EventStatus, weblog.EventBot, weblog.EventLate, weblog.EventPageView:
					b.PutInt(col, []int64{200, 0}[min(1, col-weblog.EventStatus)])
				default:
					b.PutNull(col)
				}
			}
			b.EndRow()
			done++
		}
		batches = append(batches, b)
	}
	return batches
}

// processor is the time that processors have spent on this process: unlike the
// clock's, it does not grow when others keep the machine busy.
func processor(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkFunnel is the whole way of an event for a funnel of 5 steps: predicates,
// fragments of 64 shards, every 65,536 rows, rows.
func BenchmarkFunnel(b *testing.B) {
	const events = 1 << 20
	defs, err := definitionsOf(b, benchFunnel)
	if err != nil {
		b.Fatal(err)
	}
	for _, percent := range []int{20, 100} {
		b.Run(fmt.Sprintf("steps=%d%%", percent), func(b *testing.B) {
			s, batches := weblogSet(b, defs), benchBatches(events, percent)
			c, e := s.NewCollector(weblogColumns), s.NewEvaluator(nil)
			found, size := 0, 0
			b.ReportAllocs()
			from := processor(b)
			for b.Loop() {
				shards := make([][][]byte, 64)
				for _, batch := range batches {
					c.Add(batch, 0)
					for _, p := range c.Flush(len(shards)) {
						shards[p.Shard] = append(shards[p.Shard], p.Blob)
						size += len(p.Blob)
					}
				}
				for _, blobs := range shards {
					e.Reset()
					for _, blob := range blobs {
						if err := e.Add(blob); err != nil {
							b.Fatal(err)
						}
					}
					found += len(e.Rows())
				}
			}
			b.ReportMetric(float64(b.N)*events/(processor(b)-from).Seconds(), "events/core-s")
			b.ReportMetric(float64(found)/float64(b.N), "rows")
			b.ReportMetric(float64(size)/float64(b.N)/events, "B/event")
		})
	}
}

// BenchmarkCollectorAdd is predicates and fold alone.
func BenchmarkCollectorAdd(b *testing.B) {
	const events = 1 << 18
	defs, err := definitionsOf(b, benchFunnel)
	if err != nil {
		b.Fatal(err)
	}
	s, batches := weblogSet(b, defs), benchBatches(events, 100)
	c := s.NewCollector(weblogColumns)
	b.ReportAllocs()
	from := processor(b)
	for b.Loop() {
		for _, batch := range batches {
			c.Add(batch, 0)
		}
		c.Drop()
	}
	b.ReportMetric(float64(b.N)*events/(processor(b)-from).Seconds(), "events/core-s")
}

func BenchmarkWindowFunnel(b *testing.B) {
	r := rand.New(rand.NewPCG(3, 3))
	hits := make([]funnels.Hit, 0, 1<<16)
	for i := range 1 << 16 {
		hits = append(hits, funnels.Hit{Time: int64(i / 2), Steps: 1 << r.IntN(4)})
	}
	for name, mode := range map[string]funnels.Mode{"default": 0, "strict_once": funnels.StrictOnce, "strict_increase": funnels.StrictIncrease} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				funnels.WindowFunnel(hits, 5, 3600, mode)
			}
			b.ReportMetric(float64(b.N)*float64(len(hits))/b.Elapsed().Seconds(), "hits/s")
		})
	}
}

func BenchmarkPattern(b *testing.B) {
	p, err := funnels.ParsePattern("(?1).*(?2)(?t<600)(?3).*(?4)", 4)
	if err != nil {
		b.Fatal(err)
	}
	r := rand.New(rand.NewPCG(4, 4))
	hits := make([]funnels.Hit, 1000)
	for i := range hits {
		hits[i] = funnels.Hit{Time: int64(i), Steps: 1 << r.IntN(4)}
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := p.Count(hits); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)*float64(len(hits))/b.Elapsed().Seconds(), "hits/s")
}
