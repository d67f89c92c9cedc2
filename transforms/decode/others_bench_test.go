package decode_test

import (
	"syscall"
	"testing"
	"time"

	"millrace/schemas/badrow"
	"millrace/transforms/decode"
)

// BenchmarkOtherLogs reads one usual line of each format over and over. lines/cpu-s is by
// the processor's time.
func BenchmarkOtherLogs(b *testing.B) {
	cf := cfLine + "\t-\tHit\tid==\twww.example.com\thttps\t23\t0.001\t-\tTLSv1.2\tECDHE\tHit\tHTTP/2.0\t-\t-\t11040\t0.001\tHit\ttext/html\t78\t-\t-"
	for _, c := range []struct{ name, spec, line string }{
		{"alb", "alb", albLine},
		{"cloudfront", "cloudfront", cf},
		{"nginx", ngSpec, ngLine},
		{"apigateway", "apigateway", gwLine},
		{"json", jsonSpec, jsonLine},
	} {
		b.Run(c.name, func(b *testing.B) {
			d, line := open(b, c.spec), []byte(c.line)
			var log decode.AccessLog
			b.SetBytes(int64(len(line)))
			perCall(b, func() {
				if _, reason := d.Decode(line, &log); reason != badrow.None {
					b.Fatal(reason)
				}
			})
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
		perCall(b, func() {
			if _, reason := d.Decode(line, &f); reason != badrow.None {
				b.Fatal(reason)
			}
		})
	})
	b.Run("syslog", func(b *testing.B) {
		p := decode.SyslogParser{Reference: at2026}
		line := []byte("Mar  1 13:06:56 ip-10-77-20-248 sshd[1291]: Failed password for invalid user admin from 192.0.2.9 port 50982 ssh2")
		var log decode.AuthLog
		b.SetBytes(int64(len(line)))
		perCall(b, func() {
			if reason := p.Parse(line, &log); reason != badrow.None {
				b.Fatal(reason)
			}
		})
	})
}

// jsonLine is a line of an application with members that its mapping does not name.
const (
	jsonSpec = "json @timestamp = time; client.address = client.ip; user.name = user; http.request.method = request.method; url.original = request.url; http.version = request.protocol; http.response.status_code = status; http.response.body.bytes = bytes; http.request.referrer = headers.referer; user_agent.original = headers.agent; event.duration_seconds = took"
	jsonLine = `{"time":"2026-03-02T11:00:00.123Z","level":"info","client":{"ip":"192.0.2.9","port":40122},"user":"ann","request":{"method":"GET","url":"/pets/4711?size=large","protocol":"HTTP/1.1","id":"6f1c"},"status":200,"bytes":1234,"headers":{"referer":"https://x.example/","agent":"Mozilla/5.0 (X11; Linux x86_64; rv:115.0) Gecko/20100101 Firefox/115.0","accept":["text/html","*/*"]},"took":0.042}`
)

// perCall reports a benchmark that reads a line once per iteration.
func perCall(b *testing.B, read func()) {
	b.Helper()
	b.ReportAllocs()
	from := processor(b)
	for b.Loop() {
		read()
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "lines/s")
	b.ReportMetric(float64(b.N)/(processor(b)-from).Seconds(), "lines/cpu-s")
}

// processor is the time that processors have spent on this process: unlike the
// clock's, it does not grow when others keep the machine busy.
func processor(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
