package mask

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"syscall"
	"testing"
	"time"

	goregexp "github.com/wasilibs/go-re2"

	"millrace/internal/generate"
	"millrace/schemas/pii"
)

// BenchmarkAppendMasked runs over the fields of real access logs, repeats
// included.
func BenchmarkAppendMasked(b *testing.B) {
	fields := realFields(b)
	for name, where := range map[string]Where{"path": Path, "query": Query, "referrer": Referrer, "user agent": UserAgent, "request": FreeText, "all": 99} {
		b.Run(name, func(b *testing.B) {
			var texts []logField
			size := 0
			for _, f := range fields {
				if f.where == where || where == 99 {
					texts = append(texts, f)
					size += len(f.text)
				}
			}
			if size == 0 {
				b.Skip("no such field")
			}
			m := testMasker()
			var dst []byte
			b.SetBytes(int64(size))
			b.ReportAllocs()
			for b.Loop() {
				for i := range texts {
					dst = m.AppendMasked(dst[:0], pii.Of(texts[i].text), texts[i].where)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(texts)), "ns/text")
		})
	}
}

// patterns are the usual way to find the types of peers: expressions on the text
// as it is, nothing decoded, check digits not looked at.
var patterns = []string{
	`[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+\.[A-Za-z]{2,}`,
	`\b(?:\d[ -]?){12,19}\b`,
	`\b[A-Z]{2}\d{2}(?:[ -]?[A-Z0-9]{4}){2,7}[ -]?[A-Z0-9]{0,4}\b`,
	`\b(?:\d{1,3}\.){3}\d{1,3}\b`,
	`\b\d{3}-\d{2}-\d{4}\b`,
	`(?:\+\d{1,3}[ -]?)?\(?\d{3}\)?[ .-]\d{3}[ .-]\d{4}\b`,
	`eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*`,
	`\b(?:AKIA|ASIA)[A-Z0-9]{16}\b`,
	`://[^/\s:@]+:[^/\s@]+@`,
	`(?i)\b(?:[a-z_]*token|password|api_?key|secret|sig|session)=[^&\s"]+`,
}

// BenchmarkScan runs over whole lines of access logs, real and generated: this
// scanner for all types and for those without numbers of persons but cards, and two engines of regular
// expressions for a part of that. MB/cpu-s is by the processor's time.
func BenchmarkScan(b *testing.B) {
	all, few := testMasker(), New("k1", testKey, Options{Types: allTypes[:IBAN.rank()]})
	var std []*regexp.Regexp
	var re2 []*goregexp.Regexp
	for _, p := range patterns {
		std, re2 = append(std, regexp.MustCompile(p)), append(re2, goregexp.MustCompile(p))
	}
	finders := []struct {
		name string
		find func(line []byte)
	}{
		{"all types", func(line []byte) { all.scan.scan(line, FreeText) }},
		{"9 types", func(line []byte) { few.scan.scan(line, FreeText) }},
		{"go-re2", func(line []byte) {
			for _, p := range re2 {
				p.FindIndex(line)
			}
		}},
		{"regexp", func(line []byte) {
			for _, p := range std {
				p.FindIndex(line)
			}
		}},
	}
	for _, log := range []struct {
		name  string
		lines [][]byte
	}{{"real", realLines(b)}, {"generated", generatedLines(b, 10_000)}} {
		size := 0
		for _, l := range log.lines {
			size += len(l)
		}
		for _, f := range finders {
			b.Run(log.name+"/"+f.name, func(b *testing.B) {
				b.SetBytes(int64(size))
				b.ReportAllocs()
				from := processor(b)
				for b.Loop() {
					for _, l := range log.lines {
						f.find(l)
					}
				}
				b.ReportMetric(float64(b.N)*float64(size)/1e6/(processor(b)-from).Seconds(), "MB/cpu-s")
			})
		}
	}
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

// generatedLines are the first n of the benchmark log.
func generatedLines(t testing.TB, n int) [][]byte {
	t.Helper()
	var log bytes.Buffer
	if err := generate.BenchLog(&log, n, 1, 0, time.Time{}); err != nil {
		t.Fatal(err)
	}
	return bytes.Split(bytes.TrimSuffix(log.Bytes(), []byte("\n")), []byte("\n"))
}

// realLines reads the lines of the real access logs.
func realLines(t testing.TB) (out [][]byte) {
	t.Helper()
	names, err := filepath.Glob(filepath.Join("..", "..", "testdata", "access-logs", "*.log.gz"))
	if err != nil || len(names) == 0 {
		t.Fatalf("no access logs in testdata: %v", err)
	}
	for _, name := range names {
		f, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		z, err := gzip.NewReader(f)
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(z)
		if err != nil {
			t.Fatal(err)
		}
		f.Close()
		out = append(out, bytes.Split(bytes.TrimSuffix(content, []byte("\n")), []byte("\n"))...)
	}
	return out
}

func BenchmarkToken(b *testing.B) {
	t := NewTokenizer("k1", testKey)
	var dst []byte
	value := []byte("alice@example.com")
	b.ReportAllocs()
	for b.Loop() {
		dst = t.Append(dst[:0], "email", value)
	}
}

func BenchmarkVisitor(b *testing.B) {
	ua := []byte("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36")
	for _, visitors := range []int{1, 4096, 1 << 20} {
		addrs := make([][]byte, visitors)
		for i := range addrs {
			addrs[i] = fmt.Appendf(nil, "10.%d.%d.%d", i>>16, i>>8&255, i&255)
		}
		b.Run(fmt.Sprintf("of %d", visitors), func(b *testing.B) {
			m := testMasker()
			var dst []byte
			i := 0
			b.ReportAllocs()
			for b.Loop() {
				dst = m.AppendVisitor(dst[:0], pii.Of(addrs[i&(visitors-1)]), pii.Of(ua))
				i++
			}
		})
	}
}

func BenchmarkTruncate(b *testing.B) {
	for _, addr := range []string{"203.0.113.77", "2001:db8:abcd:12::1", "host.example.com"} {
		b.Run(addr, func(b *testing.B) {
			var dst []byte
			text := pii.Of([]byte(addr))
			b.ReportAllocs()
			for b.Loop() {
				dst, _ = AppendTruncated(dst[:0], text)
			}
		})
	}
	b.Run("netip", func(b *testing.B) {
		a := netip.MustParseAddr("203.0.113.77")
		for b.Loop() {
			a = TruncateAddr(a)
		}
	})
}
