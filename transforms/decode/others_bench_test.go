package decode_test

import (
	"testing"

	"millrace/schemas/badrow"
	"millrace/transforms/decode"
)

// BenchmarkOtherLogs reads one usual line of each format over and over.
func BenchmarkOtherLogs(b *testing.B) {
	cf := cfLine + "\t-\tHit\tid==\twww.example.com\thttps\t23\t0.001\t-\tTLSv1.2\tECDHE\tHit\tHTTP/2.0\t-\t-\t11040\t0.001\tHit\ttext/html\t78\t-\t-"
	for _, c := range []struct{ name, spec, line string }{
		{"alb", "alb", albLine}, {"cloudfront", "cloudfront", cf}, {"nginx", ngSpec, ngLine}, {"apigateway", "apigateway", gwLine},
	} {
		b.Run(c.name, func(b *testing.B) {
			d, line := open(b, c.spec), []byte(c.line)
			var log decode.AccessLog
			b.SetBytes(int64(len(line)))
			b.ReportAllocs()
			for b.Loop() {
				if _, reason := d.Decode(line, &log); reason != badrow.None {
					b.Fatal(reason)
				}
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "lines/s")
		})
	}
	b.Run("vpcflow", func(b *testing.B) {
		d, err := decode.NewFlowDecoder("")
		if err != nil {
			b.Fatal(err)
		}
		line := []byte("2 123456789010 eni-1235b8ca123456789 192.0.2.12 198.51.100.7 49761 3389 6 20 4249 1418530010 1418530070 REJECT OK")
		var f decode.Flow
		b.SetBytes(int64(len(line)))
		b.ReportAllocs()
		for b.Loop() {
			if _, reason := d.Decode(line, &f); reason != badrow.None {
				b.Fatal(reason)
			}
		}
		b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "lines/s")
	})
}
