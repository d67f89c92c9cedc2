package opensearchio

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"millrace/internal/benchsinks/events"
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
			rows := events.Batch(0, benchRows)
			b.SetBytes(int64(len(s.encoder.append(nil, table.Rows{Batch: rows}, 0))))
			b.ReportAllocs()
			left := 0
			for b.Loop() {
				if left == 0 {
					if err := s.Write(b.Context(), table.Rows{Batch: rows}); err != nil {
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
