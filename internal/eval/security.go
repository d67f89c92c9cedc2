package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"millrace/internal/generate"
	"millrace/schemas/alert"
)

const (
	seeds     = 3
	farmLines = 300_000
	room      = 30 * 60_000 // milliseconds that an alert may begin before or after its attack
)

// tools are attackers' agents that say what they are.
var tools = []string{"sqlmap", "Nikto", "zgrab"}

// expected tells which attacks a rule is to find.
var expected = map[string]func(a *generate.Attack) bool{
	"scanner":                 ofKind("scanner"),
	"secret-served":           func(a *generate.Attack) bool { return a.Succeeded && a.Kind == "scanner" },
	"injection":               ofKind("sql_injection", "sql_injection_double", "xss"),
	"traversal":               ofKind("traversal", "traversal_double"),
	"brute-force":             ofKind("brute_force", "slow_brute_force"),
	"login-after-brute-force": func(a *generate.Attack) bool { return a.Succeeded && a.Kind != "scanner" },
	"exfiltration":            ofKind("exfiltration"),
	"form-spam":               ofKind("brute_force"),
	"attack-tool": func(a *generate.Attack) bool {
		return slices.ContainsFunc(tools, func(t string) bool { return strings.Contains(a.UserAgent, t) })
	},
}

func ofKind(kinds ...string) func(a *generate.Attack) bool {
	return func(a *generate.Attack) bool { return slices.Contains(kinds, a.Kind) }
}

// tally is what a rule found, over several logs.
type tally struct {
	alerts, right, attacker int // alerts; of an attack that the rule is to find; of any attack
	attacks, found          int
	delays                  []int64 // milliseconds from the beginning of an attack to its first alert
}

type tallies map[string]*tally

func (t tallies) of(rule string) *tally {
	if t[rule] == nil {
		t[rule] = &tally{}
	}
	return t[rule]
}

// compare holds the alerts of one log against its attacks. An alert is right if its
// source attacked so at that time.
func (t tallies) compare(rows []alert.Row, attacks []generate.Attack) {
	first := map[string]map[int]int64{}
	for _, r := range firings(rows) {
		if r.Input != "sources" {
			continue
		}
		n := t.of(r.Rule)
		n.alerts++
		right, attacker := false, false
		for i := range attacks {
			a := &attacks[i]
			if r.Key != "source="+a.Source || !within(r.FiringSince, a.Start.UnixMilli(), a.End.UnixMilli(), room) {
				continue
			}
			attacker = true
			if !expected[r.Rule](a) {
				continue
			}
			right = true
			if first[r.Rule] == nil {
				first[r.Rule] = map[int]int64{}
			}
			if _, again := first[r.Rule][i]; !again {
				first[r.Rule][i] = int64(r.FiringSince) + 60_000 - a.Start.UnixMilli() // known at the end of its window
			}
		}
		n.right += count(right)
		n.attacker += count(attacker)
	}
	for rule, is := range expected {
		for i := range attacks {
			if is(&attacks[i]) {
				t.of(rule).attacks++
				if delay, ok := first[rule][i]; ok {
					t.of(rule).found++
					t.of(rule).delays = append(t.of(rule).delays, delay)
				}
			}
		}
	}
}

func count(on bool) int {
	if on {
		return 1
	}
	return 0
}

func (t tallies) print(out io.Writer) {
	fmt.Fprint(out, "| rule | attacks | found | recall | alerts | right | precision | of any attacker | median delay |\n|---|---:|---:|---:|---:|---:|---:|---:|---:|\n")
	var rules []string
	for r, n := range t {
		if n.attacks+n.alerts > 0 {
			rules = append(rules, r)
		}
	}
	slices.Sort(rules)
	for _, r := range rules {
		n := t[r]
		delay := "-"
		if slices.Sort(n.delays); len(n.delays) > 0 {
			delay = fmt.Sprintf("%d s", n.delays[len(n.delays)/2]/1000)
		}
		fmt.Fprintf(out, "| %s | %d | %d | %s | %d | %d | %s | %s | %s |\n", r, n.attacks, n.found, share(n.found, n.attacks), n.alerts, n.right, share(n.right, n.alerts), share(n.attacker, n.alerts), delay)
	}
}

