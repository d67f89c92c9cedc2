package weblogs_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/testing/passert"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/testing/ptest"

	"millrace/jobs/weblogs"
	"millrace/schemas/record"
	"millrace/transforms"
)

// timedBlocks are requests of an hour as three servers wrote them: a load balancer that
// tells three times, of which one can be unknown; nginx with $request_time; and Apache,
// which tells none.
func timedBlocks() (out []record.Block) {
	alb := func(path, times string) string {
		return `https 2026-03-01T10:00:00.5Z app/shop/50dc 203.0.113.9:2817 10.0.0.1:80 ` + times + ` 200 200 34 100 "GET https://shop.example:443` + path + ` HTTP/2.0" "Firefox" TLS_AES_128_GCM_SHA256 TLSv1.3 arn:x "Root=1-58337262-36d228ad5d99923122bbe354" "-" "-" 0 2026-03-01T10:00:00.000000Z "forward" "-" "-"`
	}
	nginx := func(path, took string) string {
		return `203.0.113.9 [01/Mar/2026:10:00:02 +0000] "GET ` + path + ` HTTP/1.1" 200 100 ` + took
	}
	base := int64(0)
	for _, b := range []struct{ format, text string }{
		{"alb", alb("/a", "0.1 0.25 0.000001") + "\n" + alb("/a", "0.002 0.010 0.000") + "\n" + alb("/b", "0.001 -1 -1") + "\n"},
		{"nginx $remote_addr [$time_local] \"$request\" $status $body_bytes_sent $request_time", nginx("/a", "1.500") + "\n" + nginx("/c", "0.000") + "\n"},
		{"combined", strings.ReplaceAll(lines[0], "/?email=ann%40example.com", "/a") + "\n" + strings.ReplaceAll(lines[0], "/?email=ann%40example.com", "/b") + "\n"},
	} {
		out = append(out, record.Block{Source: strings.Repeat("0", 32), Name: "test.log", Format: b.format, Base: base, Data: []byte(b.text)})
		base += int64(len(b.text))
	}
	return out
}

// TestTopPagesTellTheirLatency in milliseconds, of the requests whose log tells how long they
// took: of four of /a three do (12, 350.001 and 1,500 ms), of which the second is each
// quantile, within 1 %; of /b none, and that of /c is 0. It is the same in batch and live, where
// each server's part waits in state.
func TestTopPagesTellTheirLatency(t *testing.T) {
	page := func(rank int, path string, views, visitors int, latency string) string {
		return fmt.Sprintf("window_start=%d rank=%d path=%s views=%d window_seconds=3600 version=7 visitors=%d bytes_p50=100 bytes_p95=100 bytes_p99=100%s exact=1 views_error=0", ms, rank, path, views, visitors, latency)
	}
	rows := []string{
		page(1, "/a", 4, 3, " latency_ms_p50=351.644 latency_ms_p90=351.644 latency_ms_p99=351.644"),
		page(2, "/b", 2, 2, ""),
		page(3, "/c", 1, 1, " latency_ms_p50=0 latency_ms_p90=0 latency_ms_p99=0"),
	}
	for name, live := range map[string]*transforms.Live{"batch": nil, "live": {Bucket: 10 * time.Minute}} {
		t.Run(name, func(t *testing.T) {
			c := common(t)
			c.Live = live
			s := weblogs.Defaults()
			s.PageSketches = true
			ptest.BuildAndRun(t, func(scope beam.Scope) {
				bring := blocksOf
				if live != nil {
					bring = streamOf
				}
				out := weblogs.Build(scope, s, c, bring(scope, timedBlocks()))
				passert.EqualsList(scope, beam.ParDo(scope, showRows, out.Rows["top_pages"]), rows)
			})
		})
	}
}
