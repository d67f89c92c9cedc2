package generate

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// ran is a finished run: the lines of each server, and the truth.
type ran struct {
	logs     [][]string
	lines    []string
	at       []int64
	truth    Truth
	sessions map[Session]int
	farm     *Farm
}

func run(t *testing.T, cfg WeblogConfig) ran {
	t.Helper()
	farm, err := Weblog(cfg)
	if err != nil {
		t.Fatal(err)
	}
	r := ran{logs: make([][]string, farm.cfg.Servers), sessions: map[Session]int{}, farm: farm}
	farm.OnSession = func(s Session) { r.sessions[s]++ }
	for line := range farm.Lines() {
		text := string(line.Text)
		r.logs[line.Server] = append(r.logs[line.Server], text)
		r.lines = append(r.lines, text)
		r.at = append(r.at, line.At)
	}
	r.truth = farm.Truth()
	return r
}

func sum(lines []string) string {
	h := sha256.Sum256([]byte(strings.Join(lines, "\n")))
	return hex.EncodeToString(h[:8])
}

func TestOneSeedGivesTheSameBytesEverywhere(t *testing.T) {
	for name, c := range map[string]struct {
		cfg  WeblogConfig
		want string
	}{
		"defaults":       {WeblogConfig{Lines: 20_000}, "2ee1cef3cbf178f4"},
		"another seed":   {WeblogConfig{Lines: 20_000, Seed: 1}, "9c5f6c23eada3e03"},
		"another layout": {WeblogConfig{Lines: 80_000, Rate: 200, Format: VhostCombined, Zone: -150 * time.Minute, Servers: 3, Canaries: 100}, "6012c66d194d170a"},
	} {
		t.Run(name, func(t *testing.T) {
			got := run(t, c.cfg)
			if s := sum(got.lines); s != c.want {
				t.Errorf("the log changed: sum %s, want %s", s, c.want)
			}
			if again := run(t, c.cfg); sum(again.lines) != sum(got.lines) {
				t.Error("a second run differs from the first")
			}
		})
	}
}

var worlds = map[string]WeblogConfig{
	"two days":          {Lines: 40_000, Servers: 3, Seed: 4},
	"common":            {Lines: 40_000, Format: Common, Seed: 5, Canaries: 100},
	"vhost, zone":       {Lines: 40_000, Format: VhostCombined, Zone: 345 * time.Minute, Seed: 6},
	"four days, thin":   {Days: 4, Rate: 0.1, Seed: 7, Start: time.Date(2024, 2, 27, 22, 30, 0, 0, time.UTC)},
	"a busy hour":       {Lines: 100_000, Rate: 60, Flat: true, Seed: 8, Servers: 2, Disorder: 5 * time.Minute},
	"much that is bad":  {Lines: 40_000, Duplicates: 0.2, Malformed: 0.2, LongLine: 5000, Seed: 9},
	"nothing but clean": {Lines: 20_000, Duplicates: -1, Malformed: -1, Attacks: -1, Bots: -1, Disorder: -1, Seed: 10},
	"canaries":          {Lines: 90_000, Canaries: DefaultCanaries, Seed: 11},
	"six days":          {Lines: 50_000, Days: 6, Seed: 12},
	"one minute":        {Lines: 100, Rate: 2, Seed: 13},
}

func TestTruthEqualsANaiveRecount(t *testing.T) {
	for name, cfg := range worlds {
		t.Run(name, func(t *testing.T) {
			got := run(t, cfg)
			bots := map[string]bool{}
			for _, b := range got.truth.BotAgents {
				bots[b.UserAgent] = true
			}
			want := recount(got.lines, bots)
			want.Duplicated = got.truth.Duplicated
			if d := cmp.Diff(want.Totals, got.truth.Totals); d != "" {
				t.Errorf("totals (-recount +truth):\n%s", d)
			}
			if d := cmp.Diff(want.Classes, got.truth.StatusClasses); d != "" {
				t.Errorf("status classes (-recount +truth):\n%s", d)
			}
			for _, day := range got.truth.Days {
				if d := cmp.Diff(want.Days[day.Day], day); d != "" {
					t.Errorf("day (-recount +truth):\n%s", d)
				}
			}
			if d := cmp.Diff(want.Sessions, got.sessions); d != "" {
				t.Errorf("sessions (-recount +truth):\n%.3000s", d)
			}
			for _, i := range got.truth.Incidents {
				for _, m := range i.Minutes {
					w := want.Minutes[m.Minute]
					w.Minute = m.Minute
					if w != m {
						t.Errorf("minute %v: recount %v, truth %v", m.Minute, w, m)
					}
				}
			}
			if cfg.Lines > 0 && got.truth.Lines != cfg.Lines {
				t.Errorf("%d lines, asked for %d", got.truth.Lines, cfg.Lines)
			}
		})
	}
}

