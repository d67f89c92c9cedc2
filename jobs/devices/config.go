// Package devices is the job that turns readings of sensors, medical devices and
// machines into masked readings in standard codes and units, and what follows from them:
// flags, minutes, health of devices, early warning scores, anomalies and alerts.
package devices

import (
	"errors"
	"fmt"
	"time"

	"millrace/transforms"
	"millrace/transforms/alerts"
	"millrace/transforms/clean"
	"millrace/transforms/monitor"
)

// Settings are what a user can set by --set or in a YAML file. The zero value is
// not useful: start from Defaults.
type Settings struct {
	CodesFile     string        `set:"codes.file" file:"true" doc:"CSV file with a table of codes to use instead of the built-in one"`
	Gap           time.Duration `set:"clean.gap" doc:"a pause of a series longer than this is a gap; 0s finds none"`
	StuckFor      time.Duration `set:"clean.stuck_for" doc:"a value that does not change over at least this, and over clean.stuck_readings, is stuck"`
	StuckReadings int           `set:"clean.stuck_readings" doc:"readings in a row of a stuck value; 0 finds none"`
	GridStep      time.Duration `set:"grid.step" doc:"step of the output grid; 0s makes none"`
	GridHold      time.Duration `set:"grid.hold" doc:"how long the grid holds a value"`
	News2         bool          `set:"news2" doc:"whether early warning scores are made of the vital signs of patients"`
	Anomalies     bool          `set:"anomalies" doc:"whether the minutes of each series are scored for what is unusual; a detector takes up to 16 KiB a series"`
	Shards        int           `set:"lake.shards" doc:"files of a day that are written side by side; part of the result, so keep it for a lake"`
	// Alerts come by the YAML key alerts and by --alerts.
	Alerts []alerts.Rule
}

// Defaults are the settings of a run that sets none.
func Defaults() Settings {
	return Settings{Gap: 5 * time.Minute, StuckFor: 10 * time.Minute, StuckReadings: 20, GridHold: 5 * time.Minute, News2: true, Shards: 1}
}

// Validate reports every setting that cannot work.
func (s Settings) Validate() error {
	var faults []error
	check := func(ok bool, name, rule string) {
		if !ok {
			faults = append(faults, fmt.Errorf("setting %s: %s", name, rule))
		}
	}
	check(s.Gap >= 0 && s.Gap <= clean.Memory, "clean.gap", "must be from 0s to 24h")
	check(s.StuckFor >= 0 && s.StuckFor <= clean.Memory, "clean.stuck_for", "must be from 0s to 24h")
	check(s.StuckReadings == 0 || s.StuckReadings >= 2 && s.StuckReadings <= clean.MostStuckReadings, "clean.stuck_readings", fmt.Sprintf("must be 0 or from 2 to %d", clean.MostStuckReadings))
	check(s.GridStep == 0 || s.GridStep >= time.Second && s.GridStep <= time.Hour && s.GridStep%time.Second == 0, "grid.step", "must be 0s or whole seconds up to 1h")
	check(s.GridHold >= 0 && s.GridHold <= clean.Memory, "grid.hold", "must be from 0s to 24h")
	check(s.Shards >= 1 && s.Shards <= 256, "lake.shards", "must be from 1 to 256")
	return errors.Join(append(faults, transforms.CheckAlerts(s.Alerts, s.alertInputs(nil)))...)
}

// monitor are the settings as the monitor of series takes them.
func (s Settings) monitor() monitor.Options {
	return monitor.Options{
		Clean: clean.Options{Gap: s.Gap, StuckFor: s.StuckFor, StuckReadings: s.StuckReadings},
		Step:  s.GridStep, Hold: s.GridHold, Warnings: s.News2,
	}
}

// Fingerprint names the content of the reference data that the settings select, so
// that rows made with other data count as another run.
func (s Settings) Fingerprint() (string, error) {
	version, err := transforms.CodesVersion(s.CodesFile)
	if err != nil {
		return "", fmt.Errorf("setting codes.file: %w", err)
	}
	return version, nil
}
