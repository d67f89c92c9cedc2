package report

import "strconv"

// A Tile is one headline figure.
type Tile struct {
	ID    string // also names the section it leads to
	Label string
	Name  string // of the figure
	Value int64
	Shown string
	Note  string
	Bad   bool // deserves attention
}

// attention5xx is the share of 5xx, in percent, from which the tile stands out.
const attention5xx = 1

func tiles(d *Data) []Tile {
	if d.Shop != nil {
		return shopTiles(d)
	}
	if d.Devices != nil {
		return deviceTiles(d)
	}
	if d.Logins != nil {
		return loginTiles(d)
	}
	t := &d.Traffic
	errors := t.Classes[class5xx]
	list := []Tile{
		{ID: "traffic", Label: "Requests", Name: "tile.requests", Value: t.Requests, Shown: num(t.Requests), Note: peakNote(t)},
		visitorTile(&d.Visitors),
		{ID: "sessions", Label: "Sessions", Name: "tile.sessions", Value: d.Sessions.People, Shown: num(d.Sessions.People), Note: "median " + span(d.Sessions.MedianMs)},
		{ID: "sessions", Label: "Bounce", Name: "tile.bounces", Value: d.Sessions.Bounces, Shown: percent(d.Sessions.Bounces, d.Sessions.People), Note: depthNote(&d.Sessions)},
		{ID: "sizes", Label: "Data sent", Name: "tile.bytes", Value: t.Bytes, Shown: byteSize(t.Bytes), Note: "median " + byteSize(d.Sizes.Median)},
		{
			ID: "status", Label: "Server errors", Name: "tile.errors", Value: errors, Shown: percent(errors, t.Requests),
			Note: plural(errors, "request", "requests"), Bad: errors*100 >= t.Requests*attention5xx && errors > 0,
		},
		{ID: "security", Label: "Suspicious", Name: "tile.security", Value: d.Security.Requests, Shown: num(d.Security.Requests), Note: "from " + plural(d.Security.Visitors.N, "visitor", "visitors")},
		badTile(d),
	}
	if d.Sessions.People == 0 {
		list[2].Note, list[3].Note = "none by people", ""
	}
	return list
}

func peakNote(t *Traffic) string {
	if len(t.Points) == 0 {
		return "none"
	}
	return "peak " + num(t.Points[t.Peak].Views.Sum()) + " in " + onePoint(t)
}

// onePoint names a point of the axis as in "peak 12 in 5 minutes".
func onePoint(t *Traffic) string {
	switch t.StepSeconds {
	case 60:
		return "a minute"
	case 3600:
		return "an hour"
	case 86400:
		return "a day"
	}
	return t.Step()
}

func visitorTile(v *Visitors) Tile {
	t := Tile{ID: "visitors", Label: "Visitors a day", Name: "tile.visitors", Value: v.Mean(), Note: "without bots"}
	t.Shown = num(t.Value)
	if len(v.Days) == 1 {
		t.Label = "Visitors"
	}
	if !v.Exact {
		t.Shown = "≈" + thinSpace + t.Shown
	}
	return t
}

func depthNote(s *Sessions) string {
	if s.People == 0 {
		return ""
	}
	return strconv.FormatFloat(float64(s.PageViews)/float64(s.People), 'f', 1, 64) + " pages a session"
}

func badTile(d *Data) Tile {
	t := Tile{ID: "badrows", Label: "Bad rows", Name: "tile.bad_rows", Value: d.BadRows.Total, Shown: num(d.BadRows.Total), Note: "every line read"}
	if d.Events == 0 {
		t.Note = "none"
	}
	if d.BadRows.Total > 0 {
		lines := d.BadRows.Total + d.Events
		if d.Ledger != nil {
			lines = d.Ledger.In
		}
		t.Note = percent(d.BadRows.Total, lines) + " of lines"
	}
	return t
}
