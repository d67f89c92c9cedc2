package attribution

import (
	"bytes"
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
)

// MaxRules is the greatest size of a file of rules, in bytes.
const MaxRules = 1 << 20

// Parse reads rules; rules.csv explains them. name stands for the file in errors,
// which tell file, line and field of everything that is wrong, and the kinds and
// fields that there are. The parser holds to the kinds of lines alone: rules
// without any of a kind do without.
func Parse(name string, in io.Reader) (*Rules, error) {
	text, err := io.ReadAll(io.LimitReader(in, MaxRules+1))
	if err != nil {
		return nil, fmt.Errorf("reading the attribution rules %s: %w", name, err)
	}
	if len(text) > MaxRules {
		return nil, fmt.Errorf("reading the attribution rules %s: longer than the %d KiB that rules can have; name the right file", name, MaxRules>>10)
	}
	sum := sha256.Sum256(text)
	p := parser{file: name, lines: map[string]int{}, rules: &Rules{
		version: hex.EncodeToString(sum[:8]), parameters: map[string]field{}, clicks: map[string]*click{},
		sites: map[string]*site{}, anyTop: map[string]*site{}, apps: map[string]*site{}, ends: map[string]bool{}, anyEnds: map[string]bool{},
		categories: map[string]string{}, mediums: map[string]string{},
	}}
	p.read(text)
	if len(p.errs) > 0 {
		return nil, fmt.Errorf("reading the attribution rules: %w", errors.Join(p.errs...))
	}
	p.finish()
	return p.rules, nil
}

type parser struct {
	file    string
	reader  *csv.Reader
	rules   *Rules
	lines   map[string]int // where an entry stands already
	aliases [][2]string    // source and category
	errs    []error
}

// mostErrors ends the reading of a file that is none of rules.
const mostErrors = 20

func (p *parser) read(text []byte) {
	p.reader = csv.NewReader(bytes.NewReader(bytes.TrimPrefix(text, []byte("\ufeff"))))
	p.reader.Comment, p.reader.FieldsPerRecord, p.reader.ReuseRecord = '#', -1, true
	for len(p.errs) < mostErrors {
		record, err := p.reader.Read()
		if errors.Is(err, io.EOF) {
			return
		}
		var bad *csv.ParseError
		if errors.As(err, &bad) {
			p.errs = append(p.errs, fmt.Errorf("%s:%d: column %d: %w", p.file, bad.Line, bad.Column, bad.Err))
			continue
		}
		if err != nil {
			p.errs = append(p.errs, fmt.Errorf("%s: %w", p.file, err))
			return
		}
		for i := range record {
			record[i] = strings.TrimSpace(record[i])
		}
		p.line(record)
	}
	p.errs = append(p.errs, fmt.Errorf("%s: more mistakes may follow", p.file))
}

// fail notes a mistake in field i, from 0, of the present line.
func (p *parser) fail(i int, format string, args ...any) {
	line, _ := p.reader.FieldPos(i)
	p.errs = append(p.errs, fmt.Errorf("%s:%d: field %d: %s", p.file, line, i+1, fmt.Sprintf(format, args...)))
}

// layouts are the fields behind each kind; "..." is any number more.
var layouts = map[string][]string{
	"parameter": {"name", "field"},
	"click":     {"name", "source", "medium"},
	"site":      {"host", "source", "category"},
	"app":       {"package", "source", "category"},
	"source":    {"name", "category"},
	"medium":    {"category", "medium"},
	"channel":   {"name", "condition", "..."},
}

var kinds = []string{"parameter", "click", "site", "app", "source", "medium", "channel"}

