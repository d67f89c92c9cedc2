package generate

import (
	"strings"
	"testing"
	"time"
)

func TestTheFarmHasEveryKindOfClient(t *testing.T) {
	got := run(t, WeblogConfig{Lines: 100_000, Days: 3, Seed: 2, Servers: 2})
	all := strings.Join(got.lines, "\n")
	for what, sign := range map[string]string{
		"request timeout":         `"-" 408 -`,
		"HTTP/0.9":                `"GET /" 200`,
		"escaped TLS hello":       `"\x16\x03\x01\x02" 400`,
		"IPv6 client":             "2a02:8108:",
		"campaign":                "utm_campaign=",
		"funnel, cart":            `"GET /cart HTTP`,
		"funnel, checkout":        `"GET /checkout HTTP`,
		"order":                   `"GET /order/2`,
		"search":                  `"GET /search?q=`,
		"asset":                   ".woff2 HTTP",
		"monitor":                 "UptimeRobot",
		"websocket":               `" 101 -`,
		"query encoded twice":     "id=1%2527",
		"traversal encoded twice": "%252e%252e%252f",
		"referrer inside":         `"https://shop.example.com/product/`,
	} {
		if !strings.Contains(all, sign) {
			t.Errorf("no %s: %s occurs nowhere", what, sign)
		}
	}
	named, spaced := 0, 0
	for _, line := range got.lines {
		if p, ok := parse(line); ok && p.user != "-" {
			named++
			spaced += strings.Count(p.user, " ")
		}
	}
	if spaced == 0 || named == spaced {
		t.Errorf("%d of %d user names have a space", spaced, named)
	}
	// The crawler that never rests: no pause as long as a session's gap, for days.
	var first, last time.Time
	for _, line := range got.lines {
		if p, ok := parse(line); ok && p.client == restless.addr {
			if first.IsZero() {
				first, last = p.at, p.at
			}
			if p.at.Sub(last) >= 30*time.Minute {
				t.Errorf("the crawler that never rests does so at %s", last)
			}
			last = p.at
		}
	}
	if last.Sub(first) < 48*time.Hour {
		t.Errorf("the crawler that never rests reads only from %s to %s", first, last)
	}
	midnights := 0
	for s := range got.sessions {
		if s.Client == restless.addr && s.Start.Sub(s.Start.Truncate(24*time.Hour)) < time.Hour {
			midnights++
		}
	}
	if midnights != 1 {
		t.Errorf("its chain is cut at %d midnights; of the two, the first comes before 24 hours have passed", midnights)
	}
}

func TestAttacksAreWhatTheLogShows(t *testing.T) {
	got := run(t, WeblogConfig{Lines: 150_000, Seed: 21})
	seen := map[string]Attack{}
	given := map[string]bool{} // secret files
	for _, line := range got.lines {
		p, ok := parse(line)
		if !ok {
			continue
		}
		a := seen[p.client]
		if a.Lines == 0 || p.at.Before(a.Start) {
			a.Start = p.at
		}
		if p.at.After(a.End) {
			a.End = p.at
		}
		a.Lines++
		a.Bytes += p.bytes
		seen[p.client] = a
		if p.status == 200 && strings.HasPrefix(p.request, "GET "+exposed+" ") {
			given[p.client] = true
		}
	}
	kinds := map[string]int{}
	succeeded := map[string]int{}
	for _, a := range got.truth.Attacks {
		kinds[a.Kind]++
		s := seen[a.Source]
		if s.Lines != a.Lines || s.Bytes != a.Bytes || !s.Start.Equal(a.Start) || !s.End.Equal(a.End) {
			t.Errorf("attack %+v shows in the log as %+v", a, s)
		}
		if a.Succeeded {
			succeeded[a.Kind]++
		}
		if a.Kind == "scanner" && a.Succeeded != given[a.Source] {
			t.Errorf("a scanner was given a secret: %t; the truth is %+v", given[a.Source], a)
		}
	}
	for _, k := range attackKinds {
		if kinds[k.name] == 0 {
			t.Errorf("no attack of kind %s", k.name)
		}
	}
	if succeeded[bruteForce] == 0 || succeeded["scanner"] == 0 || succeeded["scanner"] == kinds["scanner"] {
		t.Errorf("succeeded: %v of %v", succeeded, kinds)
	}
}

func TestAnIncidentShowsAsServerErrors(t *testing.T) {
	got := run(t, WeblogConfig{Lines: 100_000, Days: 1, Seed: 5})
	i := got.truth.Incidents[0]
	var views, errors int64
	for _, m := range i.Minutes {
		views += m.Views
		errors += m.Errors
	}
	if views == 0 || errors*100 < views*int64(i.FailPercent)/3 {
		t.Errorf("%d of %d requests fail in an incident of %d %%", errors, views, i.FailPercent)
	}
}
