package security

import (
	"bytes"
	"strings"
)

const (
	large     = 1 << 20 // bytes of an answer
	maxTarget = 8 << 10 // bytes of a target that are looked at
)

// Request is what a line of an access log says. Target is path?query as logged,
// percent-encoding kept.
type Request struct {
	Method, Target, UserAgent []byte
	Status                    int32
	Bytes                     int64
}

// Classifier recognises lines. The zero value is ready. It belongs to one
// goroutine: it keeps scratch and what it found of the last user agent.
type Classifier struct {
	scratch [2][]byte
	path    []byte
	agent   []byte
	isBad   bool
	hasSeen bool
}

// Request gives what one request counts; false if nothing.
func (c *Classifier) Request(r *Request) (n Counts, some bool) {
	p := known()
	n = Counts{Requests: 1}
	if c.badAgent(p, r.UserAgent) {
		n.BadAgent = 1
	}
	if r.Status >= 500 && r.Status < 600 {
		n.ServerError = 1
	}
	if r.Bytes >= large {
		n.LargeBytes = r.Bytes
	}
	target := r.Target[:min(len(r.Target), maxTarget)]
	c.target(p, target, r.Status, &n)
	c.login(p, r, &n)
	return n, n != Counts{Requests: 1}
}

func (c *Classifier) badAgent(p *patterns, agent []byte) bool {
	if c.hasSeen && bytes.Equal(agent, c.agent) {
		return c.isBad
	}
	c.hasSeen, c.isBad, c.agent = true, false, append(c.agent[:0], agent...)
	lower := appendLower(c.scratch[0][:0], agent)
	for _, a := range p.agents {
		c.isBad = c.isBad || bytes.Contains(lower, a)
	}
	c.scratch[0] = lower
	return c.isBad
}

// target looks at what is asked for in its three readings.
func (c *Classifier) target(p *patterns, target []byte, status int32, n *Counts) {
	text := appendNormal(c.scratch[0][:0], target)
	c.scratch[0] = text
	other := 1
	for reading := 0; ; reading++ {
		path, _, _ := bytes.Cut(text, []byte("?"))
		if n.Scanner == 0 {
			c.scanner(p, path, status, n)
		}
		if n.Traversal == 0 && traverses(p, text) {
			n.Traversal = 1
		}
		if n.Injection == 0 && injected(p, text) {
			n.Injection = 1
		}
		if reading == 2 || bytes.IndexByte(text, '%') < 0 {
			return
		}
		next := appendDecoded(c.scratch[other][:0], text)
		c.scratch[other] = next
		if len(next) == len(text) {
			return
		}
		text, other = next, 1-other
	}
}

// scanner looks for paths that are asked for by scanners.
func (c *Classifier) scanner(p *patterns, path []byte, status int32, n *Counts) {
	rest := bytes.TrimLeft(path, "/")
	if status >= 400 && status < 500 && len(rest) > 0 {
		first, _, _ := bytes.Cut(rest, []byte("/"))
		for _, s := range p.scanners[string(first)] {
			if len(rest) >= len(s) && string(rest[:len(s)]) == s && (len(rest) == len(s) || rest[len(s)] == '/' || rest[len(s)] == ';') {
				n.Scanner = 1
			}
		}
	}
	dot := bytes.Contains(path, []byte("/.")) || bytes.HasSuffix(path, []byte(".sql")) || bytes.HasSuffix(path, []byte(".bak")) || bytes.Contains(path, []byte("/id_"))
	if !dot {
		return
	}
	for _, s := range p.secrets {
		if i := bytes.Index(path, []byte(s)); i >= 0 && (strings.HasSuffix(s, "/") || i+len(s) == len(path) || path[i+len(s)] == '.') {
			n.Scanner = 1
			if status == 200 {
				n.Leaks = 1
			}
			return
		}
	}
}

// trigger are the bytes of which one is in nearly every injection, and seldom in
// what people ask for.
var trigger = [256]bool{' ': true, '\'': true, '"': true, '<': true, ';': true, ':': true, '(': true, '{': true, '|': true}

func hasTrigger(text []byte) bool {
	for _, b := range text {
		if trigger[b] {
			return true
		}
	}
	return false
}

// traverses looks for traversals where one of the signs that all of them have is.
func traverses(p *patterns, text []byte) bool {
	for _, sign := range traversalSigns {
		if bytes.Contains(text, sign) {
			return anyOf(p.traversals, text)
		}
	}
	return false
}

var traversalSigns = [][]byte{[]byte(".."), []byte("/etc/"), []byte("/proc/"), []byte(".ini")}

// injected looks for injections: all of them where a trigger is, else for those
// without one, in a query.
func injected(p *patterns, text []byte) bool {
	if hasTrigger(text) {
		return anyInOrder(p.injections, text) || anyInOrder(p.words, text)
	}
	return bytes.IndexByte(text, '=') >= 0 && anyInOrder(p.words, text)
}

func anyOf(patterns [][]byte, text []byte) bool {
	for _, p := range patterns {
		if bytes.Contains(text, p) {
			return true
		}
	}
	return false
}

func anyInOrder(patterns [][][]byte, text []byte) bool {
	for _, parts := range patterns {
		rest, found := text, true
		for _, part := range parts {
			i := bytes.Index(rest, part)
			if i < 0 {
				found = false
				break
			}
			rest = rest[i+len(part):]
		}
		if found {
			return true
		}
	}
	return false
}

// login counts tries to log in and what came of them.
func (c *Classifier) login(p *patterns, r *Request, n *Counts) {
	post := string(r.Method) == "POST"
	if r.Status != 401 && !post {
		return
	}
	path, _, _ := bytes.Cut(r.Target, []byte("?"))
	c.path = appendLower(c.path[:0], bytes.TrimRight(path, "/"))
	isLogin := ends(c.path, p.logins)
	if r.Status == 401 || r.Status == 403 && isLogin {
		n.AuthFailed = 1
	}
	if !post {
		return
	}
	if isLogin && r.Status >= 200 && r.Status < 400 {
		n.Logins = 1
	}
	if isLogin || ends(c.path, p.forms) {
		n.FormPosts = 1
	}
}

func ends(path []byte, with []string) bool {
	for _, w := range with {
		if len(path) >= len(w) && string(path[len(path)-len(w):]) == w {
			return true
		}
	}
	return false
}