func (p *parser) line(record []string) {
	kind, f := record[0], record[1:]
	layout, ok := layouts[kind]
	if !ok {
		p.fail(0, "unknown kind %q; there are %s", kind, strings.Join(kinds, ", "))
		return
	}
	open := layout[len(layout)-1] == "..."
	least := len(layout)
	if open {
		least--
	}
	if len(f) < least || len(f) > least && !open {
		p.fail(0, "%s has the fields %s, this line has %d of them", kind, strings.Join(layout, ", "), len(f))
		return
	}
	for i := range f {
		if f[i] == "" {
			p.fail(i+1, "%s is empty", layout[min(i, len(layout)-1)])
			return
		}
		if kind != "channel" {
			f[i] = strings.ToLower(f[i])
		}
	}
	if kind == "channel" {
		p.channel(f)
		return
	}
	line, _ := p.reader.FieldPos(0)
	key := kind + " " + f[0]
	if kind == "click" {
		key = "parameter " + f[0] // one name has one meaning
	}
	if before := p.lines[key]; before > 0 {
		p.fail(1, "%s stands on line %d already", f[0], before)
		return
	}
	p.lines[key] = line
	switch kind {
	case "parameter":
		p.parameter(f[0], f[1])
	case "click":
		if p.name(f[0]) {
			p.rules.clicks[f[0]] = &click{name: f[0], order: line, source: []byte(f[1]), medium: []byte(f[2])}
		}
	case "site":
		p.site(f)
	case "app":
		p.rules.apps[f[0]] = newSite(f)
		p.aliases = append(p.aliases, [2]string{f[1], f[2]})
	case "source":
		p.rules.categories[f[0]] = f[1]
	case "medium":
		p.rules.mediums[f[0]] = f[1]
	}
}

func newSite(f []string) *site { return &site{source: []byte(f[1]), category: f[2]} }

// maxName bounds the names of parameters.
const maxName = 64

func (p *parser) name(name string) bool {
	if len(name) > maxName || strings.ContainsAny(name, "&=#%+; ") {
		p.fail(1, "%q is no name of a parameter: at most %d characters, none of &=#%%+; and space", name, maxName)
		return false
	}
	p.rules.names.add(name)
	return true
}

func (p *parser) parameter(name, to string) {
	i := slices.Index(fieldNames[:], to)
	if i < 0 {
		p.fail(2, "unknown field %q; there are %s", to, strings.Join(fieldNames[:], ", "))
		return
	}
	if p.name(name) {
		p.rules.parameters[name] = field(i)
	}
}

func (p *parser) site(f []string) {
	host, to := f[0], p.rules.sites
	if before, ok := strings.CutSuffix(host, ".*"); ok {
		host, to = before, p.rules.anyTop
	}
	ascii, ok := asciiHost([]byte(host), nil)
	if !ok || strings.Contains(host, "*") {
		p.fail(1, "%q is no host; a star stands for the top-level domain only, as in google.*", f[0])
		return
	}
	to[string(ascii)] = newSite(f)
	if len(host) < len(f[0]) {
		p.rules.anyEnds[string(lastLabels(ascii, 1))] = true
	} else {
		p.rules.ends[string(lastLabels(ascii, 2))] = true
	}
	p.aliases = append(p.aliases, [2]string{f[1], f[2]})
}

func (p *parser) channel(f []string) {
	c := channel{name: f[0]}
	for i, text := range f[1:] {
		at := strings.IndexAny(text, "=~")
		if at < 0 {
			p.fail(i+2, "condition %q has neither = nor ~", text)
			return
		}
		of := slices.Index(conditionNames[:], strings.ToLower(strings.TrimSpace(text[:at])))
		if of < 0 {
			p.fail(i+2, "condition on unknown field %q; there are %s", text[:at], strings.Join(conditionNames[:], ", "))
			return
		}
		one := condition{of: conditionField(of)}
		if value := text[at+1:]; text[at] == '=' {
			one.oneOf = strings.Split(strings.ToLower(value), "|")
			if slices.Contains(one.oneOf, "") {
				p.fail(i+2, "condition %q compares with nothing", text)
				return
			}
		} else {
			var err error
			if _, err = regexp.Compile(value); err == nil { // alone, so that no bracket closes ours
				one.pattern, err = regexp.Compile("(?is)^(?:" + value + ")$")
			}
			if err != nil {
				p.fail(i+2, "condition %q: %v", text, err)
				return
			}
		}
		c.conditions = append(c.conditions, one)
	}
	p.rules.channels = append(p.rules.channels, c)
}

// finish fills in what follows from several lines. Where two sites have one
// source, it is of the category of the first.
func (p *parser) finish() {
	r := p.rules
	for _, a := range p.aliases {
		if _, ok := r.categories[a[0]]; !ok {
			r.categories[a[0]] = a[1]
		}
	}
	r.direct = r.channel(&said{ofSource: directSource, ofMedium: directMedium})
	for _, m := range []map[string]*site{r.sites, r.anyTop, r.apps} {
		for _, s := range m {
			s.medium = referral
			if m, ok := r.mediums[s.category]; ok {
				s.medium = []byte(m)
			}
			s.channel = r.channel(&said{ofSource: s.source, ofMedium: s.medium, ofCategory: []byte(s.category)})
		}
	}
}
