package report

import (
	"context"
	"maps"
	"slices"

	"millrace/internal/columns"
)

var sessionsSection = section{
	ID: "sessions", Title: "Sessions",
	collect: collectSessions,
	data:    func(d *Data) any { return d.Sessions },
	chart: func(d *Data) any {
		s := d.Sessions
		return map[string]any{"lengths": s.Lengths, "depths": s.Depths, "days": s.Days}
	},
}

// Sessions describes visits. People are visitors whose user agent is no known bot.
type Sessions struct {
	Total      int64 `json:"total"`
	People     int64 `json:"people"`
	Bounces    int64 `json:"bounces"`    // of people
	Engaged    int64 `json:"engaged"`    // of people
	PageViews  int64 `json:"page_views"` // of people
	BouncesAll int64 `json:"bounces_all"`
	Truncated  int64 `json:"truncated"`

	MeanMs   int64 `json:"mean_ms"`   // length, of people
	MedianMs int64 `json:"median_ms"` // length, of people, within 1%
	P95Ms    int64 `json:"p95_ms"`

	Lengths []Bucket     `json:"lengths"` // by duration
	Depths  []Bucket     `json:"depths"`  // by page views
	Days    []SessionDay `json:"days"`    // by start
	Entries []PageStat   `json:"entries"` // of people
	Exits   []PageStat   `json:"exits"`   // of people
}

// A Bucket counts values from From (included) to To (excluded, 0 = no end).
type Bucket struct {
	Label  string `json:"label"`
	From   int64  `json:"from"`
	To     int64  `json:"to"`
	People int64  `json:"people"`
	Bots   int64  `json:"bots"`
}

// SessionDay counts the sessions that start on a day.
type SessionDay struct {
	Day     string `json:"day"`
	People  int64  `json:"people"`
	Bots    int64  `json:"bots"`
	Bounces int64  `json:"bounces"` // of people
}

// PageStat counts sessions that begin or end on a page.
type PageStat struct {
	Path     string `json:"path"`
	Sessions int64  `json:"sessions"`
	Bounces  int64  `json:"bounces"`
}

const topEntries = 10

func lengthBuckets() []Bucket {
	const s, m = 1000, 60_000
	return []Bucket{
		{Label: "one moment", To: 1},
		{Label: "< 10 s", From: 1, To: 10 * s},
		{Label: "10–30 s", From: 10 * s, To: 30 * s},
		{Label: "30–60 s", From: 30 * s, To: m},
		{Label: "1–3 min", From: m, To: 3 * m},
		{Label: "3–10 min", From: 3 * m, To: 10 * m},
		{Label: "10–30 min", From: 10 * m, To: 30 * m},
		{Label: "30–60 min", From: 30 * m, To: 60 * m},
		{Label: "1–3 h", From: 60 * m, To: 180 * m},
		{Label: "≥ 3 h", From: 180 * m},
	}
}

func depthBuckets() []Bucket {
	return []Bucket{
		{Label: "0", To: 1},
		{Label: "1", From: 1, To: 2},
		{Label: "2", From: 2, To: 3},
		{Label: "3–5", From: 3, To: 6},
		{Label: "6–10", From: 6, To: 11},
		{Label: "11–20", From: 11, To: 21},
		{Label: "21–50", From: 21, To: 51},
		{Label: "> 50", From: 51},
	}
}

func count(buckets []Bucket, v int64, bot bool) {
	for i := range buckets {
		if b := &buckets[i]; b.To == 0 || v < b.To {
			if bot {
				b.Bots++
			} else {
				b.People++
			}
			return
		}
	}
}

func collectSessions(ctx context.Context, src Source, d *Data) error {
	s := &d.Sessions
	s.Lengths, s.Depths = lengthBuckets(), depthBuckets()
	days := map[int64]*SessionDay{}
	entries, exits := newTally[PageStat](maxPaths/4), newTally[PageStat](maxPaths/4)
	var lengths spread
	var sum int64
	names := []string{"start_time", "duration_ms", "page_views", "bounce", "engaged", "bot", "truncated", "entry_page", "exit_page"}
	err := scan(ctx, src, "sessions", names, func(b columns.Batch) error {
		for i := range b.Rows() {
			length, views := columns.Number(b[1][i]), columns.Number(b[2][i])
			bounce, bot := b[3][i].Boolean(), b[5][i].Boolean()
			day := floorDiv(columns.Number(b[0][i]), dayMs)
			if days[day] == nil {
				days[day] = &SessionDay{Day: dayName(day * dayMs)}
			}
			s.Total++
			s.BouncesAll += one(bounce)
			s.Truncated += one(b[6][i].Boolean())
			count(s.Lengths, length, bot)
			count(s.Depths, views, bot)
			if bot {
				days[day].Bots++
				continue
			}
			days[day].People++
			days[day].Bounces += one(bounce)
			s.People++
			s.Bounces += one(bounce)
			s.Engaged += one(b[4][i].Boolean())
			s.PageViews += views
			sum += length
			lengths.add(length)
			if page := columns.Text(b[7][i]); page != nil {
				entries.add(page, 1).value.Bounces += one(bounce)
			}
			if page := columns.Text(b[8][i]); page != nil {
				exits.add(page, 1).value.Bounces += one(bounce)
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	if s.People > 0 {
		s.MeanMs, s.MedianMs, s.P95Ms = sum/s.People, lengths.quantile(0.5), lengths.quantile(0.95)
	}
	for _, day := range slices.Sorted(maps.Keys(days)) {
		s.Days = append(s.Days, *days[day])
	}
	s.Entries, s.Exits = pageStats(entries), pageStats(exits)
	return nil
}

func pageStats(t *tally[PageStat]) (out []PageStat) {
	for _, e := range t.top(topEntries, byCount) {
		out = append(out, PageStat{e.key, e.count, e.value.Bounces})
	}
	return out
}

func one(b bool) int64 {
	if b {
		return 1
	}
	return 0
}
