package opensearchio

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"millrace/io/driver"
	"millrace/schemas/table"
	"millrace/schemas/weblog"
)

// takesAll answers as OpenSearch does when all went well, at no cost.
type takesAll struct{ answer string }

func (s *takesAll) RoundTrip(r *http.Request) (*http.Response, error) {
	_, err := io.Copy(io.Discard, r.Body)
	return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(strings.NewReader(s.answer)), Request: r}, err
}

const benchRows = 1000

func benchEvents() *table.Batch {
	b := table.NewBatch(weblog.Events)
	for i := range benchRows {
		b.Append(weblog.Event{
			EventID: table.ID{byte(i), byte(i >> 8)}, EventTime: table.Millis(1_741_003_200_000 + i*977), VisitorID: fmt.Sprintf("tok_visitor_k1_%032d", i%100),
			ClientIP: pointer("203.0.113.0"), Method: pointer("GET"), Path: pointer(fmt.Sprint("/shop/item-", i%200)), Query: pointer("page=2&sort=price"), Protocol: pointer("HTTP/1.1"),
			Status: 200, Bytes: pointer(int64(5120 + i)), Referrer: pointer("https://www.example.org/search?q=shoes"),
			UserAgent: pointer("Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0"), Source: strings.Repeat("0a", 16), Position: int64(200 * i), PageView: true,
		})
	}
	return b
}

// BenchmarkSink measures what the sink does besides the network, in rows.
func BenchmarkSink(b *testing.B) {
	for _, compress := range []string{"none", "gzip"} {
		b.Run(compress, func(b *testing.B) {
			s, err := Open(b.Context(), fmt.Sprintf("opensearch://127.0.0.1/events-{day}?template=skip&rows=%d&compress=%s", benchRows, compress), weblog.Events, driver.SinkOptions{})
			if err != nil {
				b.Fatal(err)
			}
			items := strings.Repeat(`{"index":{"status":201}},`, benchRows)
			s.client.http.Transport = &takesAll{`{"errors":false,"items":[` + items[:len(items)-1] + `]}`}
			events := benchEvents()
			b.SetBytes(int64(len(s.encoder.append(nil, table.Rows{Batch: events}, 0))))
			b.ReportAllocs()
			left := 0
			for b.Loop() {
				if left == 0 {
					if err := s.Write(b.Context(), table.Rows{Batch: events}); err != nil {
						b.Fatal(err)
					}
					left = benchRows
				}
				left--
			}
			if err := s.Close(b.Context()); err != nil {
				b.Fatal(err)
			}
		})
	}
}
