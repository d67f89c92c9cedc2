package table_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"millrace/schemas/table"
	"millrace/schemas/weblog"
)

// benchRows is about what a block DoFn hands on at once.
const benchRows = 20_000

// eventBatch resembles a log: few agents and referrers, more visitors, Zipf
// pages, times nearly in order, a query now and then.
func eventBatch() *table.Batch {
	rng := rand.New(rand.NewPCG(1, 2))
	pages := rand.NewZipf(rng, 1.2, 1, 2000)
	b := table.NewBatch(weblog.Events)
	text := func(format string, n uint64) *string {
		s := fmt.Sprintf(format, n)
		return &s
	}
	for i := range benchRows {
		bytes := rng.Int64N(100_000)
		row := weblog.Event{
			EventID:   table.ID{byte(i), byte(i >> 8), byte(i >> 16), 15: byte(rng.Uint32())},
			EventTime: table.Millis(1_700_000_000_000 + int64(i)*40 - rng.Int64N(2000)),
			VisitorID: *text("tok_visitor_k1_%032d", rng.Uint64N(3000)),
			ClientIP:  text("203.0.%d.0/24", rng.Uint64N(256)), Method: text("GET", 0), Protocol: text("HTTP/1.1", 0),
			Path: text("/articles/%d/index.html", pages.Uint64()), Status: 200, Bytes: &bytes,
			Referrer: text("https://example.com/%d", rng.Uint64N(200)), UserAgent: text("Mozilla/5.0 (X11; Linux x86_64) Agent/%d", rng.Uint64N(300)),
			PageView: true, Source: "0123456789abcdef0123456789abcdef", Position: int64(i) * 200,
		}
		if i%10 == 0 {
			row.Query = text("page=%d", uint64(i))
		}
		b.Append(&row)
	}
	return b
}

// perRow reports time by row and bytes by batch, in the way of all benchmarks
// here.
func perRow(b *testing.B, bytes int) {
	b.SetBytes(int64(bytes))
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/benchRows, "ns/row")
}

func BenchmarkAppendBinary(b *testing.B) {
	batch := eventBatch()
	var data []byte
	for b.Loop() {
		var err error
		if data, err = batch.AppendBinary(data[:0]); err != nil {
			b.Fatal(err)
		}
	}
	perRow(b, len(data))
}

func BenchmarkDecode(b *testing.B) {
	data := encode(b, eventBatch())
	b.ReportAllocs()
	for b.Loop() {
		if _, err := table.Decode(data); err != nil {
			b.Fatal(err)
		}
	}
	perRow(b, len(data))
}

func BenchmarkSorted(b *testing.B) {
	batch := eventBatch()
	for b.Loop() {
		batch.Sorted()
	}
	perRow(b, batch.Size())
}

func BenchmarkGather(b *testing.B) {
	batch := eventBatch()
	order, to := batch.Sorted(), table.NewBatch(weblog.Events)
	for b.Loop() {
		to.Reset()
		to.Gather(batch, order)
	}
	perRow(b, batch.Size())
}
