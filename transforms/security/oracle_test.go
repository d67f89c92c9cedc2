package security

import (
	"bytes"
	"math/rand/v2"
	"net/url"
	"strings"
	"testing"
)

// naive says what a request counts by searching for every pattern of the list in
// every reading.
func naive(r *Request) (n Counts) {
	post := string(r.Method) == "POST"
	target := string(r.Target[:min(len(r.Target), maxTarget)])
	path := func(text string) string { p, _, _ := strings.Cut(text, "?"); return p }
	plain := func(text string) string {
		text = strings.ReplaceAll(asciiLower(text), "+", " ")
		for from := 0; ; {
			i := strings.Index(text[from:], "/*")
			if i < 0 {
				return text
			}
			end := strings.Index(text[from+i+2:], "*/")
			if end < 0 {
				return text
			}
			text = text[:from+i] + " " + text[from+i+2+end+2:]
			from += i + 1
		}
	}
	readings := []string{plain(target)}
	for range 2 {
		readings = append(readings, plain(unescaped(readings[len(readings)-1])))
	}
	login := asciiLower(strings.TrimRight(path(target), "/"))
	agent := asciiLower(string(r.UserAgent))
	for _, line := range strings.Split(patternList, "\n") {
		kind, text, _ := strings.Cut(line, "\t")
		for _, reading := range readings {
			switch p := path(reading); kind {
			case "scanner":
				rest, found := strings.CutPrefix(strings.TrimLeft(p, "/"), text)
				if found && (rest == "" || rest[0] == '/' || rest[0] == ';') && r.Status/100 == 4 {
					n.Scanner = 1
				}
			case "secret":
				if i := strings.Index(p, text); i >= 0 && (strings.HasSuffix(text, "/") || i+len(text) == len(p) || p[i+len(text)] == '.') {
					n.Scanner = 1
					if r.Status == 200 {
						n.Leaks = 1
					}
				}
			case "injection":
				if inOrder(reading, strings.Split(text, "*")) && strings.ContainsAny(reading, ` '"<;:({|=`) {
					n.Injection = 1
				}
			case "traversal":
				if strings.Contains(reading, text) {
					n.Traversal = 1
				}
			case "agent":
				if strings.Contains(agent, text) {
					n.BadAgent = 1
				}
			case "login", "form":
				if !post || !strings.HasSuffix(login, text) {
					continue
				}
				n.FormPosts = 1
				if kind == "login" && r.Status >= 200 && r.Status < 400 {
					n.Logins = 1
				}
				if kind == "login" && r.Status == 403 {
					n.AuthFailed = 1
				}
			}
		}
	}
	if r.Status == 401 {
		n.AuthFailed = 1
	}
	if r.Bytes >= large {
		n.LargeBytes = r.Bytes
	}
	if n == (Counts{}) {
		return n
	}
	n.Requests = 1
	if r.Status/100 == 5 {
		n.ServerError = 1
	}
	return n
}

func asciiLower(s string) string {
	b := []byte(s)
	for i, c := range b {
		if 'A' <= c && c <= 'Z' {
			b[i] = c + 32
		}
	}
	return string(b)
}

func unescaped(s string) string {
	var b bytes.Buffer
	for i := 0; i < len(s); i++ {
		if i+2 < len(s) && s[i] == '%' {
			if c, err := url.PathUnescape(s[i : i+3]); err == nil {
				if strings.Contains("\x00\n\r\t", c) {
					c = " "
				}
				b.WriteString(c)
				i += 2
				continue
			}
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

func inOrder(text string, parts []string) bool {
	for _, p := range parts {
		i := strings.Index(text, p)
		if i < 0 {
			return false
		}
		text = text[i+len(p):]
	}
	return true
}

// randomRequest is put together from pieces of patterns, encoded or not, and of what
// lies around them.
func randomRequest(r *rand.Rand) Request {
	pick := func(of ...string) string { return of[r.IntN(len(of))] }
	lines := strings.Split(patternList, "\n")
	var target strings.Builder
	target.WriteString("/")
	for range r.IntN(7) {
		piece := pick("/", "?", "=", "&", "+", "%", "%25", "/*", "*/", "a", "Shop", "1", ".", "..", ";", " ", "\xff", "%0a", "%zz")
		if _, text, ok := strings.Cut(lines[r.IntN(len(lines))], "\t"); ok && r.IntN(2) == 0 {
			if piece = strings.ReplaceAll(text, "*", pick("", "x", " ")); r.IntN(4) == 0 {
				piece = piece[:r.IntN(len(piece))+1]
			}
			for range r.IntN(4) {
				piece = url.QueryEscape(piece)
			}
			if r.IntN(5) == 0 {
				piece = strings.ToUpper(piece)
			}
		}
		target.WriteString(piece)
	}
	return Request{
		Method: []byte(pick("GET", "POST", "POST")), Target: []byte(target.String()), UserAgent: []byte(pick("", "Mozilla", "x SQLmap", "() { :;")),
		Status: int32(100*(1+r.IntN(5))) + int32(r.IntN(2)*(1+r.IntN(4))), Bytes: int64(r.IntN(2)) << (10 + r.IntN(12)),
	}
}

func TestRequestsCountAsASearchForEveryPattern(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	found := Counts{}
	for range 60_000 {
		q := randomRequest(r)
		var c Classifier
		got, some := c.Request(&q)
		if want := naive(&q); got != want || some != (want != Counts{}) {
			t.Fatalf("%s %q %d %d by %q: %+v, want %+v", q.Method, q.Target, q.Status, q.Bytes, q.UserAgent, got, want)
		}
		found.Add(&got)
	}
	for i, n := range found.fields() {
		if *n < 100 {
			t.Errorf("%s was found %d times only", Fields[i], *n)
		}
	}
}

// BenchmarkTarget is the cost of a target that tells nothing, and of one that does.
func BenchmarkTarget(b *testing.B) {
	for name, target := range map[string]string{
		"path": "/product/1234", "query": "/search?q=shoes&page=2", "words": "/search?q=red+shoes&page=2",
		"encoded": "/search?q=red%20shoes%2C+blue&page=2", "attack": "/product/1?id=1%27%20OR%201%3D1",
	} {
		b.Run(name, func(b *testing.B) {
			var c Classifier
			for b.Loop() {
				c.Target([]byte(target))
			}
		})
	}
}
