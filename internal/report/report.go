package report

import (
	"context"
	"fmt"
	"time"
)

// Data is everything a report shows. Times are Unix milliseconds UTC, days are
// written YYYY-MM-DD and cut at midnight UTC, sizes are bytes.
type Data struct {
	Run    *Run    `json:"run"`    // set by the caller; nil when no manifest is at hand
	Ledger *Ledger `json:"ledger"` // set by the caller; nil when no manifest is at hand

	Events    int64     `json:"events"` // rows of that output
	Traffic   Traffic   `json:"traffic"`
	Anomalies Anomalies `json:"anomalies,omitzero"`
	Alerts    Alerts    `json:"alerts,omitzero"`
	Status    Status    `json:"status"`
	Pages     Pages     `json:"pages"`
	Visitors  Visitors  `json:"visitors"`
	Sessions  Sessions  `json:"sessions"`
	Funnels   []Funnel  `json:"funnels,omitempty"`
	Channels  Channels  `json:"channels"`
	Clients   Clients   `json:"clients"`
	Bots      Bots      `json:"bots"`
	Referrers Referrers `json:"referrers"`
	Sizes     Sizes     `json:"sizes"`
	Security  Security  `json:"security"`
	Sources   Sources   `json:"sources,omitzero"`
	BadRows   BadRows   `json:"bad_rows"`
	Late      Late      `json:"late"`
	Shop      *Shop     `json:"shop,omitempty"`    // of a lake of events of a shop
	Devices   *Devices  `json:"devices,omitempty"` // of a lake of readings of devices
	Logins    *Logins   `json:"logins,omitempty"`  // of a lake of logs of authentication
}

// Run says which run made the lake.
type Run struct {
	Job            string    `json:"job"`
	ID             string    `json:"id"`
	Version        string    `json:"version"` // of the program
	Sources        []string  `json:"sources"`
	Started        time.Time `json:"started"`
	Seconds        float64   `json:"seconds"`
	LinesPerSecond float64   `json:"lines_per_second"`
}

// A Ledger accounts for every line of a run.
type Ledger struct {
	In        int64 `json:"in"`
	Events    int64 `json:"events"`
	Bad       int64 `json:"bad"`
	Late      int64 `json:"late"` // part of Events
	Duplicate int64 `json:"duplicate"`
	Skipped   int64 `json:"skipped"`
	Balanced  bool  `json:"balanced"`
}

// Collect reads what a report shows from the outputs of a lake. It holds
// neither a whole output nor a whole file; its memory is bounded whatever the
// size of the lake. An output that is absent leaves its section empty.
func Collect(ctx context.Context, src Source) (Data, error) {
	var d Data
	if err := collectTraffic(ctx, src, &d); err != nil {
		return Data{}, fmt.Errorf("collect section traffic: %w", err)
	}
	if err := collectAnomalies(ctx, src, &d); err != nil {
		return Data{}, fmt.Errorf("collect from anomalies: %w", err)
	}
	if err := collectEvents(ctx, src, &d); err != nil {
		return Data{}, fmt.Errorf("collect from events: %w", err)
	}
	for _, s := range sections {
		if s.collect == nil {
			continue
		}
		if err := s.collect(ctx, src, &d); err != nil {
			return Data{}, fmt.Errorf("collect section %s: %w", s.ID, err)
		}
	}
	return d, nil
}
