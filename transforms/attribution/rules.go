package attribution

import (
	"bytes"
	_ "embed"
	"regexp"
	"strings"
	"sync"
)

//go:embed rules.csv
var defaultRules []byte

// Default are the rules that come with the program, rules.csv.
var Default = sync.OnceValue(func() *Rules {
	r, err := Parse("rules.csv", bytes.NewReader(defaultRules))
	if err != nil {
		panic(err) // a test holds that the rules are sound
	}
	return r
})

// Rules are read-only and safe for concurrent use.
type Rules struct {
	version    string
	parameters map[string]field // by name
	clicks     map[string]*click
	names      nameFilter // of both
	sites      map[string]*site
	anyTop     map[string]*site // by what stands before the top-level domain
	ends       map[string]bool  // the last two labels of sites: without them none is looked for
	anyEnds    map[string]bool  // the last label of anyTop
	apps       map[string]*site
	categories map[string]string // by source
	mediums    map[string]string // by category
	channels   []channel
	direct     string // channel of a request of which nothing is known
}

// Version identifies the rules by their content: 16 hex digits of SHA-256.
func (r *Rules) Version() string { return r.version }

// field is a text of a touch.
type field uint8

const (
	fieldSource field = iota
	fieldMedium
	fieldCampaign
	fieldID
	fieldTerm
	fieldContent
	fields
)

var fieldNames = [fields]string{"source", "medium", "campaign", "id", "term", "content"}

// click is a click id.
type click struct {
	name           string
	order          int
	source, medium []byte
}

// site is what referrals of a site or an app say.
type site struct {
	source, medium []byte
	category       string
	channel        string // of a referral
}

// channel is a line of the channels: all conditions must hold.
type channel struct {
	name       string
	conditions []condition
}

// condition is about one field, by a list or by a pattern.
type condition struct {
	of      conditionField
	oneOf   []string // in lower case
	pattern *regexp.Regexp
}

type conditionField uint8

const (
	ofSource conditionField = iota
	ofMedium
	ofCampaign
	ofCategory
	conditionFields
)

var conditionNames = [conditionFields]string{"source", "medium", "campaign", "category"}

const unassigned = "Unassigned"

// said is what the channel follows from, by conditionField.
type said [conditionFields][]byte

// channel is the first whose conditions hold.
func (r *Rules) channel(s *said) string {
	for i := range r.channels {
		if c := &r.channels[i]; c.fits(s) {
			return c.name
		}
	}
	return unassigned
}

func (c *channel) fits(s *said) bool {
	for i := range c.conditions {
		if !c.conditions[i].holds(s[c.conditions[i].of]) {
			return false
		}
	}
	return true
}

func (c *condition) holds(text []byte) bool {
	if c.pattern != nil {
		return len(text) > 0 && c.pattern.Match(text)
	}
	for _, o := range c.oneOf {
		if len(o) == len(text) && strings.EqualFold(o, string(text)) {
			return true
		}
	}
	return false
}

// category of a source: by its name, and else, if it is a host, by its site.
func (r *Rules) category(source []byte) string {
	if c, ok := r.categories[string(source)]; ok {
		return c
	}
	if bytes.IndexByte(source, '.') >= 0 {
		if s := r.site(source); s != nil {
			return s.category
		}
	}
	return ""
}

// site finds the longest entry that a host, in lower case, is or lies in.
func (r *Rules) site(host []byte) *site {
	var base []byte // what stands before the top-level domain
	if top := topLevel(host); top > 0 {
		base = host[:len(host)-top]
	}
	exact := r.ends[string(lastLabels(host, 2))] || r.ends[string(lastLabels(host, 1))]
	open := r.anyEnds[string(lastLabels(base, 1))]
	for i := 0; exact || open; {
		if exact {
			if s := r.sites[string(host[i:])]; s != nil {
				return s
			}
		}
		if open && i < len(base) {
			if s := r.anyTop[string(base[i:])]; s != nil {
				return s
			}
		}
		dot := bytes.IndexByte(host[i:], '.')
		if dot < 0 {
			return nil
		}
		i += dot + 1
	}
	return nil
}

// lastLabels are the last n labels of a host.
func lastLabels(host []byte, n int) []byte {
	for i := len(host) - 1; i >= 0; i-- {
		if host[i] == '.' {
			if n--; n == 0 {
				return host[i+1:]
			}
		}
	}
	return host
}

// secondLevels are what countries use in the place of a top-level domain.
var secondLevels = map[string]bool{
	"ac": true, "co": true, "com": true, "edu": true, "go": true, "gov": true, "gob": true, "in": true, "ne": true, "net": true,
	"or": true, "org": true,
}

// topLevel is the length of what the rules' NAME.* leaves open, with its dot: a
// top-level domain, or one of a country with a second level such as co.uk. It is 0
// for a host of one label.
func topLevel(host []byte) int {
	last := bytes.LastIndexByte(host, '.')
	if last < 0 {
		return 0
	}
	if len(host)-last-1 == 2 {
		if before := bytes.LastIndexByte(host[:last], '.'); before >= 0 && secondLevels[string(host[before+1:last])] {
			return len(host) - before
		}
	}
	return len(host) - last
}

// nameFilter dismisses most names of parameters by their length and first byte.
type nameFilter struct {
	first   [256]bool
	longest int
}

func (f *nameFilter) add(name string) {
	f.first[name[0]] = true
	f.longest = max(f.longest, len(name))
}
