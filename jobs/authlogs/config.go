// Package authlogs is the job that turns logs of authentication into masked events,
// what sources did that can be part of an attack, and alerts.
package authlogs

import (
	_ "embed"
	"errors"
	"fmt"
	"time"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"

	"millrace/schemas/attack"
	"millrace/schemas/authlog"
	"millrace/transforms"
	"millrace/transforms/alerts"
)

// AlertsExample is a YAML file of rules of alerts for hosts.
//
//go:embed alerts.yaml
var AlertsExample string

// Settings are what a user can set by --set or in a YAML file. The zero value is
// not useful: start from Defaults.
type Settings struct {
	Shards int `set:"lake.shards" doc:"files of a day that are written side by side; part of the result, so keep it for a lake"`
	// Alerts come by the YAML key alerts and by --alerts, beside the built-in ones.
	Alerts []alerts.Rule
}

// Defaults are the settings of a run that sets none.
func Defaults() Settings { return Settings{Shards: 1} }

// Validate reports every setting that cannot work.
func (s Settings) Validate() error {
	var fault error
	if s.Shards < 1 || s.Shards > 256 {
		fault = fmt.Errorf("setting lake.shards: must be from 1 to 256")
	}
	return errors.Join(fault, transforms.CheckAlerts(s.Alerts, alertInputs(nil)))
}

// alertInputs are the outputs that rules can watch.
func alertInputs(rows map[string]beam.PCollection) map[string]transforms.AlertInput {
	return map[string]transforms.AlertInput{
		"events":  {Rows: rows["events"], Schema: authlog.Events},
		"sources": {Rows: rows["sources"], Schema: attack.Sources, Window: time.Minute, Sparse: true},
	}
}
