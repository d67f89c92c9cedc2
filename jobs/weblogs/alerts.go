package weblogs

import (
	_ "embed"
	"slices"
	"time"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"

	"millrace/schemas/anomaly"
	"millrace/schemas/attack"
	"millrace/schemas/funnel"
	"millrace/schemas/weblog"
	"millrace/transforms"
	"millrace/transforms/alerts"
	"millrace/transforms/security"
)

// AlertsExample is a YAML file of rules of alerts for a site.
//
//go:embed alerts.yaml
var AlertsExample string

// alertInputs are the outputs that rules can watch. Those that need a setting are
// there with it.
func (s Settings) alertInputs(rows map[string]beam.PCollection) map[string]transforms.AlertInput {
	inputs := map[string]transforms.AlertInput{
		"events":    {Schema: weblog.Events},
		"traffic":   {Schema: weblog.TrafficRows, Window: time.Minute},
		"top_pages": {Schema: weblog.TopPages, Window: time.Hour},
		"visitors":  {Schema: weblog.Visitors, Window: 24 * time.Hour},
		"bots":      {Schema: weblog.Bots, Window: 24 * time.Hour},
	}
	if len(s.Funnels) > 0 {
		inputs["funnel_steps"] = transforms.AlertInput{Schema: funnel.Steps, Window: transforms.FunnelStepsWindow(s.Funnels)}
	}
	if s.Anomalies {
		inputs["anomalies"] = transforms.AlertInput{Schema: anomaly.Rows, Window: time.Hour, History: true}
	}
	if s.Security {
		inputs["sources"] = transforms.AlertInput{Schema: attack.Sources, Window: time.Minute, Sparse: true}
		inputs[siteInput] = transforms.AlertInput{Schema: attack.Minutes, Window: time.Minute}
	}
	for name, in := range inputs {
		in.Rows = rows[name]
		inputs[name] = in
	}
	return inputs
}

// siteInput is the site as a whole, minute by minute; no output.
const siteInput = "site"

// BuiltInAlerts is a YAML file of the rules that the settings ask for by themselves,
// empty for none.
func (s Settings) BuiltInAlerts() (name string, content []byte) {
	if !s.Security {
		return "", nil
	}
	return "security/alerts.yaml", security.AlertRules
}

// watchesSite tells whether a rule does.
func (s Settings) watchesSite() bool {
	return slices.ContainsFunc(s.Alerts, func(r alerts.Rule) bool { return r.Input == siteInput })
}

// Lacks says what an output needs that the settings do not give.
func (s Settings) Lacks(output string) string {
	switch {
	case (output == "funnels" || output == "funnel_steps") && len(s.Funnels) == 0:
		return "funnels; give some by the key funnels of the YAML file or by --funnels"
	case output == "sources" && !s.Security:
		return "counts of sources; set security: true"
	case output == "anomalies" && !s.Anomalies:
		return "scores; set anomalies: true"
	case output == "alerts" && len(s.Alerts) == 0:
		return "rules of alerts; give some by the key alerts of the YAML file or by --alerts"
	}
	return ""
}
