package security

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"fmt"
	"strings"
	"sync"
)

//go:embed patterns.txt
var patternList string

// AlertRules is alerts.yaml: rules of alerts over the counts of sources and the
// traffic of the site.
//
//go:embed alerts.yaml
var AlertRules []byte

// LoginRules is logins.yaml: those of AlertRules that a log of authentication can break.
//
//go:embed logins.yaml
var LoginRules []byte

// Patterns say what a line can give away, by kind.
type Patterns struct {
	scanners   map[string][]string // by first part of the path
	secrets    []pattern
	injections []pattern // with a trigger in them
	words      []pattern // without
	traversals []pattern
	agents     []pattern
	logins     endings
	forms      endings
	version    string
}

// pattern is parts that follow each other, and the kinds of bytes in them.
type pattern struct {
	parts [][]byte
	need  byteSet
}

// endings are ends of paths.
type endings []string

// end tells whether a path ends so, in lower or upper case.
func (e endings) end(path []byte) bool {
	for _, w := range e {
		if len(path) >= len(w) && sameLower(path[len(path)-len(w):], w) {
			return true
		}
	}
	return false
}

func sameLower(text []byte, lower string) bool {
	for i := len(lower) - 1; i >= 0; i-- {
		c := text[i]
		if c-'A' < 26 {
			c += 'a' - 'A'
		}
		if c != lower[i] {
			return false
		}
	}
	return true
}

var builtIn = sync.OnceValue(func() *Patterns {
	p, err := ParsePatterns("patterns.txt", "")
	if err != nil {
		panic(err) // a test holds that the list is sound
	}
	return p
})

// ParsePatterns adds a list of patterns to the built-in one. name is for errors
// alone. The form of the list is that of patterns.txt.
func ParsePatterns(name, list string) (*Patterns, error) {
	p := &Patterns{scanners: map[string][]string{}}
	for _, l := range []struct{ name, text string }{{"patterns.txt", patternList}, {name, list}} {
		for i, line := range strings.Split(l.text, "\n") {
			line = strings.TrimSuffix(line, "\r")
			if line == "" || line[0] == '#' {
				continue
			}
			if err := p.add(line); err != nil {
				return nil, fmt.Errorf("%s:%d: %w", l.name, i+1, err)
			}
		}
	}
	sum := sha256.Sum256([]byte(patternList + "\x00" + list + "\x00" + string(AlertRules)))
	p.version = hex.EncodeToString(sum[:6])
	return p, nil
}

// Version names the content of the lists, and of AlertRules.
func (p *Patterns) Version() string { return p.version }

const maxPatterns = 4096

func (p *Patterns) add(line string) error {
	kind, text, ok := strings.Cut(line, "\t")
	switch {
	case !ok || text == "":
		return fmt.Errorf("write KIND, a tab and a pattern, as scanner<tab>wp-login.php")
	case text != strings.ToLower(text):
		return fmt.Errorf("pattern %q: write it in lower case; targets are compared so", text)
	case p.count() >= maxPatterns:
		return fmt.Errorf("there are more than %d patterns", maxPatterns)
	}
	whole := pattern{[][]byte{[]byte(text)}, kinds(text)}
	switch kind {
	case "scanner":
		first := string(firstPart([]byte(text)))
		if first == "" {
			return fmt.Errorf("pattern %q: write a path of a scanner without a slash before it", text)
		}
		p.scanners[first] = append(p.scanners[first], text)
	case "secret":
		p.secrets = append(p.secrets, whole)
	case "injection":
		parts := pattern{bytes.Split([]byte(text), []byte("*")), kinds(strings.ReplaceAll(text, "*", ""))}
		if parts.need&triggers != 0 {
			p.injections = append(p.injections, parts)
		} else {
			p.words = append(p.words, parts)
		}
	case "traversal":
		p.traversals = append(p.traversals, whole)
	case "agent":
		p.agents = append(p.agents, whole)
	case "login":
		p.logins = append(p.logins, text)
	case "form":
		p.forms = append(p.forms, text)
	default:
		return fmt.Errorf("unknown kind %q; there are scanner, secret, injection, traversal, agent, login and form", kind)
	}
	return nil
}

func (p *Patterns) count() int {
	return len(p.scanners) + len(p.secrets) + len(p.injections) + len(p.words) + len(p.traversals) + len(p.agents) + len(p.logins) + len(p.forms)
}
