package enrich

import (
	"bytes"
	"compress/gzip"
	_ "embed"
	"fmt"
	"io"
	"regexp"
	"regexp/syntax"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
)

// Agent is what a user agent tells of program, system and device. A part that
// is not told is empty; an unknown family is "Other".
type Agent struct {
	Family, Major, Minor, Patch        string // user_agent.name, user_agent.version
	OS, OSMajor, OSMinor, OSPatch, OS4 string // user_agent.os
	Device, Brand, Model               string // user_agent.device
}

//go:embed agents.yaml.gz
var agentRules []byte

// DefaultAgents are the rules that come with the program.
var DefaultAgents = sync.OnceValue(func() *Agents {
	z, err := gzip.NewReader(bytes.NewReader(agentRules))
	if err != nil {
		panic(err) // a test holds that the rules are sound
	}
	content, err := io.ReadAll(z)
	if err != nil {
		panic(err)
	}
	a, err := ParseAgents(content)
	if err != nil {
		panic(err)
	}
	return a
})

// Agents recognises user agents by rules in the format of uap-core's
// regexes.yaml: for program, system and device the first expression that matches
// says what it is. Safe for concurrent use.
//
// Most rules are dismissed without running them, by a text that they need. What
// they say of a user agent is remembered by AgentCache.
type Agents struct {
	version              string
	programs, os, device []agentRule
	known                sharedCache
}

type agentRule struct {
	expr     string
	re       func() *regexp.Regexp // compiled when first needed
	literals [][]literal           // a text of each set must be there
	replace  [5]string
}

type agentYAML struct {
	Programs []agentRuleYAML `yaml:"user_agent_parsers"`
	OS       []agentRuleYAML `yaml:"os_parsers"`
	Device   []agentRuleYAML `yaml:"device_parsers"`
}

type agentRuleYAML struct {
	Regex  string `yaml:"regex"`
	Flag   string `yaml:"regex_flag"`
	Family string `yaml:"family_replacement"`
	V1     string `yaml:"v1_replacement"`
	V2     string `yaml:"v2_replacement"`
	V3     string `yaml:"v3_replacement"`
	OS     string `yaml:"os_replacement"`
	OS1    string `yaml:"os_v1_replacement"`
	OS2    string `yaml:"os_v2_replacement"`
	OS3    string `yaml:"os_v3_replacement"`
	OS4    string `yaml:"os_v4_replacement"`
	Device string `yaml:"device_replacement"`
	Brand  string `yaml:"brand_replacement"`
	Model  string `yaml:"model_replacement"`
}

// maxAgentRules bounds the bytes of a file of rules; that of today has 220 KB.
const maxAgentRules = 4 << 20

// agentLine is the shape of all lines of such a file: a key with a text or nothing, the
// first of an item behind a dash; blank, a comment, or the mark of a document. Whatever
// else YAML has can nest, and its parser takes the square of the nesting.
var agentLine = regexp.MustCompile(`^(?: {0,16}(?:- +)?\w+:(?:[ \t]+(?:'.*|".*|[\w$/.(^\\](?:[^:]|:[^ \t])*)?)?|[ \t]*(?:#.*)?|---)[ \t]*\r?$`)

// checkAgentLines finds a line of another shape.
func checkAgentLines(content []byte) error {
	n := 0
	for line := range bytes.Lines(content) {
		if n++; !agentLine.Match(bytes.TrimSuffix(line, []byte("\n"))) {
			return fmt.Errorf("line %d is neither a list of rules (NAME:) nor a rule's key and text (- regex: '...')", n)
		}
	}
	return nil
}

// ParseAgents reads rules. Errors name the rule, or the line of what cannot be one.
func ParseAgents(content []byte) (*Agents, error) {
	if len(content) > maxAgentRules {
		return nil, fmt.Errorf("reading user agent rules: %d bytes, and %d are possible", len(content), maxAgentRules)
	}
	if err := checkAgentLines(content); err != nil {
		return nil, fmt.Errorf("reading user agent rules: %w", err)
	}
	var file agentYAML
	if err := yaml.UnmarshalWithOptions(content, &file, yaml.AllowDuplicateMapKey()); err != nil {
		return nil, fmt.Errorf("reading user agent rules: %s", yaml.FormatError(err, false, false))
	}
	a := &Agents{version: version(content)}
	for _, list := range []struct {
		kind  string
		rules []agentRuleYAML
		into  *[]agentRule
		texts func(y *agentRuleYAML) [5]string
	}{
		{"user_agent_parsers", file.Programs, &a.programs, func(y *agentRuleYAML) [5]string {
			return [5]string{or(y.Family, "$1"), or(y.V1, "$2"), or(y.V2, "$3"), or(y.V3, "$4"), ""}
		}},
		{"os_parsers", file.OS, &a.os, func(y *agentRuleYAML) [5]string {
			return [5]string{or(y.OS, "$1"), or(y.OS1, "$2"), or(y.OS2, "$3"), or(y.OS3, "$4"), or(y.OS4, "$5")}
		}},
		{"device_parsers", file.Device, &a.device, func(y *agentRuleYAML) [5]string {
			return [5]string{or(y.Device, "$1"), y.Brand, or(y.Model, "$1"), "", ""}
		}},
	} {
		if len(list.rules) == 0 {
			return nil, fmt.Errorf("reading user agent rules: no %s in them", list.kind)
		}
		for i := range list.rules {
			y := &list.rules[i]
			rule, err := newAgentRule(y, list.texts(y))
			if err != nil {
				return nil, fmt.Errorf("reading user agent rules: rule %d of %s: %w", i+1, list.kind, err)
			}
			*list.into = append(*list.into, rule)
		}
	}
	return a, nil
}

