package weblogs

import (
	"maps"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"

	"millrace/schemas/weblog"
	"millrace/transforms"
)

// Build is the diagram of the job. records is a PCollection<record.Block>.
//
//	blocks ── decode, flag bots, mask, pre-aggregate ─┬─ events, bad_rows, late, raw
//	                                                  ├─ fragments ── sessions
//	                                                  ├─ partials ─── traffic, top_pages, visitors, bots, clients, sources
//	                                                  │                 └ series ── anomalies ─┐
//	                                                  │      all of these by rules ────────────┴─ alerts
//	                                                  ├─ fragments ── funnels ── funnel_steps
//	                                                  └─ ledger
func Build(s beam.Scope, cfg Settings, c transforms.Common, records beam.PCollection) transforms.Outputs {
	s = s.Scope("weblogs")
	logs := transforms.AccessLogs(s, transforms.AccessLogConfig{
		Common: c, Sessions: cfg.sessions(), ExactPages: cfg.ExactPages, ExactVisitors: cfg.ExactVisitors, PageSketches: cfg.PageSketches, Minutes: cfg.Anomalies, BotsFile: cfg.BotsFile, References: cfg.references(), Funnels: cfg.Funnels,
		AttributionRules: cfg.AttributionFile, OwnDomains: cfg.ownDomains(),
		Security: cfg.Security, PatternsFile: cfg.PatternsFile,
	}, records)
	sessions, provisional := transforms.Sessions(s, c, cfg.sessions(), logs.Fragments)
	rollups := transforms.Rollups(s, c, cfg.rollups(), logs.Partials)
	out := transforms.Outputs{
		Rows: map[string]beam.PCollection{
			"events":    logs.Events,
			"bad_rows":  logs.BadRows,
			"late":      logs.Late,
			"raw":       logs.Raw,
			"sessions":  sessions,
			"traffic":   rollups.Traffic,
			"top_pages": rollups.TopPages,
			"visitors":  rollups.Visitors,
			"bots":      rollups.Bots,
			"clients":   rollups.Clients,
		},
		Provisional: []beam.PCollection{provisional, rollups.Provisional},
		Ledger:      logs.Ledger,
	}
	out.Vault(s, c)
	if cfg.Security {
		out.Rows["sources"] = rollups.Sources
	}
	if len(cfg.Funnels) > 0 {
		f := transforms.Funnels(s, c, weblog.Events, cfg.Funnels, logs.Funnels)
		out.Rows["funnels"], out.Rows["funnel_steps"] = f.Attempts, f.Steps
		out.Provisional = append(out.Provisional, f.Provisional...)
	}
	if cfg.Anomalies {
		scored, again := transforms.Anomalies(s, c, cfg.anomalyBoards(), anomalyInputs(rollups.Traffic, rollups.Series))
		out.Rows["anomalies"] = scored
		out.Provisional = append(out.Provisional, again)
	}
	if len(cfg.Alerts) > 0 {
		watched := maps.Clone(out.Rows)
		if cfg.watchesSite() {
			watched[siteInput] = transforms.Site(s, rollups.Traffic)
		}
		rows, firing := transforms.Alerts(s, c, cfg.Alerts, cfg.alertInputs(watched))
		out.Rows["alerts"] = rows
		out.Provisional = append(out.Provisional, firing)
	}
	return out
}
