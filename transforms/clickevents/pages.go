package clickevents

import (
	"net/url"
	"strings"
)

// page is where a location leads.
type page struct {
	host, path, query string
	ok                bool // whether it is a URL
}

// pages remembers the locations and campaigns that came: shops have few, and taking one
// apart costs as much as reading the rest of an event.
type pages struct {
	known     map[string]page
	campaigns map[[3]string]string
}

// maxPages bounds the memory of locations; a full one starts anew.
const maxPages = 1 << 14

// of takes a location apart.
func (p *pages) of(location string) page {
	if known, ok := p.known[location]; ok {
		return known
	}
	if p.known == nil || len(p.known) == maxPages {
		p.known = map[string]page{}
	}
	location = strings.Clone(location)
	found := page{}
	if u, err := url.Parse(location); err == nil {
		found = page{u.Hostname(), u.EscapedPath(), u.RawQuery, true}
		if found.path == "" {
			found.path = "/"
		}
	}
	p.known[location] = found
	return found
}

// campaign is one as parameters of a link.
func (p *pages) campaign(source, medium, name string) string {
	key := [3]string{source, medium, name}
	if known, ok := p.campaigns[key]; ok {
		return known
	}
	if p.campaigns == nil || len(p.campaigns) == maxPages {
		p.campaigns = map[[3]string]string{}
	}
	for i := range key {
		key[i] = strings.Clone(key[i])
	}
	text := url.Values{"utm_source": {source}, "utm_medium": {medium}, "utm_campaign": {name}}.Encode()
	p.campaigns[key] = text
	return text
}
