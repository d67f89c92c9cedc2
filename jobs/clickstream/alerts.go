package clickstream

import (
	_ "embed"
	"time"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"

	"millrace/schemas/anomaly"
	"millrace/schemas/clickstream"
	"millrace/schemas/funnel"
	"millrace/transforms"
	"millrace/transforms/alerts"
)

// AlertsExample is a YAML file of rules of alerts for a shop.
//
//go:embed alerts.yaml
var AlertsExample string

// alertInputs are the outputs that rules can watch. Those that need a setting are
// there with it. Sessions are none: one is known when its visitor's day is, and dated by
// when it began.
func (s Settings) alertInputs(rows map[string]beam.PCollection) map[string]transforms.AlertInput {
	inputs := map[string]transforms.AlertInput{
		"events":          {Schema: clickstream.Events},
		"revenue":         {Schema: clickstream.RevenueRows, Window: 24 * time.Hour},
		"products":        {Schema: clickstream.Products, Window: time.Hour},
		"visitors":        {Schema: clickstream.Visitors, Window: 24 * time.Hour},
		"abandoned_carts": {Schema: clickstream.Carts, Time: "last_time", After: s.CartTimeout},
	}
	if len(s.Funnels) > 0 {
		inputs["funnel_steps"] = transforms.AlertInput{Schema: funnel.Steps, Window: transforms.FunnelStepsWindow(s.Funnels)}
	}
	if s.Anomalies {
		inputs["anomalies"] = transforms.AlertInput{Schema: anomaly.Rows, Window: s.AnomalyWindow, History: true}
	}
	for name, in := range inputs {
		in.Rows = rows[name]
		inputs[name] = in
	}
	return inputs
}

// anomalyBoards are the series that are scored.
func (s Settings) anomalyBoards() []transforms.AnomalyBoard {
	minutes := []alerts.Match{{Column: "window_seconds", Value: "60"}}
	return []transforms.AnomalyBoard{{Name: "revenue", Input: "revenue", Every: s.AnomalyWindow, Series: []transforms.AnomalySeries{
		{Name: "purchases", Field: "purchases", Where: minutes, Count: true},
		{Name: "refunds", Field: "refunds", Where: minutes, Count: true},
		{Name: "revenue", Field: "gross", Where: minutes, By: []string{"currency"}, Count: true},
	}}}
}

// anomalyInputs are what the series are read from.
func anomalyInputs(revenue beam.PCollection) map[string]transforms.AlertInput {
	return map[string]transforms.AlertInput{"revenue": {Rows: revenue, Schema: clickstream.RevenueRows, Window: time.Minute}}
}

// needs adds what scores and alerts that are asked for follow from.
func (s Settings) needs(c transforms.Common) transforms.Common {
	if len(s.Alerts) > 0 && c.Makes("alerts") {
		for i := range s.Alerts {
			c = c.Also(s.Alerts[i].Input)
		}
	}
	if s.Anomalies && c.Makes("anomalies") {
		c = c.Also("revenue")
	}
	return c
}
