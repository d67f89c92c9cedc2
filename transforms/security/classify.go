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

// Target is what a target gives away, whatever the method and the answer.
type Target struct{ Scanner, Secret, Injection, Traversal, Login, Form bool }

// Classifier recognises lines. The zero value is ready and knows the built-in
// patterns. It belongs to one goroutine: it keeps scratch.
type Classifier struct {
	patterns *Patterns
	scratch  [2][]byte
	agent    []byte
}

// NewClassifier gives a classifier that knows these patterns.
func NewClassifier(p *Patterns) *Classifier { return &Classifier{patterns: p} }

func (c *Classifier) known() *Patterns {
	if c.patterns == nil {
		c.patterns = builtIn()
	}
	return c.patterns
}

// Request gives what one request counts; false if nothing.
func (c *Classifier) Request(r *Request) (n Counts, some bool) {
	return c.Target(r.Target).Counts(c.Agent(r.UserAgent), r.Method, r.Status, r.Bytes)
}

// Agent tells whether a user agent is of a tool that is made to attack.
func (c *Classifier) Agent(agent []byte) bool {
	c.agent = appendLower(c.agent[:0], agent)
	return anyInOrder(c.known().agents, c.agent, kinds(c.agent))
}

// Counts is what a request for the target counts; false if nothing. An error of the
// server counts with something else alone: in an outage everybody meets it.
func (t Target) Counts(badAgent bool, method []byte, status int32, size int64) (n Counts, some bool) {
	post := string(method) == "POST"
	if t == (Target{}) && !badAgent && status != 401 && size < large && !post {
		return Counts{}, false
	}
	if badAgent {
		n.BadAgent = 1
	}
	if t.Scanner && status >= 400 && status < 500 || t.Secret {
		n.Scanner = 1
	}
	if t.Secret && status == 200 {
		n.Leaks = 1
	}
	if t.Injection {
		n.Injection = 1
	}
	if t.Traversal {
		n.Traversal = 1
	}
	if size >= large {
		n.LargeBytes = size
	}
	if status == 401 || post && status == 403 && t.Login {
		n.AuthFailed = 1
	}
	if post && t.Login && status >= 200 && status < 400 {
		n.Logins = 1
	}
	if post && (t.Login || t.Form) {
		n.FormPosts = 1
	}
	if n == (Counts{}) {
		return n, false
	}
	n.Requests = 1
	if status >= 500 && status < 600 {
		n.ServerError = 1
	}
	return n, true
}

// Target looks at what is asked for in its three readings.
func (c *Classifier) Target(target []byte) (t Target) {
	p := c.known()
	target = target[:min(len(target), maxTarget)]
	text, set := appendNormal(c.scratch[0][:0], target)
	c.scratch[0] = text
	path, _, _ := bytes.Cut(target, []byte("?"))
	if len(p.logins)+len(p.forms) > 0 {
		path = bytes.TrimRight(path, "/")
		t.Login, t.Form = p.logins.end(path), p.forms.end(path)
	}
	other := 1
	for reading := 0; ; reading++ {
		t.read(p, text, set)
		if reading == 2 || !set.has(percent) {
			return t
		}
		next, nextSet := appendDecoded(c.scratch[other][:0], text)
		c.scratch[other] = next
		if len(next) == len(text) {
			return t
		}
		text, set, other = next, nextSet, 1-other
	}
}

// read looks at one reading of a target.
func (t *Target) read(p *Patterns, text []byte, set byteSet) {
	path, _, _ := bytes.Cut(text, []byte("?"))
	t.Scanner = t.Scanner || p.scanner(path)
	t.Secret = t.Secret || p.secret(path, set)
	t.Traversal = t.Traversal || anyInOrder(p.traversals, text, set)
	switch {
	case t.Injection:
	case set&triggers != 0:
		t.Injection = anyInOrder(p.injections, text, set) || anyInOrder(p.words, text, set)
	default: // without a trigger it is one only in a query
		t.Injection = set.has(equals) && anyInOrder(p.words, text, set)
	}
}

// scanner tells whether a path is asked for by scanners.
func (p *Patterns) scanner(path []byte) bool {
	rest := bytes.TrimLeft(path, "/")
	if len(rest) == 0 {
		return false
	}
	for _, s := range p.scanners[string(firstPart(rest))] {
		if len(rest) >= len(s) && string(rest[:len(s)]) == s && (len(rest) == len(s) || rest[len(s)] == '/' || rest[len(s)] == ';') {
			return true
		}
	}
	return false
}

// firstPart is what comes before the first slash, or the parameters of a path.
func firstPart(path []byte) []byte {
	for i, c := range path {
		if c == '/' || c == ';' {
			return path[:i]
		}
	}
	return path
}

// secret tells whether a path is of a file that must not be served.
func (p *Patterns) secret(path []byte, set byteSet) bool {
	for i := range p.secrets {
		s := &p.secrets[i]
		if !set.has(s.need) {
			continue
		}
		at := bytes.Index(path, s.parts[0])
		if at < 0 {
			continue
		}
		end := at + len(s.parts[0])
		if strings.HasSuffix(string(s.parts[0]), "/") || end == len(path) || path[end] == '.' {
			return true
		}
	}
	return false
}

// anyInOrder tells whether the parts of a pattern follow each other in a text.
func anyInOrder(patterns []pattern, text []byte, set byteSet) bool {
	for i := range patterns {
		if set.has(patterns[i].need) && patterns[i].in(text) {
			return true
		}
	}
	return false
}

func (p *pattern) in(text []byte) bool {
	for _, part := range p.parts {
		i := bytes.Index(text, part)
		if i < 0 {
			return false
		}
		text = text[i+len(part):]
	}
	return true
}