func TestLinesOfOneLogAreOutOfOrderByTheBoundAtMost(t *testing.T) {
	for name, cfg := range worlds {
		t.Run(name, func(t *testing.T) {
			got := run(t, cfg)
			bound := cfg.WithDefaults().Disorder
			worst := time.Duration(0)
			for _, log := range got.logs {
				var latest time.Time
				for _, line := range log {
					if p, ok := parse(line); ok {
						worst = max(worst, latest.Sub(p.at))
						if p.at.After(latest) {
							latest = p.at
						}
					}
				}
			}
			if worst > bound {
				t.Errorf("a line comes %s late, the bound is %s", worst, bound)
			}
			if bound > 0 && worst < bound/4 && len(got.lines) > 1000 {
				t.Errorf("the worst line comes %s late: no disorder worth the name under a bound of %s", worst, bound)
			}
			for i := 1; i < len(got.at); i++ {
				if got.at[i] < got.at[i-1] {
					t.Fatalf("line %d is written before the one before it", i)
				}
			}
		})
	}
}

func TestLinesSpreadOverTheDaysAskedFor(t *testing.T) {
	got := run(t, WeblogConfig{Lines: 120_000, Days: 3, Seed: 3})
	if n := len(got.truth.Days); n != 3 {
		t.Fatalf("the log has %d days, asked for 3", n)
	}
	for _, d := range got.truth.Days {
		if d.Events < 36_000 || d.Events > 44_000 {
			t.Errorf("day %s has %d of 120,000 events", d.Day, d.Events)
		}
	}
}

func TestRateIsTheMeanOfADay(t *testing.T) {
	got := run(t, WeblogConfig{Days: 2, Rate: 0.5, Seed: 3})
	if n := got.truth.Lines; n < 82_000 || n > 90_000 {
		t.Errorf("%d lines in two days at one every two seconds", n)
	}
}

func TestNoTwoClientsAreTakenForOne(t *testing.T) {
	p := people{salt: mix(77)}
	seen := map[string]int{}
	shared := 0
	addrs := map[string]bool{}
	for v := range 200_000 {
		addr := string(p.appendAddr(nil, v))
		parsed, err := netip.ParseAddr(addr)
		if err != nil || parsed.String() != addr {
			t.Fatalf("address %q of %d is not in its usual form: %v", addr, v, err)
		}
		key := addr + p.agent(v)
		if other, ok := seen[key]; ok {
			t.Fatalf("%d and %d are both %s", other, v, key)
		}
		seen[key] = v
		if addrs[addr] {
			shared++
		}
		addrs[addr] = true
	}
	if shared == 0 {
		t.Error("nobody shares an address")
	}
}

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
	}
	kinds := map[string]int{}
	succeeded := 0
	for _, a := range got.truth.Attacks {
		kinds[a.Kind]++
		s := seen[a.Source]
		if s.Lines != a.Lines || s.Bytes != a.Bytes || !s.Start.Equal(a.Start) || !s.End.Equal(a.End) {
			t.Errorf("attack %+v shows in the log as %+v", a, s)
		}
		if a.Succeeded {
			succeeded++
		}
	}
	for _, k := range attackKinds {
		if kinds[k.name] == 0 {
			t.Errorf("no attack of kind %s", k.name)
		}
	}
	if succeeded == 0 {
		t.Error("no brute force succeeded")
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

func TestStoppingEarlyIsAllowed(t *testing.T) {
	farm, err := Weblog(WeblogConfig{Lines: 10_000})
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for range farm.Lines() {
		if n++; n == 137 {
			break
		}
	}
	if n != 137 {
		t.Errorf("stopped at line %d", n)
	}
}

func TestValidateNamesEveryFault(t *testing.T) {
	err := WeblogConfig{
		Lines: 5, Days: 1, Rate: 3, Format: "iis", Servers: 2000, Disorder: 2 * time.Hour, Malformed: 0.9,
		Zone: time.Second, Canaries: 10, Redeliver: 9999, Visitors: -1,
	}.Validate()
	if err == nil {
		t.Fatal("accepted")
	}
	for _, part := range []string{"lines, days and rate", "iis", "servers 2000", "disorder 2h", "malformed 0.9", "zone offset 1s", "canaries", "twice: 9999", "visitors -1"} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("no word of %q in:\n%v", part, err)
		}
	}
	if err := (WeblogConfig{}).Validate(); err != nil {
		t.Errorf("the zero configuration: %v", err)
	}
}

func ExampleWeblog() {
	farm, err := Weblog(WeblogConfig{Seed: 42, Lines: 1000, Rate: 20})
	if err != nil {
		fmt.Println(err)
		return
	}
	n := 0
	for range farm.Lines() {
		n++
	}
	truth := farm.Truth()
	fmt.Println(n, truth.Events+truth.Bad)
	// Output: 1000 1000
}
