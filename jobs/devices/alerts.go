package devices

import (
	_ "embed"
	"time"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"

	"millrace/schemas/anomaly"
	"millrace/schemas/device"
	"millrace/transforms"
)

// AlertsExample is a YAML file of rules of alerts for vital signs and machines.
//
//go:embed alerts.yaml
var AlertsExample string

// alertInputs are the outputs that rules can watch. Those that need a setting are
// there with it.
func (s Settings) alertInputs(rows map[string]beam.PCollection) map[string]transforms.AlertInput {
	inputs := map[string]transforms.AlertInput{
		"readings": {Schema: device.Readings},
		"flags":    {Schema: device.Flags, Window: time.Minute},
		"rollups":  {Schema: device.Rollups, Window: time.Minute},
		"health":   {Schema: device.Healths, Window: time.Hour},
	}
	if s.News2 {
		inputs["news2"] = transforms.AlertInput{Schema: device.Scores, Window: time.Minute}
	}
	if s.Anomalies {
		inputs["anomalies"] = transforms.AlertInput{Schema: anomaly.Rows, Window: time.Minute, History: true}
	}
	for name, in := range inputs {
		in.Rows = rows[name]
		inputs[name] = in
	}
	return inputs
}

// anomalyBoards are the series that are scored: each by itself, as what other devices
// measure says nothing of it.
func anomalyBoards() []transforms.AnomalyBoard {
	return []transforms.AnomalyBoard{{
		Name: "series", Input: "rollups", Every: time.Minute, Split: []string{"device_id", "subject", "code"},
		Series: []transforms.AnomalySeries{{Name: "mean", Field: "mean"}},
	}}
}

func anomalyInputs(rollups beam.PCollection) map[string]transforms.AlertInput {
	return map[string]transforms.AlertInput{"rollups": {Rows: rollups, Schema: device.Rollups, Window: time.Minute}}
}

// Lacks says what an output needs that the settings do not give.
func (s Settings) Lacks(output string) string {
	switch {
	case output == "grid" && s.GridStep == 0:
		return "a grid; set grid.step to its step"
	case output == "news2" && !s.News2:
		return "early warning scores; set news2: true"
	case output == "anomalies" && !s.Anomalies:
		return "scores; set anomalies: true"
	case output == "alerts" && len(s.Alerts) == 0:
		return "rules of alerts; give some by the key alerts of the YAML file or by --alerts"
	}
	return ""
}
