package rollup_test

import (
	"fmt"
	"sort"

	"millrace/transforms/rollup"
	"millrace/transforms/sketch"
)

// brute counts again for every row it looks at.
type brute []request

func (all brute) between(from, to int64) (out brute) {
	for _, q := range all {
		if q.t >= from && q.t < to {
			out = append(out, q)
		}
	}
	return out
}

func (all brute) traffic(width int64) []rollup.TrafficRow {
	var rows []rollup.TrafficRow
	names := []string{"1xx", "2xx", "3xx", "4xx", "5xx", "other"}
	for w := int64(base); w < base+4*86_400_000; w += width * 1000 {
		within := all.between(w, w+width*1000)
		for class, name := range names {
			row := rollup.TrafficRow{Start: w, Seconds: int32(width), Class: rollup.Class(class)}
			for _, q := range within {
				is := fmt.Sprint(q.status/100) + "xx"
				if q.status < 100 || q.status >= 600 {
					is = "other"
				}
				if is != name {
					continue
				}
				row.Views++
				row.Bytes += max(q.bytes, 0)
				row.Largest = max(row.Largest, q.bytes)
			}
			if row.Version = row.Views + int64(revision(w/86_400_000))<<32; row.Views > 0 {
				rows = append(rows, row)
			}
		}
	}
	return rows
}

func (all brute) pages(width int64, n int) []rollup.TopPageRow {
	var rows []rollup.TopPageRow
	for w := int64(base); w < base+4*86_400_000; w += width * 1000 {
		views := map[string]int64{}
		total := int64(0)
		for _, q := range all.between(w, w+width*1000) {
			views[q.path]++
			total++
		}
		var list []rollup.TopPageRow
		for path, v := range views {
			list = append(list, rollup.TopPageRow{
				Start: w, Seconds: int32(width), Path: path, Views: v, Exact: true,
				Version: total + int64(revision(w/86_400_000))<<32,
			})
		}
		sort.Slice(list, func(i, j int) bool {
			return list[i].Views > list[j].Views || list[i].Views == list[j].Views && list[i].Path < list[j].Path
		})
		for i := range list[:min(n, len(list))] {
			list[i].Rank = int32(i + 1)
			rows = append(rows, list[i])
		}
	}
	return rows
}

func distinct(hashes map[uint64]bool) *sketch.Distinct {
	d := sketch.NewDistinct(limit)
	for h := range hashes {
		d.Add(h)
	}
	return d
}

func (all brute) visitors() []rollup.VisitorRow {
	var rows []rollup.VisitorRow
	for d := int64(base / 86_400_000); d < base/86_400_000+4; d++ {
		every, people := map[uint64]bool{}, map[uint64]bool{}
		n := int64(0)
		for _, q := range all {
			if q.t/86_400_000 == d {
				n++
				every[q.visitor] = true
				if q.bot == "" {
					people[q.visitor] = true
				}
			}
		}
		if n == 0 {
			continue
		}
		row := rollup.VisitorRow{
			Day: d, Visitors: int64(len(every)), WithoutBots: int64(len(people)), Exact: true,
			Version: n + int64(revision(d))<<32,
		}
		if len(every) > limit {
			row.Exact = false
			row.Visitors, row.WithoutBots = distinct(every).Estimate(), distinct(people).Estimate()
		}
		rows = append(rows, row)
	}
	return rows
}

func (all brute) bots() []rollup.BotRow {
	var rows []rollup.BotRow
	for d := int64(base / 86_400_000); d < base/86_400_000+4; d++ {
		for _, name := range []string{"bot 0", "bot 1", "bot 2", "bot 3"} {
			who := map[uint64]bool{}
			n := int64(0)
			for _, q := range all {
				if q.t/86_400_000 == d && q.bot == name {
					n++
					who[q.visitor] = true
				}
			}
			if n > 0 {
				rows = append(rows, rollup.BotRow{
					Day: d, Name: name, Hits: n, Visitors: distinct(who).Count(), Version: n + int64(revision(d))<<32,
				})
			}
		}
	}
	return rows
}
