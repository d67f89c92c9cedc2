package generate

import (
	"fmt"
	"io"
	"strconv"
	"time"
)

// The log for benchmarks: small variety, known shape, no truth, made as fast as a
// disk takes it. Its proportions are fixed so that figures compare over the years:
// 100,000 Zipf visitors, 5,000 Zipf pages, 197 bytes a line, 4.2 % 404, 0.8 % 5xx,
// two seconds of disorder, one malformed line in a thousand.

// BenchRate is the event rate of the benchmark log, lines a second.
const BenchRate = 500

// BenchStart is when the benchmark log begins.
var BenchStart = time.Date(2025, 8, 17, 0, 0, 0, 0, time.UTC)

// BenchDays is the rate that spreads n lines over so many days.
func BenchDays(n, days int) float64 { return float64(n) / float64(days*86400) }

const benchVisitors = 100_000

var (
	benchAgents = []string{
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36",
		"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.4 Safari/605.1.15",
		"Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148",
		"Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
		"curl/8.5.0",
	}
	benchReferrers = []string{"-", "https://www.google.com/", "https://news.example.org/a?utm_source=mail", "https://shop.example.com/"}
	benchMethods   = []string{"GET", "GET", "GET", "GET", "GET", "GET", "POST", "HEAD"}
)

// BenchLog writes the first n lines of the benchmark log of seed. rate is in lines
// a second of event time, BenchRate when zero; start is BenchStart when zero.
func BenchLog(w io.Writer, n int, seed uint64, rate float64, start time.Time) error {
	if rate == 0 {
		rate = BenchRate
	}
	if start.IsZero() {
		start = BenchStart
	}
	if rate < 1e-3 || n < 0 {
		return fmt.Errorf("benchmark log of %d lines at %g a second: both must be positive", n, rate)
	}
	r := newRNG(seed, 3)
	visitors := zipf(1.2, 50, benchVisitors)
	step := int64(float64(time.Second) / rate) // mean time between two lines, ns
	at := start.UnixNano()
	clock := newStamp(0)
	second := int64(-1 << 62)
	const flushAt = 1 << 18
	b := make([]byte, 0, flushAt+1<<12)
	for range n {
		at += r.exp() >> 4 * step >> 12
		if r.oneIn(1000) {
			b = append(b, `\x16\x03\x01 garbage `...)
			b = strconv.AppendUint(b, r.uint64()>>1, 10)
			b = append(b, " \"unterminated\n"...)
		} else {
			if s := (at - int64(r.n(int(2*time.Second)))) / int64(time.Second); s != second {
				second = s
				clock.set(s)
			}
			b = appendBenchLine(b, &r, visitors.draw(&r), clock.text)
		}
		if len(b) >= flushAt {
			if _, err := w.Write(b); err != nil {
				return fmt.Errorf("write benchmark log: %w", err)
			}
			b = b[:0]
		}
	}
	if _, err := w.Write(b); err != nil {
		return fmt.Errorf("write benchmark log: %w", err)
	}
	return nil
}

func appendBenchLine(b []byte, r *rng, v int, stamp []byte) []byte {
	b = append(b, octets[10+v%180]...)
	b = append(b, '.')
	b = append(b, octets[v>>3&255]...)
	b = append(b, '.')
	b = append(b, octets[v>>7&255]...)
	b = append(b, '.')
	b = append(b, octets[1+v%250]...)
	b = append(b, " - - "...)
	b = append(b, stamp...)
	b = append(b, ` "`...)
	b = append(b, benchMethods[r.n(len(benchMethods))]...)
	b = append(b, ' ')
	p := productRank.draw(r)
	switch r.n(12) {
	case 0:
		b = append(b, '/')
	case 1:
		b = append(b, "/cart?add="...)
		b = strconv.AppendInt(b, int64(p), 10)
		b = append(b, "&email=user"...)
		b = strconv.AppendInt(b, int64(v), 10)
		b = append(b, "@example.com"...)
	case 2:
		b = append(b, "/checkout"...)
	case 3:
		b = append(b, "/search?q=item+"...)
		b = strconv.AppendInt(b, int64(p), 10)
	default:
		b = append(b, "/product/"...)
		b = strconv.AppendInt(b, int64(p), 10)
	}
	b = append(b, ` HTTP/1.1" `...)
	switch x := r.n(1000); {
	case x < 8:
		b = append(b, '5', '0', byte('0'+x&3), ' ')
	case x < 50:
		b = append(b, "404 "...)
	case x < 120:
		b = append(b, "304 "...)
	default:
		b = append(b, "200 "...)
	}
	b = strconv.AppendInt(b, int64(200+r.n(50_000)), 10)
	b = append(b, ` "`...)
	b = append(b, benchReferrers[r.n(len(benchReferrers))]...)
	b = append(b, `" "`...)
	b = append(b, benchAgents[v%len(benchAgents)]...)
	return append(b, '"', '\n')
}
