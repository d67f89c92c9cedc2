package lakeio

import (
	"fmt"
	"io"
	"math/rand/v2"
	"testing"

	"millrace/schemas/table"
	"millrace/schemas/weblog"
)

// benchEvents makes rows like those of a busy site's log.
func benchEvents(n int) *table.Batch {
	r := rand.New(rand.NewPCG(1, 2))
	b := table.NewBatch(weblog.Events)
	str := func(s string) *string { return &s }
	visitors := rand.NewZipf(r, 1.2, 50, 99_999)
	pages := rand.NewZipf(r, 1.1, 10, 4_999)
	t := int64(1_755_388_800_000)
	for i := range n {
		t += int64(r.ExpFloat64() * 2)
		v := visitors.Uint64()
		size := int64(200 + r.IntN(50_000))
		e := weblog.Event{
			EventTime: table.Millis(t / 1000 * 1000), VisitorID: fmt.Sprintf("tok_visitor_k1_%032d", v),
			ClientIP: str(fmt.Sprintf("10.%d.%d.0", v%256, v>>8%256)), Method: str("GET"), Path: str(fmt.Sprintf("/product/%d", pages.Uint64())),
			Protocol: str("HTTP/1.1"), Status: 200, Bytes: &size, Referrer: str("https://www.google.com/"),
			UserAgent: str("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36"),
			PageView:  true, Source: "0123456789abcdef0123456789abcdef", Position: int64(i) * 197,
		}
		r1, r2 := r.Uint64(), r.Uint64()
		for k := range 8 {
			e.EventID[k], e.EventID[k+8] = byte(r1>>(8*k)), byte(r2>>(8*k))
		}
		if i%12 == 0 {
			e.Query = str(fmt.Sprintf("q=item+%d", v))
		}
		b.Append(e)
	}
	return b
}

func BenchmarkParquetWriter(b *testing.B) {
	rows := benchEvents(500_000)
	b.ReportAllocs()
	for b.Loop() {
		out := &countingWriter{w: io.Discard}
		w := newParquetWriter(out, weblog.Events, lakeCut.groupRows)
		for from := 0; from < rows.Len(); from += 8192 {
			if err := w.add(piece{rows, from, min(from+8192, rows.Len())}); err != nil {
				b.Fatal(err)
			}
		}
		if err := w.close(); err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(out.n)/float64(rows.Len()), "B/row")
	}
	b.ReportMetric(float64(rows.Len())*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
}

type countingWriter struct {
	w io.Writer
	n int64
}

func (c *countingWriter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n += int64(n)
	return n, err
}
