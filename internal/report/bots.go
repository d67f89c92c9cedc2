package report

import (
	"context"

	"millrace/internal/columns"
)

var botsSection = section{
	ID: "bots", Title: "Bots", Half: true,
	collect: collectBots,
	data: func(d *Data) any {
		return struct {
			Bots
			Requests int64
		}{d.Bots, d.Traffic.Requests}
	},
}

// Bots lists known bots by requests.
type Bots struct {
	Hits  int64      `json:"hits"`
	Names int64      `json:"names"` // distinct bots
	Rows  []BotCount `json:"rows"`  // the busiest
}

// BotCount is one bot.
type BotCount struct {
	Name     string `json:"name"`
	Hits     int64  `json:"hits"`
	Visitors int64  `json:"visitors"` // summed over days
	Days     int64  `json:"days"`     // days with requests
}

const (
	topBots = 15
	maxBots = 10_000
)

func collectBots(ctx context.Context, src Source, d *Data) error {
	t := newTally[BotCount](maxBots)
	err := scan(ctx, src, "bots", []string{"bot_name", "hits", "visitors"}, func(b columns.Batch) error {
		for i := range b.Rows() {
			hits := columns.Number(b[1][i])
			e := t.add(columns.Text(b[0][i]), hits)
			e.value.Visitors += columns.Number(b[2][i])
			e.value.Days++
			d.Bots.Hits += hits
		}
		return nil
	})
	d.Bots.Names = int64(len(t.entries))
	for _, e := range t.top(topBots, byCount) {
		d.Bots.Rows = append(d.Bots.Rows, BotCount{e.key, e.count, e.value.Visitors, e.value.Days})
	}
	return err
}
