package mask

import (
	"fmt"
	"net/netip"
	"regexp"
	"testing"

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

// BenchmarkRegexp is the usual way, for comparison: two expressions on the text
// as it is, nothing decoded, no secrets, no tokens.
func BenchmarkRegexp(b *testing.B) {
	fields := realFields(b)
	address := regexp.MustCompile(`[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+\.[A-Za-z]{2,}`)
	number := regexp.MustCompile(`\b(?:\d[ -]?){12,19}\b`)
	size := 0
	for _, f := range fields {
		size += len(f.text)
	}
	b.SetBytes(int64(size))
	for b.Loop() {
		for i := range fields {
			_ = address.FindIndex(fields[i].text)
			_ = number.FindIndex(fields[i].text)
		}
	}
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