func share(n, of int) string {
	if of == 0 {
		return "-"
	}
	return fmt.Sprintf("%.3f", float64(n)/float64(of))
}

// securitySection compares with the truth of generated logs, of access and of
// authentication.
func securitySection(ctx context.Context, _ string, out io.Writer) error {
	web := tallies{}
	lines := 0
	for seed := range uint64(seeds) {
		if err := ctx.Err(); err != nil {
			return err
		}
		l, truth, err := weblog(seed + 1)
		if err != nil {
			return err
		}
		rows, err := l.watch()
		if err != nil {
			return err
		}
		web.compare(rows, truth.Attacks)
		lines += l.lines
	}
	fmt.Fprintf(out, "Access logs: %d seeds, %d lines of 2 days in all.\n\n", seeds, lines)
	web.print(out)

	auth := tallies{}
	lines = 0
	for seed := range uint64(seeds) {
		made, attacks, err := generate.AuthLog(generate.AuthConfig{Seed: seed + 1, Attacks: 48})
		if err != nil {
			return err
		}
		var l logs
		reference := made[len(made)-1].At.UnixMilli()
		for _, line := range made {
			l.auth([]byte(line.Text), reference)
		}
		rows, err := l.watch()
		if err != nil {
			return err
		}
		auth.compare(rows, attacks)
		lines += l.lines
	}
	for _, rule := range []string{"scanner", "secret-served", "injection", "traversal", "exfiltration", "attack-tool", "form-spam"} {
		delete(auth, rule) // not of this log
	}
	fmt.Fprintf(out, "\nLogs of authentication: %d seeds, %d lines of 2 days in all; every fourth attack guesses once in five minutes.\n\n", seeds, lines)
	auth.print(out)
	return nil
}

// weblog makes a farm's log and counts it.
func weblog(seed uint64) (*logs, *generate.Truth, error) {
	farm, err := generate.Weblog(generate.WeblogConfig{Seed: seed, Lines: farmLines, Days: 2})
	if err != nil {
		return nil, nil, err
	}
	l := &logs{}
	for line := range farm.Lines() {
		l.access(line.Text)
	}
	truth := farm.Truth()
	return l, &truth, nil
}

// burstSection compares the rule of bursts of errors with the incidents.
func burstSection(ctx context.Context, _ string, out io.Writer) error {
	incidents, found, alertsMade, right := 0, 0, 0, 0
	var delays []int64
	for seed := range uint64(seeds) {
		if err := ctx.Err(); err != nil {
			return err
		}
		l, truth, err := weblog(seed + 1)
		if err != nil {
			return err
		}
		rows, err := l.watch()
		if err != nil {
			return err
		}
		incidents += len(truth.Incidents)
		seen := map[int]bool{}
		for _, r := range firings(rows) {
			if r.Rule != "server-error-burst" {
				continue
			}
			alertsMade++
			for i, n := range truth.Incidents {
				if within(r.FiringSince, n.Start.UnixMilli(), n.End.UnixMilli(), 0) {
					right++
					if !seen[i] {
						seen[i] = true
						delays = append(delays, int64(r.FiringSince)+60_000-n.Start.UnixMilli())
					}
				}
			}
		}
		found += len(seen)
	}
	slices.Sort(delays)
	delay := "-"
	if len(delays) > 0 {
		delay = fmt.Sprintf("%d s", delays[len(delays)/2]/1000)
	}
	_, err := fmt.Fprintf(out, "Rule server-error-burst, %d seeds of %d lines in 2 days.\n\n| incidents | found | alerts | right | median delay |\n|---:|---:|---:|---:|---:|\n| %d | %d | %d | %d | %s |\n", seeds, farmLines, incidents, found, alertsMade, right, delay)
	return err
}
