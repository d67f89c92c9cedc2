package weblogs

import (
	"time"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"

	"millrace/schemas/weblog"
	"millrace/transforms"
	"millrace/transforms/alerts"
)

// seriesPages is how many pages of an hour are looked at for those whose series are
// scored: one that is not among them counts as not requested.
const seriesPages = 1000

// anomalyBoards are the series that are scored.
func (s Settings) anomalyBoards() []transforms.AnomalyBoard {
	minutes := []alerts.Match{{Column: "window_seconds", Value: "60"}}
	return []transforms.AnomalyBoard{
		{Name: "traffic", Input: "traffic", Every: time.Minute, Series: []transforms.AnomalySeries{
			{Name: "views", Field: "views", Where: minutes, Count: true},
			{Name: "bytes", Field: "bytes", Where: minutes, Count: true},
			{Name: "status_views", Field: "views", Where: minutes, By: []string{"status_class"}, Count: true},
			{Name: "error_ratio", Field: "views", Where: minutes, Share: []alerts.Match{{Column: "status_class", Value: "5xx"}}},
		}},
		{Name: "visitors", Input: "visitor_minutes", Every: time.Minute, Series: []transforms.AnomalySeries{
			{Name: "visitors", Field: "visitors", Count: true},
		}},
		{Name: "pages", Input: "pages", Every: time.Hour, Series: []transforms.AnomalySeries{
			{Name: "page_views", Field: "views", By: []string{"path"}, Count: true, Most: s.AnomalyPages, Opens: "rank", OpensUpTo: int64(s.TopPages)},
		}},
	}
}

// anomalyInputs are what the series are read from.
func anomalyInputs(traffic, series beam.PCollection) map[string]transforms.AlertInput {
	return map[string]transforms.AlertInput{
		"traffic":         {Rows: traffic, Schema: weblog.TrafficRows, Window: time.Minute},
		"visitor_minutes": {Rows: series, Schema: weblog.VisitorMinutes, Window: time.Minute},
		"pages":           {Rows: series, Schema: weblog.TopPages, Window: time.Hour},
	}
}
