package report

import (
	"cmp"
	"context"
	"maps"
	"slices"

	"millrace/internal/columns"
)

var pagesSection = section{
	ID: "pages", Title: "Top pages", Nav: "Pages",
	collect: collectPages,
	watch: func(d *Data) watcher {
		return &pathWatcher{d: d, paths: newTally[PathCount](maxPaths)}
	},
	data: func(d *Data) any {
		return pagesView{
			Pages:      d.Pages,
			Short:      d.Traffic.Short(),
			ByRequests: newPageList("pages.requests", "Requests", d.Pages.Requests, d.Events, false),
			ByViews:    newPageList("pages.views", "Page views", d.Pages.Views, d.Pages.PageViews, true),
		}
	},
}

type pagesView struct {
	Pages
	Short               bool
	ByRequests, ByViews pageList
}

type pageList struct {
	Name, Head  string
	Pages       []PathCount
	Most, Total int64
	Views       bool // counts page views
}

func newPageList(name, head string, pages []PathCount, total int64, views bool) pageList {
	l := pageList{Name: name, Head: head, Pages: pages, Total: total, Views: views}
	for _, p := range pages {
		n := p.Requests
		if views {
			n = p.PageViews
		}
		l.Most = max(l.Most, n)
	}
	return l
}

// Pages lists the most requested paths.
type Pages struct {
	Requests  []PathCount  `json:"requests"`   // by requests of any kind and status
	Views     []PathCount  `json:"views"`      // by page views
	PageViews int64        `json:"page_views"` // all of them
	MaxError  int64        `json:"max_error"`  // how much too low a count can be; 0 is exact
	Periods   []PagePeriod `json:"periods"`    // hours of a short lake, else days; the latest maxPeriods
}

// PagePeriod is an hour or a day and its leading paths.
type PagePeriod struct {
	Start int64       `json:"start"`
	Pages []PathCount `json:"pages"` // Path and Requests only
}

const (
	trendPoints   = 48
	maxPeriods    = 31
	pagesAPeriod  = 3
	pathsOfPeriod = 5_000
)

// collectPages adds what the hourly top lists tell about time: the trend of each
// listed path and the leaders of each period.
func collectPages(ctx context.Context, src Source, d *Data) error {
	p, hour := &d.Pages, int64(3600_000)
	span := max(d.Traffic.End-d.Traffic.First, hour)
	width := (span/hour/trendPoints + 1) * hour
	first := floorDiv(d.Traffic.First, hour) * hour
	points := int(min((d.Traffic.End-first+width-1)/width, trendPoints+1))
	trends := map[string][]int64{}
	for _, list := range [][]PathCount{p.Requests, p.Views} {
		for i := range list {
			if trends[list[i].Path] == nil {
				trends[list[i].Path] = make([]int64, points)
			}
			list[i].Trend = trends[list[i].Path]
		}
	}
	period := int64(dayMs)
	if d.Traffic.Short() {
		period = hour
	}
	periods := map[int64]*tally[struct{}]{}
	err := scan(ctx, src, "top_pages", []string{"window_start", "path", "views"}, func(b columns.Batch) error {
		for i := range b.Rows() {
			start, path, views := b[0][i].Int64(), columns.Text(b[1][i]), b[2][i].Int64()
			if t, at := trends[string(path)], floorDiv(start-first, width); t != nil && at >= 0 && at < int64(len(t)) {
				t[at] += views
			}
			at := floorDiv(start, period)
			if periods[at] == nil {
				periods[at] = newTally[struct{}](pathsOfPeriod)
			}
			periods[at].add(path, views)
			if len(periods) > 2*maxPeriods {
				for _, old := range slices.Sorted(maps.Keys(periods))[:maxPeriods] {
					delete(periods, old)
				}
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	for at, t := range periods {
		pp := PagePeriod{Start: at * period}
		for _, e := range t.top(pagesAPeriod, byCount) {
			pp.Pages = append(pp.Pages, PathCount{Path: e.key, Requests: e.count})
		}
		p.Periods = append(p.Periods, pp)
	}
	slices.SortFunc(p.Periods, func(a, b PagePeriod) int { return cmp.Compare(b.Start, a.Start) })
	p.Periods = p.Periods[:min(len(p.Periods), maxPeriods)]
	return nil
}
