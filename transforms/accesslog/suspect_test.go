package accesslog_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"millrace/schemas/record"
	"millrace/transforms/accesslog"
	"millrace/transforms/security"
)

// suspects runs lines through a worker and gives what it suspects, by source.
func suspects(t *testing.T, c accesslog.Config, b record.Block, lines ...string) (map[security.Source]security.Counts, *seen) {
	t.Helper()
	all := map[security.Source]security.Counts{}
	c.Classifier = &security.Classifier{}
	c.Suspect = func(_ int64, source security.Source, n *security.Counts) {
		sum := all[source]
		sum.Add(n)
		all[source] = sum
	}
	w, s := worker(c)
	process(t, w, b, lines...)
	return all, s
}

func request(client, request, agent string, status, size int) string {
	return fmt.Sprintf(`%s - - [02/Mar/2026:10:00:00 +0000] "%s" %d %d "-" "%s"`, client, request, status, size, agent)
}

func TestSourcesAreTokensOfFullAddresses(t *testing.T) {
	got, _ := suspects(t, accesslog.Config{}, record.Block{},
		request("203.0.113.9", "GET /wp-login.php HTTP/1.1", "x", 404, 10),
		request("203.0.113.9", "GET /wp-login.php HTTP/1.1", "x", 200, 10), // there is one
		request("203.0.113.9", "GET /?id=1%27%20or%20%271 HTTP/1.1", "another", 500, 10),
		request("203.0.113.10", "GET / HTTP/1.1", "sqlmap", 200, 2<<20),
		request("::ffff:203.0.113.10", "GET / HTTP/1.1", "x", 401, 10),
		request("crawler.example.org", "POST /login HTTP/1.1", "x", 302, 10),
		request("203.0.113.9", `\x16\x03\x01;wget http://x`, "x", 400, 10),
		request("203.0.113.11", "GET /shop?q=red+shoes HTTP/1.1", "x", 200, 10),
		request("203.0.113.11", "GET /shop HTTP/1.1", "x", 503, 10),
		request("-", "GET /wp-login.php HTTP/1.1", "x", 404, 10),
	)
	const network = "203.0.113.0"
	want := map[security.Source]security.Counts{}
	for source, n := range got {
		if strings.Contains(source.Token, "203") || !strings.HasPrefix(source.Token, "tok_") {
			t.Errorf("source %s", source.Token)
		}
		switch {
		case n.Injection > 0:
			want[source] = security.Counts{Requests: 3, Scanner: 1, Injection: 2, ServerError: 1}
			if source.Network != network || !strings.HasPrefix(source.Token, "tok_ip_k1_") {
				t.Errorf("source %+v", source)
			}
		case n.BadAgent > 0:
			want[source] = security.Counts{Requests: 2, BadAgent: 1, LargeBytes: 2 << 20, AuthFailed: 1}
		default:
			want[source] = security.Counts{Requests: 1, Logins: 1, FormPosts: 1}
			if source.Network != "" || !strings.HasPrefix(source.Token, "tok_host_k1_") {
				t.Errorf("source %+v", source)
			}
		}
	}
	if diff := cmp.Diff(want, got); diff != "" || len(got) != 3 {
		t.Errorf("%d sources (-want +got):\n%s", len(got), diff)
	}
}

func TestOnlyWhatIsCountedIsSuspected(t *testing.T) {
	probe := func(day int) string { return line(day, "/.git/config", "x") }
	got, s := suspects(t, accesslog.Config{From: 20514, To: 20514}, record.Block{}, probe(1), probe(2), probe(3), line(2, "/.git/x", "panic"))
	n := int64(0)
	for _, c := range got {
		n += c.Requests
	}
	if n != 1 || len(s.counted) != 1 {
		t.Errorf("%d suspected, %d counted", n, len(s.counted))
	}
}

// BenchmarkSuspect is the job's lines with and without.
func BenchmarkSuspect(b *testing.B) {
	var lines []string
	for i := range 2000 {
		target := []string{"/product/%d", "/static/app.%d.js", "/", "/search?q=red+shoes&page=%d", "/category/%d?sort=price&utm_source=news"}[i%5]
		if strings.Contains(target, "%d") {
			target = fmt.Sprintf(target, i%300)
		}
		lines = append(lines, request(fmt.Sprintf("203.0.113.%d", i%200), "GET "+target+" HTTP/1.1", "Mozilla/5.0 (X11; Linux x86_64; rv:115.0) Gecko/20100101 Firefox/115.0", 200, 5000))
	}
	block := record.Block{Source: source, Name: "test.log", Format: "combined", Data: []byte(strings.Join(lines, "\n") + "\n")}
	for name, on := range map[string]bool{"off": false, "on": true} {
		b.Run(name, func(b *testing.B) {
			c := accesslog.Config{}
			if on {
				c.Classifier, c.Suspect = &security.Classifier{}, func(int64, security.Source, *security.Counts) {}
			}
			w, s := worker(c)
			b.SetBytes(int64(len(block.Data)))
			for b.Loop() {
				if _, err := w.Lines(&block); err != nil {
					b.Fatal(err)
				}
				w.Take()
				s.counted, s.visited = s.counted[:0], s.visited[:0]
			}
		})
	}
}
