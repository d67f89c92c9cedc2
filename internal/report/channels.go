package report

import (
	"context"
	"strconv"
	"strings"

	"millrace/internal/columns"
)

var channelsSection = section{
	ID: "channels", Title: "Where sessions come from", Nav: "Channels",
	collect: collectChannels,
	shown:   func(d *Data) bool { return len(d.Channels.Rows) > 0 },
	data:    func(d *Data) any { return d.Channels },
}

// Channels says where people's sessions come from. It is empty for a lake whose
// runs did not attribute them.
type Channels struct {
	Sessions int64         `json:"sessions"`  // that say so
	Unknown  int64         `json:"unknown"`   // that do not
	Rows     []OriginCount `json:"rows"`      // by channel
	Sources  []OriginCount `json:"sources"`   // by source and medium
	MaxError int64         `json:"max_error"` // how much too low a count can be; 0 is exact
}

// OriginCount counts sessions of one origin.
type OriginCount struct {
	Name      string `json:"name"`
	Medium    string `json:"medium,omitempty"`
	Sessions  int64  `json:"sessions"`
	Bounces   int64  `json:"bounces"`
	PageViews int64  `json:"page_views"`
}

// Depth is the mean number of page views of a session.
func (c OriginCount) Depth() string {
	return strconv.FormatFloat(float64(c.PageViews)/float64(c.Sessions), 'f', 1, 64)
}

// OriginTable is what the template shows of a list.
type OriginTable struct {
	Name, Head string
	Rows       []OriginCount
	All        int64
}

// ByChannel is the table of channels.
func (c Channels) ByChannel() OriginTable {
	return OriginTable{"channels.row", "Channel", c.Rows, c.Sessions}
}

// BySource is the table of sources.
func (c Channels) BySource() OriginTable {
	return OriginTable{"channels.source", "Source and medium", c.Sources, c.Sessions}
}

const (
	topOrigins  = 15
	maxChannels = 1_000
	maxOrigins  = 20_000
)

func collectChannels(ctx context.Context, src Source, d *Data) error {
	c := &d.Channels
	channels, sources := newTally[OriginCount](maxChannels), newTally[OriginCount](maxOrigins)
	var key []byte
	names := []string{"bot", "bounce", "page_views", "channel", "source", "medium"}
	err := scanKnown(ctx, src, "sessions", names, func(b columns.Batch) error {
		for i := range b.Rows() {
			if b[0][i].Boolean() {
				continue
			}
			channel := columns.Text(b[3][i])
			if channel == nil {
				c.Unknown++
				continue
			}
			c.Sessions++
			medium := columns.Text(b[5][i])
			key = append(append(append(key[:0], columns.Text(b[4][i])...), 0), medium...)
			source := sources.add(key, 1)
			source.value.Medium = string(medium)
			for _, e := range []*entry[OriginCount]{channels.add(channel, 1), source} {
				e.value.Bounces += one(b[1][i].Boolean())
				e.value.PageViews += columns.Number(b[2][i])
			}
		}
		return nil
	})
	c.MaxError = max(channels.lost, sources.lost)
	c.Rows, c.Sources = origins(channels), origins(sources)
	return err
}

func origins(t *tally[OriginCount]) (out []OriginCount) {
	for _, e := range t.top(topOrigins, byCount) {
		name, _, _ := strings.Cut(e.key, "\x00")
		out = append(out, OriginCount{name, e.value.Medium, e.count, e.value.Bounces, e.value.PageViews})
	}
	return out
}
