package security

import (
	"bytes"
	_ "embed"
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

// patterns is the list, by kind, and by what makes it quick to find.
type patterns struct {
	scanners   map[string][]string // by first part of the path
	secrets    []string
	injections [][][]byte // parts that follow each other, with a trigger in them
	words      [][][]byte // the same without
	traversals [][]byte
	agents     [][]byte
	logins     []string
	forms      []string
}

var known = sync.OnceValue(func() *patterns {
	p, err := parsePatterns(patternList)
	if err != nil {
		panic(err) // a test holds that the list is sound
	}
	return p
})

func parsePatterns(list string) (*patterns, error) {
	p := &patterns{scanners: map[string][]string{}}
	for i, line := range strings.Split(list, "\n") {
		if line == "" || line[0] == '#' {
			continue
		}
		kind, text, ok := strings.Cut(line, "\t")
		if !ok || text == "" || text != strings.ToLower(text) {
			return nil, fmt.Errorf("security patterns, line %d: write KIND, a tab and a pattern in lower case", i+1)
		}
		switch kind {
		case "scanner":
			first, _, _ := strings.Cut(text, "/")
			p.scanners[first] = append(p.scanners[first], text)
		case "secret":
			p.secrets = append(p.secrets, text)
		case "injection":
			parts := bytes.Split([]byte(text), []byte("*"))
			if hasTrigger([]byte(text)) {
				p.injections = append(p.injections, parts)
			} else {
				p.words = append(p.words, parts)
			}
		case "traversal":
			p.traversals = append(p.traversals, []byte(text))
		case "agent":
			p.agents = append(p.agents, []byte(text))
		case "login":
			p.logins = append(p.logins, text)
		case "form":
			p.forms = append(p.forms, text)
		default:
			return nil, fmt.Errorf("security patterns, line %d: unknown kind %q", i+1, kind)
		}
	}
	return p, nil
}
