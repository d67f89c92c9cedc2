package report

import (
	"context"

	"github.com/cespare/xxhash/v2"

	"millrace/internal/columns"
)

var loginsSection = section{
	ID: "logins", Title: "Logins",
	collect: collectLogins,
	shown:   func(d *Data) bool { return d.Logins != nil },
	data:    func(d *Data) any { return d.Logins },
}

// loginSections are the sections that mean something for logs of authentication.
var loginSections = []string{"logins", "alerts", "sources", "badrows", "ledger"}

// Logins is what logs of authentication say.
type Logins struct {
	First   int64         `json:"first"` // time of the first line, Unix ms
	Last    int64         `json:"last"`
	Lines   int64         `json:"lines"`
	Hosts   VisitorCount  `json:"hosts"`
	Clients VisitorCount  `json:"clients"`
	Actions []LoginAction `json:"actions"` // most frequent first
}

// LoginAction is what lines say of authentications, one kind of it.
type LoginAction struct {
	Action  string       `json:"action"`
	Outcome string       `json:"outcome"`
	Lines   int64        `json:"lines"`
	Times   int64        `json:"times"` // with those that are folded into one line
	Clients VisitorCount `json:"clients"`
	Users   VisitorCount `json:"users"` // names that were asked for
}

// times is how often what has an outcome happened.
func (l *Logins) times(outcome string) (n int64) {
	for i := range l.Actions {
		if l.Actions[i].Outcome == outcome {
			n += l.Actions[i].Times
		}
	}
	return n
}

const maxActions = 100

// loginCount is one kind of line while it is counted.
type loginCount struct {
	outcome        string
	times          int64
	clients, users visitorSet
}

var loginColumns = []string{"event_time", "action", "outcome", "times", "client_id", "user", "host"}

func collectLogins(ctx context.Context, src Source, d *Data) error {
	actions, l := newTally[loginCount](maxActions), &Logins{}
	var hosts, clients visitorSet
	err := scanKnown(ctx, src, "events", loginColumns, func(b columns.Batch) error {
		for i := range b.Rows() {
			at := columns.Number(b[0][i])
			if l.Lines == 0 || at < l.First {
				l.First = at
			}
			l.Last = max(l.Last, at)
			l.Lines++
			a := actions.add(columns.Text(b[1][i]), 1)
			a.value.outcome = string(columns.Text(b[2][i]))
			a.value.times += columns.Number(b[3][i])
			if client := columns.Text(b[4][i]); len(client) > 0 {
				a.value.clients.add(xxhash.Sum64(client))
				clients.add(xxhash.Sum64(client))
			}
			if user := columns.Text(b[5][i]); len(user) > 0 {
				a.value.users.add(xxhash.Sum64(user))
			}
			hosts.add(xxhash.Sum64(columns.Text(b[6][i])))
		}
		return nil
	})
	if err != nil || l.Lines == 0 {
		return err
	}
	l.Hosts, l.Clients = hosts.count(), clients.count()
	for _, a := range actions.top(maxActions, byCount) {
		v := &a.value
		l.Actions = append(l.Actions, LoginAction{a.key, v.outcome, a.count, v.times, v.clients.count(), v.users.count()})
	}
	d.Logins, d.Events = l, l.Lines
	return nil
}

// loginTiles are the headline figures of logs of authentication.
func loginTiles(d *Data) []Tile {
	l := d.Logins
	good, bad := l.times("success"), l.times("failure")
	return []Tile{
		{ID: "logins", Label: "Lines", Name: "tile.lines", Value: l.Lines, Shown: num(l.Lines), Note: "of " + plural(l.Hosts.N, "host", "hosts")},
		{ID: "logins", Label: "Logins", Name: "tile.logins", Value: good, Shown: num(good)},
		{ID: "logins", Label: "Failures", Name: "tile.failures", Value: bad, Shown: num(bad)},
		{ID: "logins", Label: "Clients", Name: "tile.clients", Value: l.Clients.N, Shown: num(l.Clients.N)},
		{ID: "sources", Label: "Who failed", Name: "tile.sources", Value: d.Sources.Sources, Shown: num(d.Sources.Sources), Note: "or logged in"},
		{ID: "alerts", Label: "Alerts", Name: "tile.alerts", Value: d.Alerts.Total, Shown: num(d.Alerts.Total), Note: plural(d.Alerts.Open, "still holds", "still hold"), Bad: d.Alerts.Total > 0},
		badTile(d),
	}
}
