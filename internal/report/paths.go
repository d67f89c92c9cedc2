package report

// maxPaths bounds the memory for distinct paths, and topPaths the lists of them.
const (
	maxPaths = 100_000
	topPaths = 20
)

// PathCount is a path and what was asked of it.
type PathCount struct {
	Path      string  `json:"path"`
	Requests  int64   `json:"requests"`
	PageViews int64   `json:"page_views"`
	NotFound  int64   `json:"not_found"` // 404 and 410
	Errors    int64   `json:"errors"`    // 5xx
	Bytes     int64   `json:"bytes"`
	Trend     []int64 `json:"trend,omitempty"` // requests over time, from hourly top lists
}

// pathWatcher counts by path for the three sections that list paths.
type pathWatcher struct {
	d     *Data
	paths *tally[PathCount]
}

func (w *pathWatcher) event(e *event) {
	w.d.Pages.PageViews += one(e.pageView)
	if e.path == nil {
		return
	}
	v := &w.paths.add(e.path, 1).value
	v.PageViews += one(e.pageView)
	switch {
	case e.status == 404 || e.status == 410:
		v.NotFound++
	case e.status >= 500 && e.status <= 599:
		v.Errors++
	}
	v.Bytes += max(e.bytes, 0)
}

func (w *pathWatcher) done() {
	w.d.Pages.MaxError = w.paths.lost
	w.d.Pages.Requests = w.list(byCount)
	w.d.Pages.Views = w.list(func(e *entry[PathCount]) int64 { return e.value.PageViews })
	w.d.Status.Failing = w.list(func(e *entry[PathCount]) int64 { return e.value.Errors })
	w.d.Status.Missing = w.list(func(e *entry[PathCount]) int64 { return e.value.NotFound })
	w.d.Sizes.Heaviest = w.list(func(e *entry[PathCount]) int64 { return e.value.Bytes })
}

func (w *pathWatcher) list(weight func(*entry[PathCount]) int64) (out []PathCount) {
	for _, e := range w.paths.top(topPaths, weight) {
		v := e.value
		v.Path, v.Requests = e.key, e.count
		out = append(out, v)
	}
	return out
}
