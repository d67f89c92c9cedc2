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
		"defaults":       {WeblogConfig{Lines: 20_000}, "b5d6e628aa70bcca"},
		"another seed":   {WeblogConfig{Lines: 20_000, Seed: 1}, "922adc6afa83c1c4"},
		"another layout": {WeblogConfig{Lines: 80_000, Rate: 200, Format: VhostCombined, Zone: -150 * time.Minute, Servers: 3, Canaries: 100}, "fd9c7f8ca280049c"},
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
	"canaries":          {Lines: 100_000, Canaries: DefaultCanaries, Seed: 11},
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
