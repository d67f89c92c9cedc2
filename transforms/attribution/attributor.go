package attribution

import (
	"bytes"
	"errors"
	"fmt"

	"millrace/schemas/pii"
)

// Attributor finds where requests come from. It belongs to one goroutine. Once
// its memory has grown, a call allocates nothing, unless the query holds bytes that
// are no UTF-8 or the referrer has an international host.
type Attributor struct {
	rules *Rules
	own   [][]byte

	nameBuf, hostBuf, ownBuf []byte
	texts                    []byte // values of the present request
	key                      []byte
	channels                 map[string]string // of tagged requests, by what they follow from
}

// maxChannels bounds the memory of channels; a full one starts anew.
const maxChannels = 1 << 12

// New makes an attributor. own are the domains of the site itself, each with its
// subdomains; a referrer from one of them, or from the host that a request went to,
// is Internal.
func New(r *Rules, own []string) (*Attributor, error) {
	a := &Attributor{rules: r, channels: map[string]string{}}
	var errs []error
	for _, domain := range own {
		host, ok := asciiHost([]byte(domain), nil)
		if !ok {
			errs = append(errs, fmt.Errorf("own domain %q is no host: name it as in example.org", domain))
			continue
		}
		a.own = append(a.own, host)
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	return a, nil
}

var (
	directSource, directMedium = []byte("(direct)"), []byte("(none)")

	notSet   = []byte("(not set)")
	referral = []byte("referral")
)

// Touch says where a request comes from. It looks at the texts alone and fails for
// none.
func (a *Attributor) Touch(q Request) Touch {
	a.texts = a.texts[:0]
	var p parsed
	if len(q.Query) > 0 {
		a.parameters(q.Query, &p)
	}
	v := &p.values
	switch {
	case v[fieldSource] != nil || v[fieldMedium] != nil || v[fieldCampaign] != nil || v[fieldID] != nil:
		return a.tagged(&p)
	case p.click != nil:
		p.values[fieldSource], p.values[fieldMedium] = p.click.source, p.click.medium
		return a.touch(Clicked, &p)
	}
	if host, app, ok := referrerOf(q.Referrer, a.hostBuf); ok {
		a.hostBuf = host[:0]
		return a.referred(host, app, &q, &p)
	}
	return Touch{
		Kind: Direct, Channel: a.rules.direct, Source: pii.Of(directSource), Medium: pii.Of(directMedium),
		Term: pii.Of(v[fieldTerm]), Content: pii.Of(v[fieldContent]),
	}
}

// tagged is what the parameters of a campaign say; a click id says what they leave
// open.
func (a *Attributor) tagged(p *parsed) Touch {
	source, medium := notSet, notSet
	if p.click != nil {
		source, medium = p.click.source, p.click.medium
	}
	p.orElse(fieldSource, source)
	p.orElse(fieldMedium, medium)
	return a.touch(Tagged, p)
}

// orElse puts a field in lower case, or fills it.
func (p *parsed) orElse(f field, text []byte) {
	if p.values[f] == nil {
		p.values[f] = text
		return
	}
	for i, c := range p.values[f] {
		p.values[f][i] = fold(c)
	}
}

// referred is the touch of a referrer.
func (a *Attributor) referred(host []byte, app bool, q *Request, p *parsed) Touch {
	if !app && a.internal(host, q.Host) {
		return Touch{Kind: Internal}
	}
	t := Touch{Kind: Referred, Term: pii.Of(p.values[fieldTerm]), Content: pii.Of(p.values[fieldContent])}
	var s *site
	if app {
		s = a.rules.apps[string(host)]
	} else {
		s = a.rules.site(host)
	}
	if s != nil {
		t.Source, t.Medium, t.Channel = pii.Of(s.source), pii.Of(s.medium), s.channel
		return t
	}
	host = withoutWWW(host)
	t.Source, t.Medium = pii.Of(host), pii.Of(referral)
	t.Channel = a.channel(&said{ofSource: host, ofMedium: referral})
	return t
}

// internal tells whether a referrer's host is the site's own, or the one to which
// the request went.
func (a *Attributor) internal(host, to []byte) bool {
	for _, domain := range a.own {
		if within(host, domain) {
			return true
		}
	}
	if len(to) == 0 {
		return false
	}
	own, ok := hostOf(to, a.ownBuf)
	if !ok {
		return false
	}
	a.ownBuf = own[:0]
	return bytes.Equal(withoutWWW(own), withoutWWW(host))
}

// touch is that of a query.
func (a *Attributor) touch(k Kind, p *parsed) Touch {
	v := &p.values
	t := Touch{
		Kind: k, Source: pii.Of(v[fieldSource]), Medium: pii.Of(v[fieldMedium]), Campaign: pii.Of(v[fieldCampaign]),
		ID: pii.Of(v[fieldID]), Term: pii.Of(v[fieldTerm]), Content: pii.Of(v[fieldContent]),
	}
	if p.click != nil {
		t.Click = p.click.name
	}
	t.Channel = a.channel(&said{ofSource: v[fieldSource], ofMedium: v[fieldMedium], ofCampaign: v[fieldCampaign]})
	return t
}

// channel finds that of a source, medium and campaign, or remembers it.
func (a *Attributor) channel(s *said) string {
	a.key = append(append(append(append(append(a.key[:0], s[ofSource]...), 0), s[ofMedium]...), 0), s[ofCampaign]...)
	if c, ok := a.channels[string(a.key)]; ok {
		return c
	}
	s[ofCategory] = []byte(a.rules.category(s[ofSource]))
	c := a.rules.channel(s)
	if len(a.channels) >= maxChannels {
		clear(a.channels)
	}
	a.channels[string(a.key)] = c
	return c
}
