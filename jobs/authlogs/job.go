package authlogs

import (
	"github.com/apache/beam/sdks/v2/go/pkg/beam"

	"millrace/transforms"
)

// Build is the diagram of the job. records is a PCollection<record.Block>.
//
//	blocks ── decode, mask, count ─┬─ events, bad_rows, late, raw
//	                               ├─ partials ── sources
//	                               │   events, sources by rules ── alerts
//	                               └─ ledger
func Build(s beam.Scope, cfg Settings, c transforms.Common, records beam.PCollection) transforms.Outputs {
	s = s.Scope("authlogs")
	logs := transforms.AuthLogs(s, c, records)
	rollups := transforms.Rollups(s, c, transforms.RollupConfig{Sources: true}, logs.Partials)
	out := transforms.Outputs{
		Rows: map[string]beam.PCollection{
			"events":   logs.Events,
			"sources":  rollups.Sources,
			"bad_rows": logs.BadRows,
			"late":     logs.Late,
			"raw":      logs.Raw,
		},
		Provisional: []beam.PCollection{rollups.Provisional},
		Ledger:      logs.Ledger,
	}
	if len(cfg.Alerts) > 0 {
		rows, firing := transforms.Alerts(s, c, cfg.Alerts, alertInputs(out.Rows))
		out.Rows["alerts"] = rows
		out.Provisional = append(out.Provisional, firing)
	}
	return out
}