func or(a, b string) string {
	if a == "" {
		return b
	}
	return a
}

func newAgentRule(y *agentRuleYAML, replace [5]string) (agentRule, error) {
	expr := y.Regex
	if y.Flag == "i" {
		expr = "(?i)" + expr
	}
	parsed, err := syntax.Parse(expr, syntax.Perl)
	if err != nil {
		return agentRule{}, err
	}
	r := agentRule{expr: expr, replace: replace, re: sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(expr) })}
	for _, texts := range required(parsed.Simplify()) {
		var set []literal
		for _, text := range texts {
			set = append(set, newLiteral(text))
		}
		r.literals = append(r.literals, set)
	}
	slices.SortStableFunc(r.literals, func(a, b []literal) int { return len(a) - len(b) }) // the quick ones first
	return r, nil
}

// Version identifies the rules by their content.
func (a *Agents) Version() string { return a.version }

// maxAgent bounds the part of a user agent that is looked at.
const maxAgent = 1024

// Parse returns what a user agent tells. It takes some ten microseconds: keep the
// answer, as AgentCache does.
func (a *Agents) Parse(userAgent string) (out Agent) {
	if len(userAgent) > maxAgent {
		end := maxAgent
		for end > maxAgent-utf8.UTFMax && !utf8.RuneStart(userAgent[end]) {
			end--
		}
		userAgent = userAgent[:end]
	}
	low := strings.ToLower(userAgent)
	var g grams
	g.set(low)
	out.Family, out.OS, out.Device = "Other", "Other", "Other"
	if p, ok := match(a.programs, userAgent, low, &g); ok {
		out.Family, out.Major, out.Minor, out.Patch = or(p[0], "Other"), p[1], p[2], p[3]
	}
	if p, ok := match(a.os, userAgent, low, &g); ok {
		out.OS, out.OSMajor, out.OSMinor, out.OSPatch, out.OS4 = or(p[0], "Other"), p[1], p[2], p[3], p[4]
	}
	if p, ok := match(a.device, userAgent, low, &g); ok {
		out.Device, out.Brand, out.Model = or(p[0], "Other"), p[1], p[2]
	}
	return out
}

// match returns what the first rule that matches says.
func match(rules []agentRule, userAgent, low string, g *grams) (out [5]string, ok bool) {
	for i := range rules {
		r := &rules[i]
		if !r.possible(low, g) {
			continue
		}
		at := r.re().FindStringSubmatchIndex(userAgent)
		if at == nil {
			continue
		}
		for j, text := range r.replace {
			out[j] = expand(text, userAgent, at)
		}
		return out, true
	}
	return out, false
}

// possible tells whether the rule could match.
func (r *agentRule) possible(low string, g *grams) bool {
	for _, set := range r.literals {
		found := false
		for i := range set {
			if found = set[i].in(low, g); found {
				break
			}
		}
		if !found {
			return false
		}
	}
	return true
}

// expand puts the groups of a match in for $1 to $9.
func expand(text, from string, at []int) string {
	if text == "" {
		return ""
	}
	group := func(n int) string {
		if 2*n+1 >= len(at) || at[2*n] < 0 {
			return ""
		}
		return from[at[2*n]:at[2*n+1]]
	}
	if len(text) == 2 && text[0] == '$' && text[1]-'0' <= 9 {
		return strings.TrimSpace(group(int(text[1] - '0')))
	}
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		if text[i] == '$' && i+1 < len(text) && text[i+1]-'1' < 9 {
			b.WriteString(group(int(text[i+1] - '0')))
			i++
			continue
		}
		b.WriteByte(text[i])
	}
	return strings.TrimSpace(b.String())
}
