package report

import (
	"context"

	"millrace/internal/columns"
)

var clientsSection = section{
	ID: "clients", Title: "Countries, networks, devices", Nav: "Clients",
	collect: collectClients,
	shown:   func(d *Data) bool { return len(d.Clients.Tables) > 0 },
	data:    func(d *Data) any { return d.Clients },
}

// Clients says what reference data tells of clients. It is empty for a lake whose
// runs had none.
type Clients struct {
	Tables   []ClientTable `json:"tables"`
	MaxError int64         `json:"max_error"` // how much too low a count can be; 0 is exact
}

// ClientTable is one property of clients.
type ClientTable struct {
	Dimension string        `json:"dimension"`
	Hits      int64         `json:"hits"` // of all values that are listed or not
	Rows      []ClientCount `json:"rows"` // the busiest
}

// ClientCount is one value. Bots count for networks and reasons, people elsewhere.
type ClientCount struct {
	Name     string `json:"name"`
	Hits     int64  `json:"hits"`
	Visitors int64  `json:"visitors"` // summed over days
}

// clientHeads are the dimensions in the order of the page, with their titles.
var clientHeads = []struct {
	dimension, title string
}{
	{"country", "Country"},
	{"network", "Network"},
	{"device", "Device"},
	{"browser", "Browser"},
	{"os", "System"},
	{"bot_reason", "Why it is a bot"},
}

// Title heads the table.
func (t ClientTable) Title() string {
	for _, h := range clientHeads {
		if h.dimension == t.Dimension {
			return h.title
		}
	}
	return t.Dimension
}

// Figure names the counts of the table.
func (t ClientTable) Figure() string { return "clients." + t.Dimension }

// WithBots tells whether bots count.
func (t ClientTable) WithBots() bool { return t.Dimension == "network" || t.Dimension == "bot_reason" }

const (
	topClients = 8
	maxClients = 20_000
)

func collectClients(ctx context.Context, src Source, d *Data) error {
	tallies := map[string]*tally[ClientCount]{}
	hits := map[string]int64{}
	for _, h := range clientHeads {
		tallies[h.dimension] = newTally[ClientCount](maxClients)
	}
	names := []string{"dimension", "value", "hits", "hits_without_bots", "visitors", "visitors_without_bots"}
	err := scan(ctx, src, "clients", names, func(b columns.Batch) error {
		for i := range b.Rows() {
			dimension := string(columns.Text(b[0][i]))
			t := tallies[dimension]
			if t == nil {
				continue // of a later version
			}
			n, visitors := columns.Number(b[3][i]), columns.Number(b[5][i])
			if (ClientTable{Dimension: dimension}).WithBots() {
				n, visitors = columns.Number(b[2][i]), columns.Number(b[4][i])
			}
			if n == 0 {
				continue
			}
			hits[dimension] += n
			t.add(columns.Text(b[1][i]), n).value.Visitors += visitors
		}
		return nil
	})
	for _, h := range clientHeads {
		t := tallies[h.dimension]
		d.Clients.MaxError = max(d.Clients.MaxError, t.lost)
		if len(t.entries) == 0 {
			continue
		}
		table := ClientTable{Dimension: h.dimension, Hits: hits[h.dimension]}
		for _, e := range t.top(topClients, byCount) {
			table.Rows = append(table.Rows, ClientCount{e.key, e.count, e.value.Visitors})
		}
		d.Clients.Tables = append(d.Clients.Tables, table)
	}
	return err
}
