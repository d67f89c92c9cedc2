package devices

import (
	"github.com/apache/beam/sdks/v2/go/pkg/beam"

	"millrace/transforms"
)

// Build is the diagram of the job. records is a PCollection<record.Block>.
//
//	blocks ── decode, normalise, mask ─┬─ readings, bad_rows, late, raw
//	                                   ├─ points by subject ── in order ─┬─ flags, rollups, health, grid, news2
//	                                   │                                 ├─ rollups ── anomalies ─┐
//	                                   │            all of these by rules ────────────────────────┴─ alerts
//	                                   └─ ledger
func Build(s beam.Scope, cfg Settings, c transforms.Common, records beam.PCollection) transforms.Outputs {
	s = s.Scope("devices")
	in := transforms.DeviceReadings(s, transforms.DeviceConfig{Common: c, CodesFile: cfg.CodesFile}, records)
	watch := cfg.monitor()
	watch.Warnings = watch.Warnings && c.Makes("news2", "alerts")
	series := transforms.DeviceSeries(s, c, watch, in.Points)
	out := transforms.Outputs{
		Rows: map[string]beam.PCollection{
			"readings": in.Readings,
			"bad_rows": in.BadRows,
			"late":     in.Late,
			"raw":      in.Raw,
			"flags":    series.Flags,
			"rollups":  series.Rollups,
			"health":   series.Health,
			"news2":    series.Scores,
		},
		Ledger: in.Ledger,
	}
	out.Vault(s, c)
	if c.Live != nil {
		out.Provisional = append(out.Provisional, series.Provisional)
	}
	if cfg.GridStep > 0 {
		out.Rows["grid"] = series.Grid
	}
	if cfg.Anomalies && c.Makes("anomalies", "alerts") {
		scored, again := transforms.Anomalies(s, c, anomalyBoards(), anomalyInputs(series.Rollups))
		out.Rows["anomalies"] = scored
		out.Provisional = append(out.Provisional, again)
	}
	if len(cfg.Alerts) > 0 {
		rows, firing := transforms.Alerts(s, c, cfg.Alerts, cfg.alertInputs(out.Rows))
		out.Rows["alerts"] = rows
		out.Provisional = append(out.Provisional, firing)
	}
	return out
}
