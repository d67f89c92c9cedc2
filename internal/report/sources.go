package report

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"millrace/internal/columns"
)

var sourcesSection = section{
	ID: "sources", Title: "Sources of attacks", Nav: "Attackers",
	collect: collectSources,
	shown:   func(d *Data) bool { return d.Sources.Sources > 0 },
	data:    func(d *Data) any { return d.Sources },
}

// Sources are clients that did what attackers do. It is empty for a lake without
// such counts.
type Sources struct {
	Sources  int64          `json:"sources"`   // clients that did something of the kind
	Others   int64          `json:"others"`    // rows of clients that were too many for rows of their own
	MaxError int64          `json:"max_error"` // how much too low a count can be; 0 is exact
	Rows     []AttackSource `json:"rows"`      // those that did most
}

// AttackSource is one client.
type AttackSource struct {
	Token   string       `json:"token"`
	Network string       `json:"network"`
	First   int64        `json:"first"`
	Last    int64        `json:"last"`
	Signs   int64        `json:"signs"` // sum of Acts that only attackers do
	Acts    [maxActs]Act `json:"acts"`
	Alerts  int64        `json:"alerts"` // of this client, among those that are listed
}

// Act is what a client did, in words, and how often.
type Act struct {
	Name  string `json:"name"`
	Count int64  `json:"count"`
	Bytes bool   `json:"bytes,omitempty"`
}

// acts are columns of the output: first those that are signs of an attack by
// themselves.
var acts = [maxActs]struct {
	column, name string
	sign, bytes  bool
}{
	{"scanner", "scanner's paths", true, false}, {"injection", "injections", true, false}, {"traversal", "traversals", true, false},
	{"leaks", "secrets served", true, false}, {"bad_agent", "by an attack tool", true, false}, {"auth_failed", "failed logins", true, false},
	{"logins", "logins", false, false}, {"form_posts", "posts to forms", false, false}, {"large_bytes", "in large answers", false, true},
}

const (
	maxActs    = 9
	topSources = 20
	maxSources = 50_000
)

// Done lists what a client did.
func (s AttackSource) Done() (done []Act) {
	for _, a := range s.Acts {
		if a.Count > 0 {
			done = append(done, a)
		}
	}
	return done
}

// Short is the token as it can be told from others by eye.
func (s AttackSource) Short() string { return shortToken(s.Token) }

// shortKey shortens the tokens in the key of an alert.
func shortKey(key string) string {
	parts := strings.Split(key, ",")
	for i, p := range parts {
		if name, value, ok := strings.Cut(p, "="); ok {
			parts[i] = name + "=" + shortToken(value)
		}
	}
	return strings.Join(parts, ", ")
}

// shortToken keeps the first letters of a token, of which eight tell it from others.
func shortToken(token string) string {
	const shown = 8
	if !strings.HasPrefix(token, "tok_") {
		return token
	}
	i := strings.LastIndexByte(token, '_')
	if len(token)-i-1 <= shown {
		return token
	}
	return token[i+1:i+1+shown] + "…"
}

func collectSources(ctx context.Context, src Source, d *Data) error {
	s := &d.Sources
	all := newTally[AttackSource](maxSources)
	names := []string{"source", "client_ip", "window_start", "sources"}
	for _, a := range acts {
		names = append(names, a.column)
	}
	err := scan(ctx, src, "sources", names, func(b columns.Batch) error {
		for i := range b.Rows() {
			signs := int64(0)
			for k, a := range acts {
				if a.sign {
					signs += columns.Number(b[4+k][i])
				}
			}
			if columns.Number(b[3][i]) > 1 {
				s.Others++
			}
			e := all.add(columns.Text(b[0][i]), signs)
			one, at := &e.value, columns.Number(b[2][i])
			if one.Token == "" {
				one.Token, one.First = e.key, at
			}
			one.Network = max(one.Network, string(columns.Text(b[1][i])))
			one.First, one.Last = min(one.First, at), max(one.Last, at)
			for k, a := range acts {
				one.Acts[k].Name, one.Acts[k].Bytes = a.name, a.bytes
				one.Acts[k].Count += columns.Number(b[4+k][i])
			}
		}
		return nil
	})
	s.MaxError = all.lost
	for _, e := range all.entries {
		s.Sources += one(e.count > 0)
	}
	alerts := map[string]int64{}
	for _, a := range d.Alerts.Rows {
		if token, ok := strings.CutPrefix(a.Key, "source="); ok {
			alerts[token]++
		}
	}
	for _, e := range all.top(topSources, byCount) {
		e.value.Signs, e.value.Alerts = e.count, alerts[e.key]
		s.Rows = append(s.Rows, e.value)
	}
	slices.SortStableFunc(s.Rows, func(a, b AttackSource) int { return cmp.Compare(b.Signs, a.Signs) })
	return err
}
