package decode_test

import (
	"testing"

	"millrace/schemas/badrow"
	"millrace/transforms/decode"
)

// perLine reports a benchmark that goes over all lines once per iteration.
func perLine(b *testing.B, lines, bytes int, pass func()) {
	b.SetBytes(int64(bytes))
	b.ReportAllocs()
	for b.Loop() {
		pass()
	}
	b.ReportMetric(float64(lines)*float64(b.N)/b.Elapsed().Seconds(), "lines/s")
}

func BenchmarkParse(b *testing.B) {
	data := readLog(b, "semicomplete_2015-05-17_18")
	withUsers := rewrite(data, func(line []byte) []byte { return replaceOnce(line, " - - [", " - frank [") })
	withServer := rewrite(data, func(line []byte) []byte { return append([]byte("www.example.com:443 "), line...) })
	escaped := rewrite(data, func(line []byte) []byte { return replaceOnce(line, "Mozilla", `\"Mo\xc3\xa9zilla`) })
	for _, c := range []struct {
		name   string
		format decode.Format
		data   []byte
	}{
		{"combined", decode.Combined, data},
		{"users", decode.Combined, withUsers},
		{"vhost_combined", decode.VhostCombined, withServer},
		{"escaped", decode.Combined, escaped},
	} {
		b.Run(c.name, func(b *testing.B) {
			var (
				p   decode.Parser
				log decode.AccessLog
			)
			perLine(b, countLines(c.data), len(c.data), func() {
				for lines := decode.NewLines(c.data, 0); ; {
					line, _, ok := lines.Next()
					if !ok {
						return
					}
					if reason := p.Parse(line, c.format, &log); reason != badrow.None {
						b.Fatalf("%s: %.200q", reason, line)
					}
				}
			})
		})
	}
}

func BenchmarkEventTime(b *testing.B) {
	data := readLog(b, "semicomplete_2015-05-17_18")
	perLine(b, countLines(data), len(data), func() {
		for lines := decode.NewLines(data, 0); ; {
			line, _, ok := lines.Next()
			if !ok {
				return
			}
			if _, ok := decode.EventTime(line); !ok {
				b.Fatalf("no time: %.200q", line)
			}
		}
	})
}
